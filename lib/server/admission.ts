import { type CommError, type ErrorCode, ProtocolError, type TransportError, toCommError } from "../errors.ts";
import { PROTOCOL_VERSION } from "../protocol/constants.ts";
import type { Header } from "../protocol/header.ts";
import { decodeJson, encodeJson } from "../protocol/json.ts";
import { Auth, encodeReason, Hello, type Role } from "../protocol/messages.ts";
import { Opcode } from "../protocol/opcode.ts";
import type { Backlogs } from "../session/backlogs.ts";
import type { Clock } from "../session/clock.ts";
import { Link } from "../session/link.ts";
import type { LinkHandler } from "../session/link-handler.ts";
import type { PeerAddress, Transport } from "../session/transport.ts";
import type { Access } from "./access/access.ts";
import { AccessError, type Account } from "./access/account.ts";
import type { ProofUnderWay } from "./access/proof-under-way.ts";
import type { Bandwidth } from "./bandwidth.ts";
import { type Candidate, CROWDED, FULL, type Seats } from "./seats.ts";

/** The server's part that admissions use: one object for all of them. */
export interface AdmissionHost {
  readonly clock: Clock;
  readonly seats: Seats;
  readonly access: Access;
  readonly bandwidth: Bandwidth;
  /** All links take turns. */
  readonly backlogs: Backlogs;
  readonly heartbeatMs: number;
  /** How long a peer may take to authenticate, the TLS handshake included. */
  readonly handshakeMs: number;
  /** Why no new client is admitted now; undefined while they are. */
  closedFor(): { code: ErrorCode; message: string } | undefined;
  /** The peer has made progress in its handshake. */
  onStep(admission: Admission): void;
  /** The peer has authenticated: it is admitted, or waits for a seat. */
  onKnown(admission: Admission): void;
  /** The peer is admitted: welcome it and make its session. */
  onAdmitted(admission: Admission, hello: Hello): void;
  /** The peer wants to resume: welcome it in its old session, if possible. */
  onReturning(admission: Admission, token: string): boolean;
  onWaiting(admission: Admission, position: number): void;
  /**
   * The peer was refused, or has left, for this reason, worded for the log. Called once, unless the peer was admitted.
   */
  onRefused(admission: Admission, code: ErrorCode, message: string): void;
  /** The peer's link is gone. */
  onGone(link: Link): void;
}

/**
 * The server's side of the handshake, from the first byte until a peer is admitted or gone. It accepts only HELLO and
 * AUTH. Source: PROTOCOL.md, "Handshake".
 */
export class Admission implements LinkHandler, Candidate {
  readonly link: Link;
  readonly address: PeerAddress;
  readonly #trusted: Role | undefined;
  readonly #host: AdmissionHost;
  #cancelTimeout: (() => void) | undefined;
  #hello: Hello | undefined;
  /** The proof under way. */
  #proof: ProofUnderWay | undefined;
  #account: Account | undefined;
  #settled = false;

