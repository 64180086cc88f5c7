import { expect, test } from "bun:test";
import { sendFilePart } from "../../../lib/gateway/file-body.ts";
import type { HttpCall } from "../../../lib/gateway/http-call.ts";
import type { FileBytes } from "../../../lib/session/transport.ts";
import type { FileSource, OpenFile } from "../../../lib/storage/storage.ts";
import { facade } from "../../support/facade.ts";
import { FakeFile } from "../../support/fake-file.ts";
import { codeOf } from "../../support/fault.ts";
import { noise } from "../../support/transport-recorder.ts";

const MIB = 1024 * 1024;

/** A file that the system can send itself. */
function sendable(file: FakeFile): OpenFile {
  const source = (offset: number, length: number): FileSource => ({ fd: -1, offset, length, retain: () => () => {} });
  return facade<OpenFile>(file, { source });
}

/** A call whose connection can send files, and notes what it was given. `onFile`: called before a part of a file is gone. */
function callFor(file: FakeFile, onFile: () => void = () => {}) {
  const sent: Uint8Array[] = [];
  const connection = {
    canSendFiles: true,
    async send(bytes: Uint8Array) {
      sent.push(bytes.slice());
    },
    async sendFile({ offset, length, release }: FileBytes) {
      sent.push(file.content.slice(offset, offset + length));
      onFile();
      release();
    },
  };
  const call = { connection, isClosed: false, guest: undefined, paced: (_: number, sending: Promise<void>) => sending };
  return { call: call as unknown as HttpCall, body: () => Buffer.concat(sent) };
}

test.each([0, 1, 65_536, 65_537, 4 * MIB, 9 * MIB + 7])("a file of %p bytes is sent whole", async (size) => {
  const file = new FakeFile(noise(size));
  const { call, body } = callFor(file);
  await sendFilePart(call, sendable(file), [0, size]);
  expect(body().equals(file.content)).toBe(true);
});

test("a part of a file is that part", async () => {
  const file = new FakeFile(noise(6 * MIB));
  const { call, body } = callFor(file);
  await sendFilePart(call, sendable(file), [1_000, 5 * MIB]);
  expect(body().equals(file.content.subarray(1_000, 5 * MIB))).toBe(true);
});

test("no more than a megabyte leaves before the system is asked whether the file is still the same", async () => {
  const size = 20 * MIB;
  const file = new FakeFile(noise(size));
  let pieces = 0;
  const { call, body } = callFor(file, () => {
    if (++pieces === 2) file.replace(noise(size, 2));
  });
  expect(await codeOf(() => sendFilePart(call, sendable(file), [0, size]))).toBe("CHANGED");
  expect(body()).toHaveLength(2 * MIB);
});

test("a file that changes while the system sends it is not whole", async () => {
  const size = 2 * MIB;
  const file = new FakeFile(noise(size));
  const { call, body } = callFor(file, () => file.replace(noise(size, 2)));
  expect(await codeOf(() => sendFilePart(call, sendable(file), [0, size]))).toBe("CHANGED");
  expect(body().length).toBeLessThan(size);
});

test.each([false, true])(
  "a file that ends too early breaks the body off (read by this process: %p)",
  async (isRead) => {
    const file = new FakeFile(noise(MIB));
    const { call, body } = callFor(file);
    // A disk on which nothing says that the file has changed.
    const short = facade<OpenFile>(sendable(file), {
      read: async (buffer, at) => (at < MIB - 100 ? file.read(buffer.subarray(0, MIB - 100 - at), at) : 0),
    });
    const onBytes = isRead ? () => {} : undefined;
    expect(await codeOf(() => sendFilePart(call, short, [0, MIB], onBytes))).toBe("CHANGED");
    expect(body()).toHaveLength(MIB - 100);
  },
);
