import { type PeerAddress, type Transport, type TransportHandler, UNKNOWN_ADDRESS } from "../session/transport.ts";

/**
 * Two transports linked in memory, for the operator's own terminal and for tests. Written bytes arrive in a later
 * microtask; `capacity` bytes may be under way in each direction before write() returns false. `addresses`: the address
 * of each end, as the other one sees it; unknown when absent.
 */
export function memoryPair(
  names: { a: string; b: string } = { a: "memory:a", b: "memory:b" },
  capacity = 1024 * 1024,
  addresses: { a?: PeerAddress; b?: PeerAddress } = {},
): [Transport, Transport] {
  const a = new MemoryTransport(names.b, capacity, addresses.b);
  const b = new MemoryTransport(names.a, capacity, addresses.a);
  a.link(b);
  b.link(a);
  return [a, b];
}

class MemoryTransport implements Transport {
  readonly peer: string;
  readonly peerAddress: PeerAddress;
  readonly canSendFiles = false;
  readonly channelBinding = undefined;
  readonly #capacity: number;
  #other: MemoryTransport | undefined;
  #handler: TransportHandler | undefined;
  /** Bytes that arrived and were not delivered yet. */
  #inbox: Uint8Array[] = [];
  #inboxBytes = 0;
  #otherBlocked = false;
  #otherEnded = false;
  #paused = false;
  #closing = false;
  #closed = false;
  #scheduled = false;

  constructor(peer: string, capacity: number, address: PeerAddress = UNKNOWN_ADDRESS) {
    this.peer = peer;
    this.peerAddress = address;
    this.#capacity = capacity;
  }

  link(other: MemoryTransport): void {
    this.#other = other;
  }

  start(handler: TransportHandler): void {
    this.#handler = handler;
    this.#schedule();
  }

  write(bytes: Uint8Array): boolean {
    if (this.#closing || this.#closed || this.#other === undefined) return true;
    return this.#other.receive(new Uint8Array(bytes));
  }

  sendFile(): boolean {
    throw new Error("There is no system between two ends in memory.");
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#schedule();
  }

  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#paused = false;
    this.#other?.receiveEnd();
    this.#schedule();
  }

  abort(): void {
    this.#closing = true;
    this.#inbox = [];
    this.#otherEnded = true;
    this.#other?.receiveEnd();
    this.#schedule();
  }

  /** Called by the other end. */
  receive(bytes: Uint8Array): boolean {
    if (this.#closed) return true;
    this.#inbox.push(bytes);
    this.#inboxBytes += bytes.length;
    this.#schedule();
    this.#otherBlocked = this.#inboxBytes > this.#capacity;
    return !this.#otherBlocked;
  }

  /** Called by the other end. */
  receiveEnd(): void {
    this.#otherEnded = true;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#handler === undefined) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    while (!this.#paused || this.#closing || this.#otherEnded) {
      const bytes = this.#inbox.shift();
      if (bytes === undefined) break;
      this.#inboxBytes -= bytes.length;
      if (!this.#closing) this.#handler?.onBytes(bytes);
    }
    if (this.#otherBlocked && this.#inboxBytes <= this.#capacity) {
      this.#otherBlocked = false;
      this.#other?.drained();
    }
    if (this.#otherEnded && this.#inbox.length === 0) this.#finish();
  }

  /** Called by the other end. */
  drained(): void {
    if (!this.#closing) this.#handler?.onDrain();
  }

  #finish(): void {
    if (this.#closed) return;
    this.close();
    this.#closed = true;
    this.#handler?.onClosed(undefined);
  }
}
