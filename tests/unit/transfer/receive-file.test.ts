import { describe, expect, test } from "bun:test";
import { type CommError, StorageError } from "../../../lib/errors.ts";
import { settle } from "../../support/fake-clock.ts";
import { FakeSink } from "../../support/fake-sink.ts";
import { faultOf } from "../../support/fault.ts";
import { digestOf, TransferPair } from "../../support/transfer-pair.ts";
import { noise } from "../../support/transport-recorder.ts";

interface Served {
  /** The size that is announced. */
  size: number;
  pieces: Uint8Array[];
  trailer: Record<string, unknown>;
}

/** Receive from a server that answers as it likes; returns how that ended, and what the server heard of it. */
async function receiveFrom({ size, pieces, trailer }: Served, sink = new FakeSink()) {
  const pair = await TransferPair.open();
  const { sending } = pair;
  sending.accept({ size, modifiedAt: 1, etag: "e" });
  const serving = (async () => {
    for (const piece of pieces) await sending.write(piece);
    await sending.end(trailer);
  })().then(
    () => undefined,
    (error: CommError) => error.code,
  );
  const fault = await faultOf(() => pair.receive(sink));
  await settle();
  return { fault, sink, heard: await serving };
}

const CONTENT = noise(200_000);
const GOOD = { sha256: digestOf(CONTENT) };

describe("receiveFile() of a body that is not what was announced", () => {
  test("says DIGEST_MISMATCH for another digest and commits nothing", async () => {
    const other = { sha256: digestOf(noise(200_000, 2)) };
    const { fault, sink } = await receiveFrom({ size: CONTENT.length, pieces: [CONTENT], trailer: other });
    expect(fault.code).toBe("DIGEST_MISMATCH");
    expect(fault.message).toContain('"docs/a"');
    expect([sink.commits, sink.aborts]).toEqual([[], 0]);
  });

  test("says DIGEST_MISMATCH when one bit of the bytes is another", async () => {
    const flipped = Uint8Array.from(CONTENT);
    flipped[123_456] = (flipped[123_456] as number) ^ 1;
    const { fault, sink } = await receiveFrom({ size: CONTENT.length, pieces: [flipped], trailer: GOOD });
    expect(fault.code).toBe("DIGEST_MISMATCH");
    expect(sink.commits).toEqual([]);
  });

  test.each([
    ["none", {}],
    ["one in capitals", { sha256: GOOD.sha256.toUpperCase() }],
    ["a short one", { sha256: GOOD.sha256.slice(1) }],
    ["no text", { sha256: null }],
  ])("says BAD_PAYLOAD when the digest is %s", async (_, trailer) => {
    const { fault, sink } = await receiveFrom({ size: CONTENT.length, pieces: [CONTENT], trailer });
    expect(fault.code).toBe("BAD_PAYLOAD");
    expect(sink.commits).toEqual([]);
  });

  test.each([
    ["nothing", []],
    ["all but the last byte", [CONTENT.subarray(0, -1)]],
    ["one piece of several", [CONTENT.subarray(0, 100_000)]],
  ])("says INCOMPLETE when it ends after %s, also with the digest of what came", async (_, pieces) => {
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    const trailer = { sha256: digestOf(Buffer.concat(pieces)) };
    const { fault, sink } = await receiveFrom({ size: CONTENT.length, pieces, trailer });
    expect(fault.code).toBe("INCOMPLETE");
    expect(fault.message).toContain(`${length} of ${CONTENT.length} bytes`);
    expect([sink.commits, sink.aborts]).toEqual([[], 0]);
  });

  test.each([
    ["one byte", 199_999],
    ["everything", 0],
  ])("says INCOMPLETE when it is longer by %s, gives the sink no byte too many and cancels", async (_, size) => {
    // More than the window holds, so that the server notices.
    const pieces = [CONTENT, CONTENT, CONTENT];
    const { fault, sink, heard } = await receiveFrom({ size, pieces, trailer: GOOD });
    expect(fault.code).toBe("INCOMPLETE");
    expect(fault.message).toContain("longer");
    expect(sink.bytes.length).toBeLessThanOrEqual(size);
    expect(sink.commits).toEqual([]);
    expect(heard).toBe("CANCELLED");
  });
});

describe("receiveFile() whose sink fails", () => {
  test.each(["DISK_FULL", "DISK_DENIED", "DISK_FAILED"] as const)(
    "with %s in write() fails so, cancels the stream and commits nothing",
    async (code) => {
      const sink = new FakeSink();
      const failure = new StorageError(code, "The disk said no.");
      sink.onWrite = (length) => {
        if (length >= 65_536) throw failure;
        return undefined;
      };
      const pieces = [CONTENT, CONTENT];
      const { fault, heard } = await receiveFrom({ size: 400_000, pieces, trailer: GOOD }, sink);
      expect(fault).toBe(failure);
      expect(heard).toBe("CANCELLED");
      expect([sink.commits, sink.aborts]).toEqual([[], 0]);
    },
  );

  test("in commit() fails so", async () => {
    const sink = new FakeSink();
    const failure = new StorageError("EXISTS", "It exists.");
    sink.onCommit = () => {
      throw failure;
    };
    const { fault } = await receiveFrom({ size: CONTENT.length, pieces: [CONTENT], trailer: GOOD }, sink);
    expect(fault).toBe(failure);
  });

  test("in the first write() has told no progress", async () => {
    const pair = await TransferPair.open();
    pair.sending.accept({ size: CONTENT.length, modifiedAt: 1, etag: "e" });
    pair.sending.write(CONTENT).catch(() => {});
    const sink = new FakeSink();
    sink.onWrite = () => {
      throw new StorageError("DISK_FULL", "No room.");
    };
    expect((await faultOf(() => pair.receive(sink))).code).toBe("DISK_FULL");
    expect(pair.progress).toEqual([]);
  });
});
