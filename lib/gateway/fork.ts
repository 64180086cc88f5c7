import type { Transport, TransportHandler } from "../session/transport.ts";
import { WrappedTransport } from "../session/wrapped-transport.ts";

/** A transport that knows what its TLS handshake has agreed on. */
export interface NegotiatedTransport extends Transport {
  /** The name of ALPN (RFC 7301); "" for a handshake without one, undefined without TLS, or before its end. */
  readonly applicationProtocol: string | undefined;
}

export interface ForkOptions {
  /** Takes each connection at once: who says nothing counts among the handshakes, and is cut off with them. */
  toSessions(transport: Transport): void;
  /** Takes those that turn out to speak HTTP; to the other side they have ended without a byte. */
  toHttp(transport: Transport): void;
}

const SESSIONS = "commserver/1";

/**
 * Two protocols at one port. ALPN decides where there is TLS, and only it: what speaks another protocol than it has named
 * is a fault of that protocol. Else the first byte does: a letter is HTTP, all else is CommServer's, or nonsense.
 */
export function fork(transport: NegotiatedTransport, { toSessions, toHttp }: ForkOptions): void {
  const split = new Split(transport, toHttp);
  toSessions(split.near);
}

class Split implements TransportHandler {
  readonly #transport: NegotiatedTransport;
  readonly #toHttp: (transport: Transport) => void;
  readonly near: Branch;
  #target: TransportHandler | undefined;
  #isDecided = false;

  constructor(transport: NegotiatedTransport, toHttp: (transport: Transport) => void) {
    this.#transport = transport;
    this.#toHttp = toHttp;
    this.near = new Branch(transport, (handler) => {
      this.#target = handler;
      transport.start(this);
    });
  }

  onBytes(bytes: Uint8Array): void {
    if (!this.#isDecided) {
      this.#isDecided = true;
      if (isHttp(this.#transport.applicationProtocol, bytes[0])) this.#handOver();
    }
    this.#target?.onBytes(bytes);
  }

  onDrain(): void {
    this.#target?.onDrain();
  }

  onPeerEnd(): void {
    this.#target?.onPeerEnd?.();
  }

  onClosed(error: Error | undefined): void {
    this.#target?.onClosed(error);
  }

  #handOver(): void {
    const before = this.#target;
    this.near.letGo();
    before?.onClosed(undefined);
    this.#toHttp(
      new Branch(this.#transport, (handler) => {
        this.#target = handler;
      }),
    );
  }
}

/** One side's hold on the transport. */
class Branch extends WrappedTransport {
  readonly #onStart: (handler: TransportHandler) => void;
  #isGone = false;

  constructor(transport: Transport, onStart: (handler: TransportHandler) => void) {
    super(transport);
    this.#onStart = onStart;
  }

  /** Nothing that it is told from now on reaches the transport. */
  letGo(): void {
    this.#isGone = true;
  }

  override start(handler: TransportHandler): void {
    this.#onStart(handler);
  }

  override write(bytes: Uint8Array): boolean {
    return this.#isGone || super.write(bytes);
  }

  override pause(isBrief?: boolean): void {
    if (!this.#isGone) super.pause(isBrief);
  }

  override resume(): void {
    if (!this.#isGone) super.resume();
  }

  override close(lingerMs?: number): void {
    if (!this.#isGone) super.close(lingerMs);
  }

  override abort(): void {
    if (!this.#isGone) super.abort();
  }
}

function isHttp(applicationProtocol: string | undefined, first: number | undefined): boolean {
  if (applicationProtocol !== undefined) return applicationProtocol !== SESSIONS;
  return first !== undefined && /[A-Za-z]/.test(String.fromCharCode(first));
}
