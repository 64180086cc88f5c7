/** The example of a code in PROTOCOL.md, and Damm's table there, against the code. */
import { expect, test } from "bun:test";
import { bytesToNumberLE } from "@noble/curves/utils.js";
import { CodeExchange } from "../../lib/codes/code-exchange.ts";
import { CodeProver } from "../../lib/codes/code-prover.ts";
import * as messages from "../../lib/protocol/code-messages.ts";
import { formatCode, parseCode } from "../../lib/protocol/one-time-code.ts";
import { PAGE, readVectors } from "../support/protocol-page.ts";

const SECTION = PAGE.split("### Codes\n")[1]?.split("\n### ")[0] ?? "";
const [yours = "", theirs = ""] = [...SECTION.matchAll(/`([0-9a-f]{64})`/g)].map(([, hex = ""]) => hex);
const scalar = (hex: string) => bytesToNumberLE(Uint8Array.fromHex(hex));
const code = parseCode(/The code `([\d-]+)`/.exec(SECTION)?.[1] ?? "");
const [first, second, third, last] = readVectors()
  .filter(({ line }) => line > PAGE.slice(0, PAGE.indexOf("### Codes\n")).split("\n").length)
  .filter(({ name }) => name === "HELLO" || name === "AUTH")
  .map(({ payload }) => JSON.parse(payload.kind === "json" ? payload.text : "{}"));

test("the client says what the example has, and takes the invite out of it", async () => {
  const prover = new CodeProver(code, { binding: undefined, onOffered: async () => {}, scalar: scalar(yours) });
  expect({ mechanism: prover.mechanism, message: prover.first }).toEqual(first.auth);
  const { message, check } = await prover.answer(second.message);
  expect(message).toBe(third.message);
  check(last.message);
  expect(prover.invite).toMatchObject({ label: "lab", token: { name: "laptop" } });
});

test("the server says what the example has", () => {
  const exchange = new CodeExchange("server", code, undefined, scalar(theirs));
  expect(messages.formatServerFirst(exchange.share)).toBe(second.message);
  const { tags } = exchange.agree(messages.parseClientFirst(first.auth.message).share);
  expect(messages.formatClientFinal(tags.client)).toBe(third.message);
  expect(messages.parseServerFinal(last.message).tag).toEqual(tags.server);
});

test("the table of check digits is the one of the code", () => {
  const rows = [...SECTION.matchAll(/^(\d) {3}((?:\d ?){10})$/gm)].map(([, , row = ""]) => row.replaceAll(" ", ""));
  expect(rows).toHaveLength(10);
  for (let number = 0; number < 1_000; number++) {
    const digits = String(number * 999_983)
      .padStart(9, "0")
      .slice(0, 9);
    let interim = 0;
    for (const digit of digits) interim = Number(rows[interim]?.[Number(digit)]);
    const text = formatCode({ plate: digits.slice(0, 3), secret: digits.slice(3) });
    expect(text.at(-1)).toBe(String(interim));
  }
});