  /** `trusted`: the role of a peer that need not prove anything, such as one on the socket in the state folder. */
  constructor(transport: Transport, trusted: Role | undefined, host: AdmissionHost) {
    this.#host = host;
    this.#trusted = trusted;
    this.address = transport.peerAddress;
    this.link = new Link(transport, {
      clock: host.clock,
      handler: this,
      heartbeatMs: host.heartbeatMs,
      onGone: host.onGone,
      countsAccepts: true,
      backlogs: host.backlogs,
      rateLimit: { out: host.bandwidth.limit("out"), in: host.bandwidth.limit("in") },
    });
    this.#cancelTimeout = host.clock.after(host.handshakeMs, () =>
      this.refuse("HANDSHAKE_TIMEOUT", `The handshake was not complete within ${host.handshakeMs / 1000} s.`),
    );
  }

  /** Begin to read from the peer. */
  start(): void {
    this.link.start();
  }

  /** True while it waits for a seat. */
  get isWaiting(): boolean {
    return this.#account !== undefined && !this.#settled;
  }

  /** The peer's proven account. Only when it was admitted, or waits. */
  get account(): Account {
    return this.#account as Account;
  }

  get group(): string {
    return this.address.group;
  }

  /** Each token has its own limit: neither strangers at the same address nor other tokens keep out its clients. */
  get party(): string {
    const { token } = this.account;
    return token === undefined ? this.group : `${this.group} ${token}`;
  }

  /** Refuse the peer with the reason; `detail` is for the log. No effect when it is admitted or gone. */
  refuse(code: ErrorCode, message: string, detail = message): void {
    if (!this.#settle()) return;
    const versions = { min: PROTOCOL_VERSION, max: PROTOCOL_VERSION };
    const members = code === "UNSUPPORTED_VERSION" ? { versions } : {};
    this.link.send(Opcode.REFUSE, 0, encodeReason(code, message, members));
    this.link.close();
    this.#host.onRefused(this, code, detail);
  }

  onFrame(header: Header, payload: Uint8Array): void {
    if (this.#proof !== undefined && header.opcode === Opcode.AUTH) {
      return this.#onProof(this.#proof, decodeJson(Auth, payload, "AUTH").message);
    }
    if (this.#hello !== undefined) {
      if (header.opcode === Opcode.GOAWAY && this.isWaiting) return this.#leave("The client left the queue.");
      throw new ProtocolError("UNEXPECTED_FRAME", "A frame comes before WELCOME.");
    }
    if (header.opcode !== Opcode.HELLO) throw new ProtocolError("UNEXPECTED_FRAME", "The first frame is not HELLO.");
    this.#onHello(decodeJson(Hello, payload, "HELLO"));
  }

  onData(): void {
    throw new ProtocolError("UNEXPECTED_FRAME", "DATA comes before WELCOME.");
  }

  /**
   * "MUST send one last frame with the code: a server before WELCOME sends REFUSE, any other side GOAWAY;" and
   * "MUST then stop decoding, half-close, throw away what still comes, and close after 2 seconds at most."
   * (PROTOCOL.md, "Violations")
   */
  onFault(error: CommError): void {
    this.refuse(error.code, error.message);
  }

  onClosed(error: TransportError | undefined): void {
    this.#leave(error?.message ?? "The client left before it was admitted.", error?.code);
  }

  onSeated(): void {
    const hello = this.settle();
    if (hello !== undefined) this.#host.onAdmitted(this, hello);
  }

  /** Decide to admit the peer. @returns its HELLO; undefined after another decision */
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

  onDisplaced(): void {
    this.refuse(
      "SERVER_FULL",
      FULL,
      "Another address took its place in the queue: its own address has the most places.",
    );
  }

  #onHello(hello: Hello): void {
    this.#hello = hello;
    const { min, max } = hello.versions;
    if (min > PROTOCOL_VERSION || max < PROTOCOL_VERSION) {
      const theirs = min === max ? `${min}` : `${min} to ${max}`;
      return this.refuse(
        "UNSUPPORTED_VERSION",
        `The client speaks version ${theirs}, this server ${PROTOCOL_VERSION}.`,
      );
    }
    try {
      if (hello.auth !== undefined) {
        this.#proof = this.#host.access.begin(hello.auth, this.address, this.link.channelBinding);
        this.link.send(Opcode.AUTH, 0, encodeJson({ message: this.#proof.challenge }));
        this.#host.onStep(this);
      } else if (this.#trusted !== undefined) this.#onKnown({ role: this.#trusted, token: undefined }, hello);
      else this.#onKnown(this.#host.access.withoutToken(), hello);
    } catch (thrown) {
      this.#deny(thrown);
    }
  }

  #onProof(proof: ProofUnderWay, message: string): void {
    this.#proof = undefined;
    try {
      const { account, answer } = proof.finish(message);
      this.link.send(Opcode.AUTH, 0, encodeJson({ message: answer }));
      // The way that it came gives a trusted peer its role, and the token only a name.
      const known = this.#trusted === undefined ? account : { role: this.#trusted, token: account.token };
      this.#onKnown(known, this.#hello as Hello);
    } catch (thrown) {
      this.#deny(thrown);
    }
  }

  #deny(thrown: unknown): void {
    const { code, message } = toCommError(thrown);
    this.refuse(code, message, thrown instanceof AccessError ? thrown.detail : message);
  }

  /** The peer has authenticated, and now asks for a seat. Operators need none. */
  #onKnown(account: Account, hello: Hello): void {
    this.#account = account;
    this.#endTimeout();
    this.#host.onKnown(this);
    if (account.role === "operator") return this.onSeated();
    if (hello.resume && this.#host.onReturning(this, hello.resume)) return;
    const spent = this.#host.access.spentFaultOf(account);
    if (spent !== undefined) return this.refuse("ACCESS_DENIED", spent);
    const closed = this.#host.closedFor();
    if (closed !== undefined) return this.refuse(closed.code, closed.message);
    this.link.startHeartbeat();
    const outcome = this.#host.seats.request(this, hello.wait);
    if (outcome === "full") this.refuse("SERVER_FULL", FULL);
    else if (outcome === "crowded") this.refuse("TOO_MANY_SESSIONS", CROWDED);
  }

  #leave(message: string, code: ErrorCode = "LOST"): void {
    if (!this.#settle()) return;
    this.link.close();
    this.#host.onRefused(this, code, message);
  }

  /** Drop the reference, too: a cancelled timer takes memory as long as it is referenced, here for a whole session. */
  #endTimeout(): void {
    this.#cancelTimeout?.();
    this.#cancelTimeout = undefined;
  }

  /** True for the first decision. */
  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.#endTimeout();
    return true;
  }
}
