import { expect, test } from "bun:test";
import { decodeHeader } from "../../../lib/protocol/header.ts";
import { frameLine } from "../../../lib/trace/frame-line.ts";
import { frame, type OpcodeName } from "../../support/frames.ts";

function lineOf(name: OpcodeName, payload: unknown, stream = 0, flags = 0): string {
  const bytes = frame(name, payload, stream, flags);
  return frameLine(decodeHeader(bytes), bytes.subarray(16));
}

test("a control frame is shown with its payload", () => {
  const payload = { method: "list", params: { glob: "*.txt" } };
  expect(lineOf("OPEN", payload, 3, 1)).toBe(
    'OPEN stream=3 length=43 flags=END {"method":"list","params":{"glob":"*.txt"}}',
  );
  expect(lineOf("CREDIT", Buffer.from([0, 1, 0, 0]), 3)).toBe("CREDIT stream=3 length=4 65536");
  expect(lineOf("PING", Buffer.from("0102030405060708", "hex"))).toBe("PING stream=0 length=8 0102030405060708");
  expect(lineOf("END", Buffer.alloc(0), 3)).toBe("END stream=3 length=0");
  expect(lineOf("END", 7, 3)).toBe("END stream=3 length=1 7");
  expect(lineOf("END", { all: ["a", { b: 1 }] }, 3)).toBe('END stream=3 length=21 {"all":["a",{"b":1}]}');
});

const SECRET = "tr0ub4dor";

test.each([
  ["a proof in HELLO", "HELLO", { auth: { mechanism: "SCRAM-SHA-256", message: SECRET } }],
  ["the rest of a proof", "AUTH", { message: SECRET }],
  ["what a session comes back with", "HELLO", { resume: SECRET }],
  ["what it is given for that", "WELCOME", { resume: { token: SECRET, graceMs: 1 } }],
  ["a new token", "ACCEPT", { token: `laptop:${SECRET}`, invite: `commserver1:${SECRET}` }],
  ["one in a list", "END", { all: [{ secret: SECRET }] }],
] as const)("%s is masked", (_, name, payload) => {
  const line = lineOf(name, payload, name === "HELLO" || name === "WELCOME" || name === "AUTH" ? 0 : 1);
  expect(line).toContain("***");
  expect(line).not.toContain(SECRET);
});

test("a message that is no proof is shown", () => {
  expect(lineOf("GOAWAY", { code: 0, message: "bye" })).toContain('"message":"bye"');
  expect(lineOf("HELLO", { resume: "" })).toContain('"resume":""');
});

test("a payload that can't be read is not shown: it may hold a secret", () => {
  expect(lineOf("AUTH", Buffer.from(`{"message":"${SECRET}`))).toBe("AUTH stream=0 length=21 (not JSON)");
  expect(lineOf("END", Buffer.from('"\xff"', "latin1"), 3)).toBe("END stream=3 length=3 (not JSON)");
});
