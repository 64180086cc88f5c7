import { describe, expect, test } from "bun:test";
import { decodeHeader } from "../../lib/protocol/header.ts";
import { pieces } from "../support/bytes.ts";
import { decodeAll } from "../support/frame-log.ts";
import { protocolFault } from "../support/outcomes.ts";
import { PAGE, readInvalids, readVectors } from "../support/protocol-page.ts";

const invalids = readInvalids();

describe("the invalid headers of PROTOCOL.md", () => {
  test("none is overlooked", () => {
    expect(invalids.length).toBeGreaterThan(0);
    expect(invalids).toHaveLength(PAGE.split("```invalid").length - 1);
  });

  test("every code of the list of checks has one", () => {
    const checks = PAGE.slice(PAGE.indexOf("### Checks"), PAGE.indexOf("```vector"));
    const codes = new Set([...checks.matchAll(/^\d+\. .*?: ([A-Z_]+)\./gm)].map(([, code]) => code as string));
    expect(codes.size).toBeGreaterThan(0);
    expect(new Set(invalids.map(({ code }) => code))).toEqual(codes);
  });

  test.each(invalids.map((invalid) => [invalid.line, invalid.code, invalid.bytes] as const))(
    "the one on line %i is %s",
    (_line, code, bytes) => {
      expect(bytes).toHaveLength(16);
      expect(protocolFault(() => decodeHeader(bytes)) as string | undefined).toBe(code);
      expect(protocolFault(() => decodeAll([bytes])) as string | undefined).toBe(code);
      expect(protocolFault(() => decodeAll(pieces(bytes, 1))) as string | undefined).toBe(code);
    },
  );
});

describe("the reader of PROTOCOL.md", () => {
  const block = (...lines: string[]) => ["```vector", ...lines, "```"].join("\n");

  test("finds nothing in a page without blocks", () => {
    expect(readVectors("# Title\n")).toEqual([]);
  });

  test.each([
    ["a first line of another form", block("PING stream=0 length=0", "payload empty", "c5")],
    ["a payload of another kind", block("PING stream=0 flags=0 length=0", "payload text x", "c5")],
    ["half a byte", block("PING stream=0 flags=0 length=0", "payload empty", "c5050")],
    ["no bytes", block("PING stream=0 flags=0 length=0", "payload empty")],
    ["a block without an end", "```vector\nPING stream=0 flags=0 length=0"],
  ])("does not pass over %s", (_what, page) => {
    expect(() => readVectors(page)).toThrow("PROTOCOL.md:");
  });
});
