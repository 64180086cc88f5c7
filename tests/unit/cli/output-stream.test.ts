import { describe, expect, test } from "bun:test";
import fs from "node:fs";
import { openStream } from "../../../lib/cli/client/output-stream.ts";
import { TempFolder } from "../../support/temp-folder.ts";

const NO_IO = { out: async () => {} };
const PIECES = 64;
const PIECE_BYTES = 256 * 1024;

function pipeIn(folder: TempFolder): string {
  expect(Bun.spawnSync(["mkfifo", folder.join("pipe")]).exitCode).toBe(0);
  return folder.join("pipe");
}

describe.skipIf(process.platform === "win32")("a pipe for what is fetched", () => {
  test("takes bytes in their order, though nobody waits for one piece before the next", async () => {
    using folder = new TempFolder();
    const pipe = pipeIn(folder);
    const reader = Bun.spawn(["cat", pipe], { stdout: "pipe" });
    const read = new Response(reader.stdout).bytes();
    const stream = await openStream(pipe, NO_IO, new AbortController().signal);
    const pieces = Array.from({ length: PIECES }, (_, at) => new Uint8Array(PIECE_BYTES).fill(at));
    await Promise.all(pieces.map((piece) => stream.out(piece)));
    stream.close();
    const got = await read;
    expect(got.length).toBe(PIECES * PIECE_BYTES);
    const order = Array.from({ length: PIECES }, (_, at) => got[at * PIECE_BYTES]);
    expect(order).toEqual(Array.from({ length: PIECES }, (_, at) => at));
    expect(Buffer.compare(got, Buffer.concat(pieces))).toBe(0);
    await reader.exited;
  });

  test("that failed takes nothing more, and says why each time", async () => {
    using folder = new TempFolder();
    const pipe = pipeIn(folder);
    const reader = Bun.spawn(["head", "-c", "1", pipe], { stdout: "ignore" });
    const stream = await openStream(pipe, NO_IO, new AbortController().signal);
    const piece = new Uint8Array(PIECE_BYTES);
    const failing = [1, 2, 3].map(() => stream.out(piece));
    for (const outcome of await Promise.allSettled(failing)) {
      expect(outcome).toMatchObject({ status: "rejected", reason: { code: "OUTPUT_CLOSED" } });
    }
    stream.close();
    await reader.exited;
  });

  test("and that nobody reads keeps no thread from other files when it is given up", async () => {
    using folder = new TempFolder();
    const pipe = pipeIn(folder);
    // More of them than there are threads for files.
    for (let count = 0; count < 40; count++) {
      const abort = new AbortController();
      const opening = openStream(pipe, NO_IO, abort.signal);
      abort.abort();
      await expect(opening).rejects.toThrow(expect.objectContaining({ code: "INTERRUPTED" }));
    }
    fs.writeFileSync(folder.join("file"), "read");
    expect(await fs.promises.readFile(folder.join("file"), "utf8")).toBe("read");
  });

  test("is not waited for at all when the signal has come before", async () => {
    using folder = new TempFolder();
    const opening = openStream(pipeIn(folder), NO_IO, AbortSignal.abort());
    await expect(opening).rejects.toThrow(expect.objectContaining({ code: "INTERRUPTED" }));
  });
});
