/** The holes of PROTOCOL.md against the receivers' check and schema. */
import { describe, expect, test } from "bun:test";
import type { Range } from "../../lib/block.ts";
import { toCommError } from "../../lib/errors.ts";
import { checkHoles, MAX_HOLES } from "../../lib/holes.ts";
import { decodeJson } from "../../lib/protocol/json.ts";
import { FileFacts, GetRequest, PutFile } from "../../lib/protocol/methods.ts";
import { PAGE, readChunks, readTable, readVectors } from "../support/protocol-page.ts";

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

  test("stand in the FILEs of its examples, of a get and of a put", () => {
    const holes = [[0, 2_097_152]];
    const files = readChunks().flatMap(({ name, id, payload }) =>
      name === "FILE" && payload.kind === "hex" ? [{ id, bytes: payload.bytes }] : [],
    );
    const bytesOf = (id: number) => files.find((file) => file.id === id)?.bytes ?? Buffer.alloc(0);
    expect(decodeJson(FileFacts, bytesOf(7), "A file")).toMatchObject({ holes });
    expect(decodeJson(PutFile, bytesOf(9), "An offer")).toMatchObject({ path: "disk.img", holes });
  });

  test("are asked for in the request of its example", () => {
    const requests = readVectors().filter(({ name, stream }) => name === "DATA" && stream === 5);
    const records = requests.map(({ bytes }) => bytes.subarray(16)).filter((bytes) => bytes.includes('"holes"'));
    const asked = records.map((bytes) => decodeJson(GetRequest, bytes, "A request"));
    expect(asked).toMatchObject([{ id: 7, path: "disk.img", holes: true }]);
  });
});
