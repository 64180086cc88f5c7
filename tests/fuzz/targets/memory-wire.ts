import type { Transport } from "../../../lib/session/transport.ts";
import type { Wire } from "../wire.ts";

/** The fuzzer's end of a linked pair in memory. */
export class MemoryWire implements Wire {
  readonly #transport: Transport;
  closed = false;

  constructor(transport: Transport, onBytes: (bytes: Uint8Array) => void) {
    this.#transport = transport;
    transport.start({
      onBytes,
      onDrain: () => {},
      onClosed: () => {
        this.closed = true;
      },
    });
  }

  get ended(): boolean {
    return this.closed;
  }

  send(bytes: Uint8Array): void {
    this.#transport.write(bytes);
  }

  pause(): void {
    this.#transport.pause();
  }

  resume(): void {
    this.#transport.resume();
  }

  halfClose(): void {
    this.#transport.close();
  }

  close(): void {
    this.#transport.close();
  }

  reset(): void {
    this.#transport.abort();
  }
}
