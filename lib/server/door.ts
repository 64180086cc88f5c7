import type { ErrorCode } from "../errors.ts";
import type { Hello, Role } from "../protocol/messages.ts";
import type { ServerEvent } from "../protocol/methods.ts";
import { Backlogs } from "../session/backlogs.ts";
import type { Clock } from "../session/clock.ts";
import type { Link } from "../session/link.ts";
import type { Transport } from "../session/transport.ts";
import type { Access } from "./access/access.ts";
import type { Account } from "./access/account.ts";
import { Admission, type AdmissionHost } from "./admission.ts";
import type { Bandwidth } from "./bandwidth.ts";
import { Handshakes } from "./handshakes.ts";
import { Refusals } from "./refusals.ts";
import type { Seats } from "./seats.ts";

const TOO_MANY = {
  all: "Too many clients connect at once. Please try again later.",
  address: "Too many clients connect from your address at once. Please try again later.",
};

export interface DoorOptions {
  readonly clock: Clock;
  readonly seats: Seats;
  readonly access: Access;
  readonly bandwidth: Bandwidth;
  readonly heartbeatMs: number;
  readonly handshakeMs: number;
  /** Connections that may be in their handshake at once, in total and from one address; the slowest one makes room. */
  readonly maxUnadmitted: number;
  readonly maxUnadmittedPerAddress: number;
  /** Connections in their handshake and lingering ones, together; the oldest lingering ones are cut off. */
  readonly maxPassing: number;
  /** As ServerOptions. */
  readonly collect?: () => void;
  emit(event: ServerEvent): void;
  /** As AdmissionHost. */
  closedFor(): { code: ErrorCode; message: string } | undefined;
  onAdmitted(admission: Admission, hello: Hello): void;
  /** As AdmissionHost. */
  onReturning(admission: Admission, token: string): boolean;
}

/** Admits peers: holds every link until it is gone, and decides which handshakes may continue. */
export class Door implements AdmissionHost {
  readonly #options: DoorOptions;
  readonly clock: Clock;
  readonly seats: Seats;
  readonly access: Access;
  readonly bandwidth: Bandwidth;
  readonly backlogs: Backlogs;
  readonly heartbeatMs: number;
  readonly handshakeMs: number;
  /** Peers between their first byte and their admission, those that wait for a seat included. */
  readonly #unadmitted = new Set<Admission>();
  /** The peers that have not authenticated yet. */
  readonly #handshakes: Handshakes<Admission>;
  /** Links whose transports are not gone yet. */
  readonly #links = new Set<Link>();
  /** Links that linger until their last frames are sent, in the order in which they ended. */
  readonly #lingering = new Set<Link>();
  readonly #refusals: Refusals;

  /** One function, shared by all links. */
  readonly onGone = (link: Link): void => {
    this.#links.delete(link);
    this.#lingering.delete(link);
  };

  constructor(options: DoorOptions) {
    this.#options = options;
    this.clock = options.clock;
    this.seats = options.seats;
    this.access = options.access;
    this.bandwidth = options.bandwidth;
    this.backlogs = new Backlogs(options.clock, options.collect);
    this.heartbeatMs = options.heartbeatMs;
    this.handshakeMs = options.handshakeMs;
    const { maxUnadmitted: max, maxUnadmittedPerAddress: maxPerGroup } = options;
    this.#handshakes = new Handshakes({ max, maxPerGroup });
    this.#refusals = new Refusals(options.clock, options.emit);
  }

  /** Accept a new peer. `trusted`: its role, if the way it connected gives it one; absent: it must authenticate. */
  accept(transport: Transport, trusted?: Role): void {
    const isStranger = trusted !== "operator";
    const admission = new Admission(transport, trusted, this);
    if (isStranger) this.#makeRoom(admission.group);
    this.#unadmitted.add(admission);
    this.#links.add(admission.link);
    if (isStranger) this.#handshakes.add(admission);
    this.#cutOff();
    admission.start();
  }

  /** Refuse all peers without a session, or only those that wait for a seat. */
  refuse(code: ErrorCode, message: string, { onlyWaiting }: { onlyWaiting: boolean }): void {
    for (const admission of [...this.#unadmitted]) {
      if (admission.isWaiting || !onlyWaiting) admission.refuse(code, message);
    }
  }

  /** Refuse waiting clients that may no longer wait. `faultOf` gives the reason. */
  expel(faultOf: (account: Account) => string | undefined): void {
    for (const admission of [...this.#unadmitted]) {
      const fault = admission.isWaiting ? faultOf(admission.account) : undefined;
      if (fault !== undefined) admission.refuse("ACCESS_DENIED", fault);
    }
  }

  /** The session over this link has ended; the link may last a little longer. */
  noteEnded(link: Link): void {
    if (!this.#links.has(link)) return;
    this.#lingering.add(link);
    this.#cutOff();
  }

  /** Report the refusals that were only counted so far. */
  flush(): void {
    this.#refusals.flush();
  }

  /** Settles when every link is gone. */
  async closed(): Promise<void> {
    await Promise.all([...this.#links].map((link) => link.closed));
  }

  /** End every link at once. */
  abort(): void {
    for (const link of [...this.#links]) link.abort();
  }

  closedFor(): { code: ErrorCode; message: string } | undefined {
    return this.#options.closedFor();
  }

  onStep(admission: Admission): void {
    this.#handshakes.noteStep(admission);
  }

  onKnown(admission: Admission): void {
    this.#handshakes.remove(admission);
  }

  onAdmitted(admission: Admission, hello: Hello): void {
    this.#unadmitted.delete(admission);
    this.#options.onAdmitted(admission, hello);
  }

  onReturning(admission: Admission, token: string): boolean {
    const isBack = this.#options.onReturning(admission, token);
    if (isBack) this.#unadmitted.delete(admission);
    return isBack;
  }

  onWaiting({ link }: Admission, position: number): void {
    this.#options.emit({ event: "waiting", address: link.peer, position });
  }

  onRefused(admission: Admission, code: ErrorCode, message: string): void {
    const { link, group } = admission;
    this.#unadmitted.delete(admission);
    this.#handshakes.remove(admission);
    this.seats.release(admission);
    this.noteEnded(link);
    // A peer that leaves without a byte was scanning for open ports, or has connected over another address.
    if (code === "LOST" && link.bytesIn === 0) return;
    this.#refusals.note({ address: link.peer, group, code, message });
  }

  /** The link that has lingered longest makes room. */
  #cutOff(): void {
    for (const link of this.#lingering) {
      if (this.#lingering.size + this.#handshakes.size <= this.#options.maxPassing) return;
      this.#lingering.delete(link);
      link.abort();
    }
  }

  #makeRoom(group: string): void {
    const inTheWay = this.#handshakes.inTheWayOf(group);
    inTheWay?.peer.refuse("UNAVAILABLE", TOO_MANY[inTheWay.of]);
  }
}
