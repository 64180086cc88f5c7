import { CommError, ProtocolError, RemoteError, TransportError, toCommError } from "../errors.ts";
import { CAPABILITIES, PROTOCOL_VERSION, WORKING_CAPABILITY } from "../protocol/constants.ts";
import type { Header } from "../protocol/header.ts";
import { decodeJson, encodeJson } from "../protocol/json.ts";
import { Auth, type Hello, Queued, Refuse, reasonOfWire, Welcome } from "../protocol/messages.ts";
import { Opcode } from "../protocol/opcode.ts";
import type { Token } from "../protocol/token.ts";
import type { Clock } from "./clock.ts";
import { Link } from "./link.ts";
import type { LinkHandler } from "./link-handler.ts";
import type { Proof, Prover } from "./prover.ts";
import type { RateLimits } from "./rate-limit.ts";
import { ScramClient } from "./scram-client.ts";
import { Session } from "./session.ts";
import type { SessionHandler, StreamLimits } from "./session-options.ts";
import type { Transport } from "./transport.ts";

export interface ConnectOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  /** Name and version of this program, such as `commserver-client/1.2.0`. */
  readonly agent: string;
  /** The token to prove; the server must prove that it knows it, too. Absent: no proof. */
  readonly token?: Token | undefined;
  /** Another proof in place of a token's. */
  readonly prover?: Prover | undefined;
  /** True to be queued when no seat is free. */
  readonly wait: boolean;
  /** HELLO's `resume`. */
  readonly resume?: string;
  /** HELLO's `nick`. */
  readonly nick?: string | undefined;
  readonly limits: StreamLimits;
  readonly heartbeatMs: number;
  /** Absent: no limits. */
  readonly rateLimit?: RateLimits;
  /** How long the server may take for its first answer; waiting in the queue does not count. */
  readonly timeoutMs: number;
  readonly handler: SessionHandler;
  /** Called when this client waits, and whenever it moves up in the queue. */
  onQueued?(position: number): void;
  /** Ends the attempt. */
  readonly signal?: AbortSignal;
}

export interface Connected {
  readonly session: Session;
  readonly welcome: Welcome;
}

/**
 * The client's side of the handshake: HELLO, the proof of the token if there is one, then WELCOME, QUEUED or REFUSE.
 * Source: PROTOCOL.md, "Handshake".
 *
 * @throws RemoteError with the server's code when it refuses
 * @throws ProtocolError when the peer is not CommServer
 * @throws CommError WRONG_IDENTITY when the server does not know the token that it asks for
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
  /**
   * The state of the proof: requested, being made, or sent, with the check of the server's answer; undefined: none is
   * due.
   */
  #proof: { step: "asked" } | { step: "making" } | { step: "sent"; check: Proof["check"] } | undefined;
  readonly #prover: Prover | undefined;
  #queued = false;
  /** The last position in the queue. */
  #position = Number.POSITIVE_INFINITY;
  #hasFailed = false;
  readonly #onAbort = () => this.#fail(new CommError("INTERRUPTED", "Interrupted."));

  constructor(options: ConnectOptions) {
    this.#options = options;
    const { token, prover, transport } = options;
    this.#prover = prover ?? (token && new ScramClient(token, transport.channelBinding));
    if (this.#prover !== undefined) this.#proof = { step: "asked" };
    this.#link = new Link(options.transport, {
      clock: options.clock,
      handler: this,
      heartbeatMs: options.heartbeatMs,
      ...(options.rateLimit && { rateLimit: options.rateLimit }),
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
      case Opcode.AUTH:
        return this.#onAuth(decodeJson(Auth, payload, "AUTH").message);
      case Opcode.WELCOME:
        this.#checkProven();
        return this.#onWelcome(decodeJson(Welcome, payload, "WELCOME"));
      case Opcode.QUEUED:
        this.#checkProven();
        // "A QUEUED for a client that did not ask to wait is UNEXPECTED_FRAME." (PROTOCOL.md, "Queue")
        if (!this.#options.wait)
          throw new ProtocolError("UNEXPECTED_FRAME", "The server queues a client that did not ask for it.");
        this.#queued = true;
        this.#cancelTimeout();
        this.#link.startHeartbeat();
        return this.#onPosition(decodeJson(Queued, payload, "QUEUED").position);
      case Opcode.REFUSE: {
        const { code, message } = decodeJson(Refuse, payload, "REFUSE");
        return this.#fail(refusal(code, message));
      }
      default:
        throw new ProtocolError("UNEXPECTED_FRAME", "The server sends a frame of a session before WELCOME.");
    }
  }

  /** @throws ProtocolError UNEXPECTED_FRAME when the position does not fall: such frames could come for ever */
  #onPosition(position: number): void {
    // "The position MUST fall with each QUEUED: one that brings the client no further is UNEXPECTED_FRAME."
    // (PROTOCOL.md, "Queue")
    if (position >= this.#position) {
      throw new ProtocolError("UNEXPECTED_FRAME", `QUEUED at ${position} comes after ${this.#position}.`);
    }
    this.#position = position;
    this.#options.onQueued?.(position);
  }

  #onAuth(message: string): void {
    if (this.#proof?.step === "asked") {
      this.#proof = { step: "making" };
      this.#answer(message).catch((thrown) => this.#fail(toCommError(thrown)));
    } else if (this.#proof?.step === "sent") {
      this.#proof.check(message);
      this.#proof = undefined;
    } else {
      throw new ProtocolError("UNEXPECTED_FRAME", "The server continues a proof that is not under way.");
    }
  }

  async #answer(challenge: string): Promise<void> {
    const { message, check } = await (this.#prover as Prover).answer(challenge);
    if (this.#hasFailed) return;
    this.#proof = { step: "sent", check };
    this.#link.send(Opcode.AUTH, 0, encodeJson({ message }));
  }

  /** Accept nothing from a server that owes its proof. */
  #checkProven(): void {
    // "If the server's proof is missing or wrong at WELCOME or QUEUED, the client MUST NOT trust the server, and
    // MUST close." (PROTOCOL.md, "Proof")
    if (this.#proof !== undefined) {
      throw new CommError("WRONG_IDENTITY", "The server admits us without proving that it knows the token.");
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
    const { agent, wait, resume, nick, limits } = this.#options;
    return {
      versions: { min: PROTOCOL_VERSION, max: PROTOCOL_VERSION },
      agent,
      ...(this.#prover !== undefined && { auth: { mechanism: this.#prover.mechanism, message: this.#prover.first } }),
      capabilities: [...CAPABILITIES],
      wait,
      ...(resume !== undefined && { resume }),
      ...(nick !== undefined && { nick }),
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
    // Make the session at once: its frames may follow WELCOME in the same bytes.
    const session = new Session(this.#link, {
      side: "client",
      clock: this.#options.clock,
      remote: welcome,
      local: this.#options.limits,
      isWorkingTold: welcome.capabilities.includes(WORKING_CAPABILITY),
      handler: this.#options.handler,
    });
    this.#outcome.resolve({ session, welcome });
  }

  #fail(error: CommError): void {
    this.#hasFailed = true;
    this.#release();
    // A client in the queue says why it leaves; before that the protocol has no frame for it.
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
