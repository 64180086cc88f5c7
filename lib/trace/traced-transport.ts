import type { FileBytes, Transport, TransportHandler } from "../session/transport.ts";
import { WrappedTransport } from "../session/wrapped-transport.ts";
import { frameLine } from "./frame-line.ts";
import { FrameTap } from "./frame-tap.ts";

/** Takes one line of a trace, without its line feed. */
export type WriteLine = (line: string) => void;

/**
 * A transport that traces every frame in both directions; `<` comes from the peer, `>` goes to it. It carries any
 * bytes, frames or not.
 */
export function traceTransport(transport: Transport, write: WriteLine): Transport {
  return new TracedTransport(transport, write);
}

class TracedTransport extends WrappedTransport {
  readonly #write: WriteLine;
  readonly #out: FrameTap;

  constructor(inner: Transport, write: WriteLine) {
    super(inner);
    this.#write = write;
    this.#out = this.#tap(">");
    write(`open ${inner.peer}`);
  }

  override start(handler: TransportHandler): void {
    const tap = this.#tap("<");
    this.inner.start({
      onBytes(bytes) {
        tap.push(bytes);
        handler.onBytes(bytes);
      },
      onDrain: () => handler.onDrain(),
      onPeerEnd: () => {
        this.#write("< end");
        handler.onPeerEnd?.();
      },
      onClosed: (error) => {
        this.#write(error === undefined ? "closed" : `closed: ${error.message}`);
        handler.onClosed(error);
      },
    });
  }

  override write(bytes: Uint8Array): boolean {
    this.#out.push(bytes);
    return this.inner.write(bytes);
  }

  override sendFile(bytes: FileBytes): boolean {
    this.#out.skip(bytes.length);
    return this.inner.sendFile(bytes);
  }

  #tap(direction: "<" | ">"): FrameTap {
    return new FrameTap({
      onFrame: (header, payload) => this.#write(`${direction} ${frameLine(header, payload)}`),
      onFault: (message) => this.#write(`${direction} no frame: ${message}`),
    });
  }
}
