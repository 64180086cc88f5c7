import type { Socket, TCPSocketListener } from "bun";

interface Relay {
  readonly framesLeft: { count: number };
  upstream?: Socket<Relay>;
  downstream?: Socket<Relay>;
  /** What the server sent and was not passed on: less than a frame. */
  rest: Buffer;
  /** What came from the client before the server was reached. */
  early: Buffer[];
}

/** A link to a server that is cut, both ways and without a word, after a given number of the server's frames. */
export class CuttingProxy implements Disposable {
  readonly #port: number;
  readonly #listeners: TCPSocketListener<Relay>[] = [];
  cuts = 0;

  constructor(port: number) {
    this.#port = port;
  }

  /** A port of 127.0.0.1 for one connection. */
  cutAfter(frames: number): number {
    const listener = Bun.listen<Relay>({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        open: (socket) => {
          socket.data = { framesLeft: { count: frames }, downstream: socket, rest: Buffer.alloc(0), early: [] };
          void this.#reach(socket.data);
        },
        data: (socket, bytes) => {
          if (socket.data.upstream) socket.data.upstream.write(bytes);
          else socket.data.early.push(bytes);
        },
        close: (socket) => socket.data.upstream?.terminate(),
        error: () => {},
      },
    });
    this.#listeners.push(listener);
    return listener.port;
  }

  [Symbol.dispose](): void {
    for (const listener of this.#listeners) listener.stop(true);
  }

  async #reach(relay: Relay): Promise<void> {
    relay.upstream = await Bun.connect<Relay>({
      hostname: "127.0.0.1",
      port: this.#port,
      socket: {
        data: (_, bytes) => this.#pass(relay, bytes),
        close: () => void relay.downstream?.end(),
        error: () => {},
      },
    });
    for (const bytes of relay.early.splice(0)) relay.upstream.write(bytes);
  }

  /** Whole frames only, until the last one allowed has gone. */
  #pass(relay: Relay, bytes: Buffer): void {
    relay.rest = Buffer.concat([relay.rest, bytes]);
    while (relay.rest.length >= 16 && relay.framesLeft.count > 0) {
      const length = 16 + relay.rest.readUInt32BE(8);
      if (relay.rest.length < length) return;
      relay.downstream?.write(relay.rest.subarray(0, length));
      relay.rest = relay.rest.subarray(length);
      relay.framesLeft.count--;
    }
    if (relay.framesLeft.count > 0) return;
    this.cuts++;
    relay.downstream?.flush();
    relay.downstream?.end();
    relay.upstream?.terminate();
  }
}
