import { describe, expect, test } from "bun:test";
import fs from "node:fs";
import type { FileBytes } from "../../lib/session/transport.ts";
import { SocketPair } from "../support/socket-pair.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { noise, TransportRecorder } from "../support/transport-recorder.ts";
import { until } from "../support/until.ts";

const MB = 1024 * 1024;

/** A file that knows how often its parts were released. */
class SentFile implements Disposable {
  readonly #folder = new TempFolder();
  readonly content: Buffer;
  readonly path = this.#folder.join("sent");
  readonly fd: number;
  released = 0;

  constructor(bytes: number) {
    this.content = noise(bytes);
    fs.writeFileSync(this.path, this.content);
    this.fd = fs.openSync(this.path, "r");
  }

  part(offset: number, length: number): FileBytes {
    return { fd: this.fd, offset, length, release: () => this.released++ };
  }

  [Symbol.dispose](): void {
    fs.closeSync(this.fd);
    this.#folder[Symbol.dispose]();
  }
}

describe.skipIf(process.platform !== "linux").each([
  ["TCP", SocketPair.tcp],
  ["Unix socket", SocketPair.unix],
] as const)("%s: sendFile()", (_, open) => {
  test("sends parts of a file in order with what is written before and after, and releases each once", async () => {
    await using pair = await open();
    using file = new SentFile(16 * MB);
    expect(pair.connected.canSendFiles).toBe(true);
    const receiver = new TransportRecorder(pair.accepted).start();
    new TransportRecorder(pair.connected).start();
    pair.connected.write(Buffer.from("head"));
    for (let offset = 0; offset < 16 * MB; offset += 4 * MB) pair.connected.sendFile(file.part(offset, 4 * MB));
    pair.connected.write(Buffer.from("tail"));
    await receiver.received(16 * MB + 8);
    expect(receiver.bytes.equals(Buffer.concat([Buffer.from("head"), file.content, Buffer.from("tail")]))).toBe(true);
    await until(() => file.released === 4);
  });

  test("returns false while the other end does not read, and goes on when it does", async () => {
    await using pair = await open();
    using file = new SentFile(16 * MB);
    const receiver = new TransportRecorder(pair.accepted).start();
    const sender = new TransportRecorder(pair.connected).start();
    pair.accepted.pause();
    let sent = 0;
    while (sent < 64 && pair.connected.sendFile(file.part(0, 16 * MB))) sent++;
    expect(sent).toBeLessThan(64);
    const drains = sender.drains;
    pair.accepted.resume();
    await receiver.received((sent + 1) * 16 * MB);
    await until(() => sender.drains === drains + 1);
    expect(file.released).toBe(sent + 1);
    expect(receiver.bytes.subarray(sent * 16 * MB).equals(file.content)).toBe(true);
  });

  test("fills up a file that has become shorter with zeros: the length was promised", async () => {
    await using pair = await open();
    using file = new SentFile(3 * MB);
    const receiver = new TransportRecorder(pair.accepted).start();
    new TransportRecorder(pair.connected).start();
    fs.truncateSync(file.path, MB);
    pair.connected.sendFile(file.part(0, 3 * MB));
    pair.connected.write(Buffer.from("tail"));
    await receiver.received(3 * MB + 4);
    const expected = Buffer.concat([file.content.subarray(0, MB), Buffer.alloc(2 * MB), Buffer.from("tail")]);
    expect(receiver.bytes.equals(expected)).toBe(true);
  });

  test("lets go of what can't be sent any more, once", async () => {
    await using pair = await open();
    using file = new SentFile(16 * MB);
    new TransportRecorder(pair.accepted).start();
    const sender = new TransportRecorder(pair.connected).start();
    pair.accepted.pause();
    const parts = 8;
    for (let part = 0; part < parts; part++) pair.connected.sendFile(file.part(0, 16 * MB));
    expect(file.released).toBeLessThan(parts);
    pair.connected.abort();
    await sender.closed();
    pair.connected.sendFile(file.part(0, 1));
    expect(file.released).toBe(parts + 1);
  });
});
