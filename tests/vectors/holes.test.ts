/** The holes of PROTOCOL.md against the receivers' check and schema. */
import { describe, expect, test } from "bun:test";
import type { Range } from "../../lib/block.ts";
import { toCommError } from "../../lib/errors.ts";
import { checkHoles, MAX_HOLES } from "../../lib/holes.ts";
import { decodeJson } from "../../lib/protocol/json.ts";
import { FileFacts } from "../../lib/protocol/methods.ts";
import { PAGE, readChunks, readTable } from "../support/protocol-page.ts";

function judge(size: number, holes: readonly Range[]): string {
  const facts = { size, modifiedAt: 1, executable: false, etag: "e", holes };
  try {
    const taken = decodeJson(FileFacts, Buffer.from(JSON.stringify(facts)), "A file");
    checkHoles("a", taken.size, taken.holes);
    return "taken";
  } catch (thrown) {
    return toCommError(thrown).code;
  }
}

describe("the holes of PROTOCOL.md", () => {
  test.each(readTable("size", "`holes`", "answer").map((row) => [row["size"], row["`holes`"], row["answer"]]))(
    "of %s bytes, %s: %s",
    (size, holes, answer) => {
      expect(judge(Number(size), JSON.parse(holes as string))).toBe(answer as string);
    },
  );

  test("are as many as it says, and no more", () => {
    const most = Number(/at\s+most (\d+): else RESET/.exec(PAGE)?.[1]);
    expect(most).toBe(MAX_HOLES);
    const holes = Array.from({ length: most + 1 }, (_, at): Range => [at * 2_097_152, at * 2_097_152 + 1_048_576]);
    expect(judge(2 ** 40, holes.slice(1))).toBe("taken");
    expect(judge(2 ** 40, holes)).toBe("BAD_PAYLOAD");
  });

  test("stand in the FILE of its example", () => {
    const file = readChunks().find(({ name }) => name === "FILE");
    if (file?.payload.kind !== "hex") throw new Error("The example has no FILE.");
    const json = decodeJson(FileFacts, file.payload.bytes, "A file");
    expect(json.holes).toEqual([[0, 2_097_152]]);
  });
});
