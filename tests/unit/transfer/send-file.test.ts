import { describe, expect, test } from "bun:test";
import { RemoteError, StorageError } from "../../../lib/errors.ts";
import { settle } from "../../support/fake-clock.ts";
import { FakeFile } from "../../support/fake-file.ts";
import { FakeSink } from "../../support/fake-sink.ts";
import { faultOf } from "../../support/fault.ts";
import { TransferPair } from "../../support/transfer-pair.ts";
import { noise } from "../../support/transport-recorder.ts";

const SIZE = 1_000_000;

/** Send a file that `change` alters at the read from `position` on. */
async function sendChanging(position: number, change: (file: FakeFile) => void) {
  const pair = await TransferPair.open();
  const file = new FakeFile(noise(SIZE));
  let changed = false;
  file.onRead = (at) => {
    if (changed || at < position) return;
    changed = true;
    change(file);
  };
  const sink = new FakeSink();
  const [here, there] = await Promise.all([faultOf(() => pair.send(file)), faultOf(() => pair.receive(sink))]);
  expect(changed).toBe(true);
  return { here, there, sink };
}

describe("sendFile() of a file that changes meanwhile", () => {
  const CHANGES: [name: string, position: number, change: (file: FakeFile) => void][] = [
    ["is emptied before the first byte", 0, (file) => file.cutAt(0)],
    ["is cut short in the middle", 1, (file) => file.cutAt(300_000)],
    ["loses its last byte", 1, (file) => file.cutAt(SIZE - 1)],
    ["is overwritten with as many other bytes", 1, (file) => file.replace(noise(SIZE, 2))],
    ["grows", 1, (file) => file.replace(noise(SIZE + 1))],
    ["changes after its last byte was read", SIZE, (file) => file.replace(file.content)],
  ];

  test.each(CHANGES)("%s: both sides hear CHANGED and nothing is committed", async (_, position, change) => {
    const { here, there, sink } = await sendChanging(position, change);
    expect(here.code).toBe("CHANGED");
    expect(here.message).toContain('"docs/a"');
    expect(there.code).toBe("CHANGED");
    expect(there).toBeInstanceOf(RemoteError);
    expect(sink.commits).toEqual([]);
  });

  test("an empty file that is no longer what it was is CHANGED too", async () => {
    const pair = await TransferPair.open();
    const file = new FakeFile(new Uint8Array(0));
    file.replace(file.content);
    const sink = new FakeSink();
    const [here] = await Promise.all([faultOf(() => pair.send(file)), faultOf(() => pair.receive(sink))]);
    expect(here.code).toBe("CHANGED");
    expect(sink.commits).toEqual([]);
  });
});

describe("sendFile() that can't go on", () => {
  test("fails as its file does when that can't be read any more", async () => {
    const { here, there, sink } = await sendChanging(1, () => {
      throw new StorageError("INTERNAL", "The disk is gone.");
    });
    expect(here.code).toBe("INTERNAL");
    expect(there.code).toBe("INTERNAL");
    expect(sink.commits).toEqual([]);
  });

  test("fails and reads no more when the receiver wants no more", async () => {
    const pair = await TransferPair.open();
    const file = new FakeFile(noise(5_000_000));
    const sink = new FakeSink();
    sink.onWrite = (length) => {
      if (length > 0) throw new StorageError("DISK_FULL", "No room.");
      return undefined;
    };
    const [here] = await Promise.all([faultOf(() => pair.send(file)), faultOf(() => pair.receive(sink))]);
    expect(here.code).toBe("CANCELLED");
    expect(here).toBeInstanceOf(RemoteError);
    const { bytesRead } = file;
    await settle();
    expect(file.bytesRead).toBe(bytesRead);
    expect(bytesRead).toBeLessThan(1_000_000);
  });

  test("fails on both sides when the link is lost, and nothing is committed", async () => {
    const pair = await TransferPair.open();
    const file = new FakeFile(noise(5_000_000));
    const sink = new FakeSink();
    sink.onWrite = (length) => {
      if (length > 100_000) pair.server.session.terminate("KICKED", "You are out.");
      return undefined;
    };
    const [here, there] = await Promise.all([faultOf(() => pair.send(file)), faultOf(() => pair.receive(sink))]);
    expect([here.code, there.code]).toEqual(["KICKED", "KICKED"]);
    expect(sink.commits).toEqual([]);
  });

  test("leaves the file to its caller to close", async () => {
    const pair = await TransferPair.open();
    const file = new FakeFile(noise(10));
    file.replace(file.content);
    const sink = new FakeSink();
    await Promise.all([faultOf(() => pair.send(file)), faultOf(() => pair.receive(sink))]);
    expect(file.closed).toBe(false);
  });
});
