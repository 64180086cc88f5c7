import { CommError, ProtocolError, RemoteError, TransportError } from "../errors.ts";
import { PROTOCOL_VERSION } from "../protocol/constants.ts";
import type { Header } from "../protocol/header.ts";
import { decodeJson, encodeJson } from "../protocol/json.ts";
import { type Hello, Queued, Refuse, reasonOfWire, Welcome } from "../protocol/messages.ts";
import { Opcode } from "../protocol/opcode.ts";
import type { Clock } from "./clock.ts";
import { Link, type LinkHandler } from "./link.ts";
import { Session, type SessionHandler, type StreamLimits } from "./session.ts";
import type { Transport } from "./transport.ts";

export interface ConnectOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  /** Name and version of this program, such as `commserver-client/1.2.0`. */
  readonly agent: string;
  /** True to be queued when no seat is free. */
  readonly wait: boolean;
  /** HELLO's `resume`. */
  readonly resume?: string;
  readonly limits: StreamLimits;
  readonly heartbeatMs: number;
  /** How long the server may take for its first answer; waiting in the queue does not count. */
  readonly timeoutMs: number;
  readonly handler: SessionHandler;
  /** Told when this client waits, and whenever it moves up. */
  onQueued?(position: number): void;
  /** Ends the attempt. */
  readonly signal?: AbortSignal;
}

export interface Connected {
  readonly session: Session;
  readonly welcome: Welcome;
}

/**
 * The client's side of the handshake: HELLO, then WELCOME, QUEUED or REFUSE.
 * Source: PROTOCOL.md, "Handshake".
 *
 * @throws RemoteError with the server's code when it refuses
 * @throws ProtocolError when it is no CommServer
 * @throws TransportError LOST, HANDSHAKE_TIMEOUT, HEARTBEAT_TIMEOUT
 * @throws CommError INTERRUPTED when `signal` aborts
 */
export function connectSession(options: ConnectOptions): Promise<Connected> {
  return new ClientHandshake(options).result;
}

class ClientHandshake implements LinkHandler {
  readonly #options: ConnectOptions;
  readonly #link: Link;
  readonly #outcome = Promise.withResolvers<Connected>();
  readonly #cancelTimeout: () => void;
  #queued = false;
  readonly #onAbort = () => this.#fail(new CommError("INTERRUPTED", "Interrupted."));

  constructor(options: ConnectOptions) {
    this.#options = options;
    this.#link = new Link(options.transport, {
      clock: options.clock,
      handler: this,
      heartbeatMs: options.heartbeatMs,
    });
    this.#cancelTimeout = options.clock.after(options.timeoutMs, () =>
      this.#fail(new TransportError("HANDSHAKE_TIMEOUT", "The server accepts the connection, but does not answer.")),
    );
    options.signal?.addEventListener("abort", this.#onAbort);
    this.#link.start();
    this.#link.send(Opcode.HELLO, 0, encodeJson(this.#hello()));
    if (options.signal?.aborted) this.#onAbort();
  }

  get result(): Promise<Connected> {
    return this.#outcome.promise;
  }

  onFrame(header: Header, payload: Uint8Array): void {
    switch (header.opcode) {
      case Opcode.WELCOME:
        return this.#onWelcome(decodeJson(Welcome, payload, "WELCOME"));
      case Opcode.QUEUED:
        if (!this.#options.wait)
          throw new ProtocolError("UNEXPECTED_FRAME", "The server queues who did not ask for it.");
        this.#queued = true;
        this.#cancelTimeout();
        this.#link.startHeartbeat();
        return this.#options.onQueued?.(decodeJson(Queued, payload, "QUEUED").position);
      case Opcode.REFUSE: {
        const { code, message } = decodeJson(Refuse, payload, "REFUSE");
        return this.#fail(refusal(code, message));
      }
      default:
        throw new ProtocolError("UNEXPECTED_FRAME", "The server sends a frame of a session before WELCOME.");
    }
  }

  onData(): void {
    throw new ProtocolError("UNEXPECTED_FRAME", "The server sends DATA before WELCOME.");
  }

  onFault(error: CommError): void {
    this.#fail(error);
  }

  onClosed(error: TransportError | undefined): void {
    this.#fail(error ?? new TransportError("LOST", "The server closed the connection without an answer."));
  }

  #hello(): Hello {
    const { agent, wait, resume, limits } = this.#options;
    return {
      versions: { min: PROTOCOL_VERSION, max: PROTOCOL_VERSION },
      agent,
      capabilities: [],
      wait,
      ...(resume !== undefined && { resume }),
      credit: limits.credit,
      maxStreams: limits.maxStreams,
    };
  }

  #onWelcome(welcome: Welcome): void {
    if (welcome.version !== PROTOCOL_VERSION) {
      throw new ProtocolError(
        "UNSUPPORTED_VERSION",
        `The server chose version ${welcome.version}, which was not offered.`,
      );
    }
    this.#release();
    // At once: frames of the session may stand behind WELCOME in the same bytes.
    const session = new Session(this.#link, {
      side: "client",
      clock: this.#options.clock,
      remote: welcome,
      local: this.#options.limits,
      handler: this.#options.handler,
    });
    this.#outcome.resolve({ session, welcome });
  }

  #fail(error: CommError): void {
    this.#release();
    // Who waits in the queue says why it leaves; before that the protocol has no word for it.
    if (this.#queued)
      this.#link.closeWith(Opcode.GOAWAY, error.code === "INTERRUPTED" ? "OK" : error.code, error.message);
    else this.#link.close();
    this.#outcome.reject(error);
  }

  #release(): void {
    this.#cancelTimeout();
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
  }
}

function refusal(wire: number, message: string): RemoteError {
  const code = reasonOfWire(wire);
  return new RemoteError(code === "OK" ? "UNAVAILABLE" : code, message);
}
