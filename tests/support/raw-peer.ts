import type { Socket } from "bun";
import { frame, HELLO, parseFrames, type RawFrame } from "./frames.ts";
import { until } from "./until.ts";

/** A peer that sends whatever bytes a test wants over TCP, and collects the frames that come back. */
export class RawPeer implements AsyncDisposable {
  readonly frames: RawFrame[] = [];
  /** True when the other side has sent its last byte. */
  ended = false;
  closed = false;
  #socket!: Socket<undefined>;
  #rest: Buffer = Buffer.alloc(0);
  #unsent: Buffer = Buffer.alloc(0);
  #taken = 0;

  static async connect(port: number, hostname = "127.0.0.1"): Promise<RawPeer> {
    const peer = new RawPeer();
    peer.#socket = await Bun.connect({
      hostname,
      port,
      allowHalfOpen: true,
      socket: {
        data: (_, bytes) => peer.#onData(bytes),
        drain: () => peer.#flush(),
        end: () => {
          peer.ended = true;
        },
        close: () => {
          peer.closed = true;
        },
        error: () => {},
      },
    });
    return peer;
  }

  /** Connect and be admitted. */
  static async admitted(port: number, hello: object = {}): Promise<RawPeer> {
    const peer = await RawPeer.connect(port);
    peer.send(frame("HELLO", { ...HELLO, ...hello }));
    await peer.next("WELCOME");
    return peer;
  }

  send(...parts: Uint8Array[]): void {
    this.#unsent = Buffer.concat([this.#unsent, ...parts]);
    this.#flush();
  }

  /** Bytes given to send() that the kernel has not taken yet. */
  get unsentBytes(): number {
    return this.#unsent.length;
  }

  /** The next new frame of that name; frames before it are skipped. */
  next(name: RawFrame["name"]): Promise<RawFrame> {
    return until(() => {
      const index = this.frames.findIndex((candidate, at) => at >= this.#taken && candidate.name === name);
      if (index === -1) {
        if (this.closed) throw new Error(`closed while waiting for ${name}; got ${this.frames.map((f) => f.name)}`);
        return undefined;
      }
      this.#taken = index + 1;
      return this.frames[index];
    });
  }

  /** Stop reading, so that the pipe of the other side fills up. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** End the sending half, and keep reading. */
  halfClose(): void {
    this.#socket.shutdown();
  }

  /** Vanish without a word. */
  abort(): void {
    this.#socket.terminate();
  }

  untilClosed(): Promise<true> {
    return until(() => this.closed || this.ended);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.terminate();
    await until(() => this.closed);
  }

  #flush(): void {
    if (this.#unsent.length === 0 || this.closed) return;
    const taken = this.#socket.write(this.#unsent);
    if (taken > 0) this.#unsent = this.#unsent.subarray(taken);
  }

  #onData(bytes: Buffer): void {
    const { frames, rest } = parseFrames(Buffer.concat([this.#rest, bytes]));
    this.frames.push(...frames);
    this.#rest = rest;
  }
}
