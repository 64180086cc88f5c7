import { describe, expect, test } from "bun:test";
import { readFileSync, statSync, utimesSync } from "node:fs";
import fc from "fast-check";
import { StorageError } from "../../../lib/errors.ts";
import { LocalStorage } from "../../../lib/storage/local.ts";
import { LocalFileSink } from "../../../lib/storage/local-file-sink.ts";
import { settle } from "../../support/fake-clock.ts";
import { FakeFile } from "../../support/fake-file.ts";
import { FakeSink } from "../../support/fake-sink.ts";
import { faultOf } from "../../support/fault.ts";
import { watch } from "../../support/outcomes.ts";
import { writeTree } from "../../support/repository.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { digestOf, TransferPair } from "../../support/transfer-pair.ts";
import { noise } from "../../support/transport-recorder.ts";

describe("sendFile() to receiveFile()", () => {
  test.each([0, 1, 65_535, 65_536, 65_537, 262_143, 262_144, 262_145, 524_288, 3_000_000])(
    "brings %i bytes over whole, with digest and time",
    async (size) => {
      const pair = await TransferPair.open();
      const content = noise(size);
      const sink = new FakeSink();
      const [digest] = await Promise.all([pair.receive(sink), pair.send(new FakeFile(content, 1_234_567_890_123))]);
      expect(sink.bytes.equals(content)).toBe(true);
      expect(digest).toBe(digestOf(content));
      expect(sink.commits).toEqual([1_234_567_890_123]);
      expect(sink.aborts).toBe(0);
    },
  );

  test("brings any file over, however few bytes each read gives", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(700_000), fc.integer({ min: 1_000, max: 300_000 }), async (size, maxRead) => {
        const pair = await TransferPair.open();
        const content = noise(size, size + 1);
        const file = Object.assign(new FakeFile(content), { maxRead });
        const sink = new FakeSink();
        await Promise.all([pair.receive(sink), pair.send(file)]);
        expect(sink.bytes.equals(content)).toBe(true);
      }),
      { numRuns: 25 },
    );
  });

  test("announces size, time and etag, also when not a byte can be read", async () => {
    const pair = await TransferPair.open();
    const file = new FakeFile(noise(100), 5);
    file.onRead = () => {
      throw new StorageError("INTERNAL", "The disk is gone.");
    };
    await faultOf(() => pair.send(file));
    expect(await pair.announced).toEqual({ size: 100, modifiedAt: 5, etag: "etag-1" });
  });

  test("tells the progress as bytes that have reached the sink, up to the last", async () => {
    const pair = await TransferPair.open();
    const sink = new FakeSink();
    await Promise.all([pair.receive(sink), pair.send(new FakeFile(noise(1_000_000)))]);
    expect(pair.progress.length).toBeGreaterThan(1);
    expect(pair.progress).toEqual(pair.progress.toSorted((a, b) => a - b));
    expect(pair.progress.at(-1)).toBe(1_000_000);
  });

  test("a slow sink holds back the sender: no more is read than the window and two buffers", async () => {
    const pair = await TransferPair.open();
    const gate = Promise.withResolvers<void>();
    const sink = new FakeSink();
    sink.onWrite = () => gate.promise;
    const content = noise(4_000_000);
    const file = new FakeFile(content);
    const sent = watch(pair.send(file));
    const received = pair.receive(sink);
    await settle();
    expect(file.bytesRead).toBeGreaterThan(0);
    expect(file.bytesRead).toBeLessThanOrEqual(65_536 + 2 * 262_144);
    expect(sent.state).toBe("pending");
    gate.resolve();
    await received;
    expect(sink.bytes.equals(content)).toBe(true);
  });

  test("brings a file of this machine's disk to its disk", async () => {
    using folder = new TempFolder();
    const content = noise(1_500_000);
    writeTree(folder.path, { "repository/a": content });
    utimesSync(folder.join("repository/a"), new Date(1_600_000_000_789), new Date(1_600_000_000_789));
    const storage = await LocalStorage.at(folder.join("repository"));
    const file = await storage.open("a");
    const pair = await TransferPair.open();
    const sink = await LocalFileSink.create(folder.join("copy"), { overwrite: false });
    await Promise.all([pair.receive(sink), pair.send(file)]);
    await file.close();
    expect(readFileSync(folder.join("copy")).equals(content)).toBe(true);
    expect(statSync(folder.join("copy")).mtimeMs).toBe(1_600_000_000_789);
  });
});
