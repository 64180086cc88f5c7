import type { Transport, TransportHandler } from "../session/transport.ts";
import { WrappedTransport } from "../session/wrapped-transport.ts";

/** A transport that knows which protocol its TLS handshake agreed on. */
export interface NegotiatedTransport extends Transport {
  /** The name of ALPN (RFC 7301); "" for a handshake without one, undefined without TLS, or before its end. */
  readonly applicationProtocol: string | undefined;
}

export interface ForkOptions {
  /** Gets each connection at once: a silent one counts among the handshakes, and is cut off like them. */
  toSessions(transport: Transport): void;
  /** Gets connections that turn out to speak HTTP; for toSessions, they have then ended without a byte. */
  toHttp(transport: Transport): void;
}

const SESSIONS = "commserver/1";

/**
 * Two protocols on one port. With TLS, only ALPN decides: a peer that then speaks another protocol violates the one
 * that it named. Without TLS the first byte decides: a letter is HTTP, anything else is CommServer's protocol or
 * nonsense. HTTP programs keep spare connections, which are silent: one that may still be HTTP is closed without a
 * frame.
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
    const mayWrite = () => this.#isDecided || transport.applicationProtocol === SESSIONS;
    const start = (handler: TransportHandler) => {
      this.#target = handler;
      transport.start(this);
    };
    this.near = new Branch(transport, start, mayWrite);
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

/** One protocol's view of the transport. */
class Branch extends WrappedTransport {
  readonly #onStart: (handler: TransportHandler) => void;
  readonly #mayWrite: () => boolean;
  #isGone = false;

  constructor(transport: Transport, onStart: (handler: TransportHandler) => void, mayWrite = () => true) {
    super(transport);
    this.#onStart = onStart;
    this.#mayWrite = mayWrite;
  }

  /** From now on, calls here no longer reach the transport. */
  letGo(): void {
    this.#isGone = true;
  }

  override start(handler: TransportHandler): void {
    this.#onStart(handler);
  }

  override write(bytes: Uint8Array): boolean {
    return this.#isGone || !this.#mayWrite() || super.write(bytes);
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
