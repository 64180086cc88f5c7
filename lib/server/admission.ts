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

/** What admissions need of their server: one object for all of them. */
export interface AdmissionHost {
  readonly clock: Clock;
  readonly seats: Seats;
  readonly heartbeatMs: number;
  /** How long a peer may take for its HELLO. */
  readonly handshakeMs: number;
  /** Why nobody new is admitted now, if so. */
  closedFor(): { code: ReasonCode; message: string } | undefined;
  /** The peer is in: welcome it and make its session. */
  onAdmitted(admission: Admission, hello: Hello): void;
  /** The peer says that it comes back: if so, welcome it in the place that was kept for it. */
  onReturning(admission: Admission, token: string): boolean;
  onWaiting(admission: Admission, position: number): void;
  /** It is out, or left by itself; called once unless admitted. */
  onRefused(admission: Admission, code: ReasonCode, message: string): void;
  /** Nothing of the peer's link is left. */
  onGone(link: Link): void;
}

/**
 * The server's side of the handshake, from the first byte until a peer is admitted or gone. Nothing but
 * HELLO is understood here. Source: PROTOCOL.md, "Handshake".
 */
export class Admission implements LinkHandler, Candidate {
  readonly link: Link;
  readonly role: Role;
  readonly #host: AdmissionHost;
  #cancelTimeout: (() => void) | undefined;
  #hello: Hello | undefined;
  #settled = false;

  /** `role` is given by the way the peer came in: operators come by the socket in the state folder. */
  constructor(transport: Transport, role: Role, host: AdmissionHost) {
    this.#host = host;
    this.role = role;
    this.link = new Link(transport, {
      clock: host.clock,
      handler: this,
      heartbeatMs: host.heartbeatMs,
      onGone: host.onGone,
    });
    this.#cancelTimeout = host.clock.after(host.handshakeMs, () =>
      this.refuse("HANDSHAKE_TIMEOUT", `No complete HELLO came within ${host.handshakeMs / 1000} s.`),
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
    this.#host.onRefused(this, code, message);
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
    const hello = this.settle();
    if (hello !== undefined) this.#host.onAdmitted(this, hello);
  }

  /** The decision is to let it in. @returns what it said, undefined when the decision was another already */
  settle(): Hello | undefined {
    if (!this.#settle()) return undefined;
    const hello = this.#hello;
    this.#hello = undefined;
    return hello;
  }

  onPosition(position: number): void {
    this.link.send(Opcode.QUEUED, 0, encodeJson({ position }));
    this.#host.onWaiting(this, position);
  }

  #onHello(hello: Hello): void {
    this.#hello = hello;
    this.#endTimeout();
    const { min, max } = hello.versions;
    if (min > PROTOCOL_VERSION || max < PROTOCOL_VERSION) {
      const theirs = min === max ? `${min}` : `${min} to ${max}`;
      return this.refuse(
        "UNSUPPORTED_VERSION",
        `The client speaks version ${theirs}, this server ${PROTOCOL_VERSION}.`,
      );
    }
    if (this.role === "operator") return this.onSeated();
    if (hello.resume && this.#host.onReturning(this, hello.resume)) return;
    const closed = this.#host.closedFor();
    if (closed !== undefined) return this.refuse(closed.code, closed.message);
    this.link.startHeartbeat();
    if (this.#host.seats.request(this, hello.wait) === "full") this.refuse("SERVER_FULL", FULL);
  }

  #leave(message: string): void {
    if (!this.#settle()) return;
    this.link.close();
    this.#host.onRefused(this, "LOST", message);
  }

  /** Also let go of it: a cancelled timer takes memory as long as somebody holds it, here a whole session. */
  #endTimeout(): void {
    this.#cancelTimeout?.();
    this.#cancelTimeout = undefined;
  }

  /** True for the first who decides. */
  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.#endTimeout();
    return true;
  }
}
