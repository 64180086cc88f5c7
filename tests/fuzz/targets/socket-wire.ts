import type { Socket } from "bun";
import type { Wire } from "../wire.ts";

/** The fuzzer's end of a TCP connection. */
export class SocketWire implements Wire {
  closed = false;
  ended = false;
  #socket!: Socket<undefined>;
  #unsent: Buffer = Buffer.alloc(0);
  #isClosing = false;

  static async connect(port: number, onBytes: (bytes: Uint8Array) => void): Promise<SocketWire> {
    const wire = new SocketWire();
    wire.#socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      allowHalfOpen: true,
      socket: {
        data: (_, bytes) => onBytes(bytes),
        drain: () => wire.#flush(),
        end: () => {
          wire.ended = true;
        },
        close: () => {
          wire.closed = true;
        },
        error: () => {},
      },
    });
    return wire;
  }

  send(bytes: Uint8Array): void {
    if (this.#isClosing) return;
    this.#unsent = Buffer.concat([this.#unsent, bytes]);
    this.#flush();
  }

  pause(): void {
    if (!this.closed) this.#socket.pause();
  }

  resume(): void {
    if (!this.closed) this.#socket.resume();
  }

  halfClose(): void {
    this.#isClosing = true;
    if (!this.closed && this.#unsent.length === 0) this.#socket.shutdown();
  }

  close(): void {
    this.#isClosing = true;
    if (!this.closed) this.#socket.end();
  }

  reset(): void {
    this.#isClosing = true;
    this.#unsent = Buffer.alloc(0);
    if (!this.closed) this.#socket.terminate();
  }

  #flush(): void {
    if (this.#unsent.length === 0 || this.closed) return;
    const taken = this.#socket.write(this.#unsent);
    if (taken > 0) this.#unsent = this.#unsent.subarray(taken);
    if (this.#isClosing && this.#unsent.length === 0) this.#socket.shutdown();
  }
}
