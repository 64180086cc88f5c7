import type { Transport, TransportHandler } from "../../lib/session/transport.ts";
import { WrappedTransport } from "../../lib/session/wrapped-transport.ts";
import { frame, parseFrames, type RawFrame } from "./frames.ts";

/** What happens to a frame: nothing, another payload instead, or the end of the link before it. */
export type Meddling = undefined | Buffer | "cut";

export interface MeddlerOptions {
  /** A frame from the server, and one from the client. */
  onIncoming?(frame: RawFrame): Meddling;
  onOutgoing?(frame: RawFrame): Meddling;
}

/** A client's transport on which frames are counted, damaged, and cut off. */
export class Meddler extends WrappedTransport {
  readonly #options: MeddlerOptions;
  #incoming: Buffer = Buffer.alloc(0);
  #outgoing: Buffer = Buffer.alloc(0);
  #isCut = false;
  /** Payload bytes of the DATA frames that passed. */
  bytesIn = 0;
  bytesOut = 0;

  constructor(inner: Transport, options: MeddlerOptions = {}) {
    super(inner);
    this.#options = options;
  }

  override get canSendFiles(): boolean {
    return false;
  }

  override sendFile(): boolean {
    throw new Error("No file can be sent here.");
  }

  override start(handler: TransportHandler): void {
    this.inner.start({
      onBytes: (bytes) => {
        const { frames, rest } = parseFrames(Buffer.concat([this.#incoming, bytes]));
        this.#incoming = rest;
        for (const one of frames) {
          const passed = this.#pass(one, this.#options.onIncoming?.(one));
          if (passed === undefined) return;
          if (one.name === "DATA") this.bytesIn += one.payload.length;
          handler.onBytes(passed);
        }
      },
      onDrain: () => handler.onDrain(),
      onPeerEnd: () => handler.onPeerEnd?.(),
      onClosed: (error) => handler.onClosed(error),
    });
  }

  override write(bytes: Uint8Array): boolean {
    const { frames, rest } = parseFrames(Buffer.concat([this.#outgoing, bytes]));
    this.#outgoing = Buffer.from(rest);
    let isFree = true;
    for (const one of frames) {
      const passed = this.#pass(one, this.#options.onOutgoing?.(one));
      if (passed === undefined) return true;
      if (one.name === "DATA") this.bytesOut += one.payload.length;
      isFree = this.inner.write(passed);
    }
    return isFree;
  }

  /** The frame to pass on; undefined when the link is cut. */
  #pass(one: RawFrame, meddling: Meddling): Buffer | undefined {
    if (this.#isCut) return undefined;
    if (meddling === "cut") {
      this.#isCut = true;
      this.inner.abort();
      return undefined;
    }
    const code = one.name.startsWith("0x") ? Number(one.name) : (one.name as Parameters<typeof frame>[0]);
    return frame(code, meddling ?? one.payload, one.stream, one.flags);
  }
}

/** `payload` with its last byte changed: of a large DATA frame that is a byte of a block. */
export function damaged(payload: Buffer): Buffer {
  const bad = Buffer.from(payload);
  bad[bad.length - 1] = (bad[bad.length - 1] as number) ^ 0x10;
  return bad;
}
