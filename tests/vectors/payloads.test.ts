import { describe, expect, test } from "bun:test";
import { decodeJson } from "../../lib/protocol/json.ts";
import { Result } from "../../lib/protocol/messages.ts";
// @ts-expect-error The Node peers are plain JavaScript.
import { parseObject } from "../interop/node-peer.mjs";
import { protocolFault } from "../support/outcomes.ts";
import { readTable } from "../support/protocol-page.ts";
import { parseStrictJson } from "../support/strict-json.ts";

const rows = readTable("payload of END", "answer").map((row) => {
  const [, text = ""] = /^`(.*)`$/.exec(row["payload of END"] as string) ?? [];
  return [text, row["answer"] as string] as const;
});

/** Whether a parser of the tests takes what a payload may be. */
function takes(parse: () => unknown): string {
  try {
    const value = parse();
    return typeof value === "object" && value !== null && !Array.isArray(value) ? "taken" : "BAD_PAYLOAD";
  } catch {
    return "BAD_PAYLOAD";
  }
}

describe("the payloads of PROTOCOL.md", () => {
  test("are taken and refused", () => {
    expect(new Set(rows.map(([, answer]) => answer))).toEqual(new Set(["taken", "BAD_PAYLOAD"]));
  });

  test.each(rows)("%s is %s, for lib, the naive parser of the tests and the Node peers", (text, answer) => {
    const bytes = Buffer.from(text);
    expect(protocolFault(() => decodeJson(Result, bytes, "END")) ?? "taken").toBe(answer as "BAD_PAYLOAD");
    expect(takes(() => parseStrictJson(text))).toBe(answer);
    expect(takes(() => parseObject(bytes))).toBe(answer);
  });
});
