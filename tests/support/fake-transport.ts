import { type Transport, type TransportHandler, UNKNOWN_ADDRESS } from "../../lib/session/transport.ts";

/** A transport that only remembers: what was written is in `writes`, copied, and the very buffers in `buffers`. */
export class FakeTransport implements Transport {
  readonly peer = "fake:1";
  readonly peerAddress = UNKNOWN_ADDRESS;
  readonly writes: Uint8Array[] = [];
  readonly buffers: ArrayBufferLike[] = [];
  handler: TransportHandler | undefined;
  /** While true, write() takes the bytes and says that it is full. */
  blocked = false;
  paused = false;
  /** Of each pause, how long it may last. */
  readonly pauses: ("brief" | "long")[] = [];
  closed = false;
  /** What close() was told, if anything. */
  lingerMs: number | undefined;
  aborted = false;

  start(handler: TransportHandler): void {
    this.handler = handler;
  }

  write(bytes: Uint8Array): boolean {
    if (this.closed) throw new Error("write() comes after close(): the bytes would be lost");
    this.writes.push(new Uint8Array(bytes));
    this.buffers.push(bytes.buffer);
    return !this.blocked;
  }

  readonly canSendFiles: boolean = false;
  readonly channelBinding = undefined;

  sendFile(): boolean {
    throw new Error("No file can be sent here.");
  }

  pause(isBrief = false): void {
    this.paused = true;
    this.pauses.push(isBrief ? "brief" : "long");
  }

  resume(): void {
    this.paused = false;
  }

  close(lingerMs?: number): void {
    this.closed = true;
    this.lingerMs = lingerMs;
  }

  abort(): void {
    this.aborted = true;
  }

  /** All that was written, in one piece. */
  get bytes(): Buffer {
    return Buffer.concat(this.writes);
  }
}
