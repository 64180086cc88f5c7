import type { Transport } from "../../lib/session/transport.ts";
import { settle } from "./fake-clock.ts";
import { type OpcodeName, parseFrames, type RawFrame } from "./frames.ts";

/** A peer over memory that sends whatever bytes a test wants, and collects the frames that come back. */
export class MemoryPeer {
  readonly frames: RawFrame[] = [];
  /** True when the other side has ended. */
  ended = false;
  readonly #transport: Transport;
  #rest: Buffer = Buffer.alloc(0);

  constructor(transport: Transport) {
    this.#transport = transport;
    transport.start({
      onBytes: (bytes) => {
        const { frames, rest } = parseFrames(Buffer.concat([this.#rest, bytes]));
        this.frames.push(...frames);
        this.#rest = rest;
      },
      onDrain: () => {},
      onClosed: () => {
        this.ended = true;
      },
    });
  }

  /** Send the parts as one piece, and let the other side process it. */
  async send(...parts: Uint8Array[]): Promise<void> {
    this.#transport.write(Buffer.concat(parts));
    await settle();
  }

  /** The names of the received frames, without PING and PONG. */
  get names(): string[] {
    return this.frames.map(({ name }) => name).filter((name) => name !== "PING" && name !== "PONG");
  }

  /** The last frame of that name. */
  last(name: OpcodeName): RawFrame | undefined {
    return this.frames.findLast((frame) => frame.name === name);
  }

  /** Stop reading. */
  pause(): void {
    this.#transport.pause();
  }

  resume(): void {
    this.#transport.resume();
  }

  async close(): Promise<void> {
    this.#transport.close();
    await settle();
  }
}
