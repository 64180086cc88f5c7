import type { Socket } from "bun";
import { clientTls } from "../../../lib/transport/tls.ts";
import { frame, HELLO } from "../frames.ts";

export interface Target {
  readonly port: number;
  readonly tls: boolean;
}

/** Counts for the report. */
export const tally = { opened: 0, failed: 0, closed: 0 };

/** A connection that sends whatever it likes, and drops what arrives. */
export class AttackerPeer {
  #socket!: Socket<undefined>;
  #drained: (() => void) | undefined;
  #heard: (() => void) | undefined;
  isClosed = false;
  /** Opcode of the first frame of the last piece. */
  firstOpcode: number | undefined;

  /**
   * Connect from 127.0.0.`host`, which is another party than the honest ones. Undefined when the server accepts no
   * more.
   */
  static async connect({ port, tls }: Target, host = 2): Promise<AttackerPeer | undefined> {
    const peer = new AttackerPeer();
    const options = {
      hostname: "127.0.0.1",
      port,
      // Missing in Bun's types.
      localAddress: `127.0.0.${host}`,
      ...(tls && { tls: clientTls({ verify() {} }) }),
      socket: {
        data: (_: unknown, bytes: Buffer) => peer.#onData(bytes),
        drain: () => peer.#drained?.(),
        close: () => peer.#onClose(),
        error: () => peer.#onClose(),
        end: () => peer.#onClose(),
      },
    };
    try {
      peer.#socket = await Bun.connect(options);
      tally.opened++;
      return peer;
    } catch {
      tally.failed++;
      return undefined;
    }
  }

  /** As connect(), with a session. */
  static async admitted(target: Target, hello: object = {}): Promise<AttackerPeer> {
    const peer = await AttackerPeer.connect(target);
    if (peer === undefined) throw new Error("the server takes no connection");
    await peer.write(frame("HELLO", { ...HELLO, ...hello }));
    await peer.heard();
    if (peer.firstOpcode !== 0x02) throw new Error(`not admitted, but 0x${peer.firstOpcode?.toString(16)}`);
    return peer;
  }

  /** Resolves when the kernel has taken all bytes, or the connection is over. */
  async write(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    while (!this.isClosed) {
      const taken = this.#socket.write(rest);
      if (taken < 0 || taken >= rest.length) return;
      rest = rest.subarray(taken);
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
      });
    }
  }

  /** Resolves when something has arrived, or the connection is over. */
  async heard(): Promise<void> {
    if (this.firstOpcode !== undefined || this.isClosed) return;
    await new Promise<void>((resolve) => {
      this.#heard = resolve;
    });
  }

  pause(): void {
    this.#socket.pause();
  }

  abort(): void {
    this.#socket.terminate();
  }

  #onData(bytes: Buffer): void {
    this.firstOpcode ??= bytes[1];
    this.#heard?.();
  }

  #onClose(): void {
    if (!this.isClosed) tally.closed++;
    this.isClosed = true;
    this.#heard?.();
    this.#drained?.();
  }
}
