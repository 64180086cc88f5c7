import { type Transport, type TransportHandler, UNKNOWN_ADDRESS } from "../../lib/session/transport.ts";

/** A transport that only records: copies of written bytes are in `writes`, the buffers themselves in `buffers`. */
export class FakeTransport implements Transport {
  readonly peer = "fake:1";
  readonly peerAddress = UNKNOWN_ADDRESS;
  readonly writes: Uint8Array[] = [];
  readonly buffers: ArrayBufferLike[] = [];
  handler: TransportHandler | undefined;
  /** While true, write() takes the bytes, and reports that it is full. */
  blocked = false;
  paused = false;
  /** The kind of each pause. */
  readonly pauses: ("brief" | "long")[] = [];
  closed = false;
  /** The argument of close(), if any. */
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

  /** All written bytes in one piece. */
  get bytes(): Buffer {
    return Buffer.concat(this.writes);
  }
}
