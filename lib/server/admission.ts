import { type CommError, ProtocolError, type TransportError } from "../errors.ts";
import { PROTOCOL_VERSION } from "../protocol/constants.ts";
import type { Header } from "../protocol/header.ts";
import { decodeJson, encodeJson } from "../protocol/json.ts";
import { encodeReason, Hello, type ReasonCode, type Role } from "../protocol/messages.ts";
import { Opcode } from "../protocol/opcode.ts";
import type { Clock } from "../session/clock.ts";
import { Link, type LinkHandler } from "../session/link.ts";
import type { Transport } from "../session/transport.ts";
import type { Candidate, Seats } from "./seats.ts";

/** The original's words. */
const FULL = "Server is full. Please try again later.";

export interface AdmissionOptions {
  readonly transport: Transport;
  /** Given by the way the peer came in: operators come by the socket in the state folder. */
  readonly role: Role;
  readonly clock: Clock;
  readonly seats: Seats;
  readonly heartbeatMs: number;
  /** How long a peer may take for its HELLO. */
  readonly handshakeMs: number;
  /** Why nobody new is admitted now, if so. */
  closedFor(): { code: ReasonCode; message: string } | undefined;
  /** The peer is in: welcome it and make its session. */
  onAdmitted(admission: Admission, hello: Hello): void;
  onWaiting(admission: Admission, position: number): void;
  /** It is out, or left by itself; called once unless admitted. */
  onRefused(admission: Admission, code: ReasonCode, message: string): void;
}

/**
 * The server's side of the handshake, from the first byte until a peer is admitted or gone. Nothing but
 * HELLO is understood here. Source: PROTOCOL.md, "Handshake".
 */
export class Admission implements LinkHandler, Candidate {
  readonly link: Link;
  readonly role: Role;
  readonly #options: AdmissionOptions;
  readonly #cancelTimeout: () => void;
  #hello: Hello | undefined;
  #settled = false;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.role = options.role;
    this.link = new Link(options.transport, {
      clock: options.clock,
      handler: this,
      heartbeatMs: options.heartbeatMs,
    });
    this.#cancelTimeout = options.clock.after(options.handshakeMs, () =>
      this.refuse("HANDSHAKE_TIMEOUT", `No complete HELLO came within ${options.handshakeMs / 1000} s.`),
    );
  }

  /** Begin to listen to the peer. */
  start(): void {
    this.link.start();
  }

  /** True between HELLO and the decision. */
  get isWaiting(): boolean {
    return this.#hello !== undefined && !this.#settled;
  }

  /** Turn the peer away with the reason. No effect when it is admitted or gone. */
  refuse(code: ReasonCode, message: string): void {
    if (!this.#settle()) return;
    const versions = { min: PROTOCOL_VERSION, max: PROTOCOL_VERSION };
    const members = code === "UNSUPPORTED_VERSION" ? { versions } : {};
    this.link.send(Opcode.REFUSE, 0, encodeReason(code, message, members));
    this.link.close();
    this.#options.onRefused(this, code, message);
  }

  onFrame(header: Header, payload: Uint8Array): void {
    if (this.#hello !== undefined) {
      if (header.opcode === Opcode.GOAWAY) return this.#leave("The client left the queue.");
      throw new ProtocolError("UNEXPECTED_FRAME", "A frame comes before WELCOME.");
    }
    if (header.opcode !== Opcode.HELLO) throw new ProtocolError("UNEXPECTED_FRAME", "The first frame is not HELLO.");
    this.#onHello(decodeJson(Hello, payload, "HELLO"));
  }

  onData(): void {
    throw new ProtocolError("UNEXPECTED_FRAME", "DATA comes before WELCOME.");
  }

  onFault(error: CommError): void {
    this.refuse(error.code, error.message);
  }

  onClosed(error: TransportError | undefined): void {
    this.#leave(error?.message ?? "The client left before it was admitted.");
  }

  onSeated(): void {
    if (this.#settle()) this.#options.onAdmitted(this, this.#hello as Hello);
  }

  onPosition(position: number): void {
    this.link.send(Opcode.QUEUED, 0, encodeJson({ position }));
    this.#options.onWaiting(this, position);
  }

  #onHello(hello: Hello): void {
    this.#hello = hello;
    this.#cancelTimeout();
    const { min, max } = hello.versions;
    if (min > PROTOCOL_VERSION || max < PROTOCOL_VERSION) {
      const theirs = min === max ? `${min}` : `${min} to ${max}`;
      return this.refuse(
        "UNSUPPORTED_VERSION",
        `The client speaks version ${theirs}, this server ${PROTOCOL_VERSION}.`,
      );
    }
    if (this.role === "operator") return this.onSeated();
    const closed = this.#options.closedFor();
    if (closed !== undefined) return this.refuse(closed.code, closed.message);
    this.link.startHeartbeat();
    if (this.#options.seats.request(this, hello.wait) === "full") this.refuse("SERVER_FULL", FULL);
  }

  #leave(message: string): void {
    if (!this.#settle()) return;
    this.link.close();
    this.#options.onRefused(this, "LOST", message);
  }

  /** True for the first who decides. */
  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.#cancelTimeout();
    return true;
  }
}
