import type { Digest64 } from "../block.ts";
import { toCommError } from "../errors.ts";
import { PROTOCOL_VERSION } from "../protocol/constants.ts";
import { encodeJson } from "../protocol/json.ts";
import type { Hello, ReasonCode, Role, Welcome } from "../protocol/messages.ts";
import { Opcode } from "../protocol/opcode.ts";
import type { Clock } from "../session/clock.ts";
import type { Link } from "../session/link.ts";
import { Session, type SessionEnd, type StreamLimits } from "../session/session.ts";
import type { Transport } from "../session/transport.ts";
import type { Sha256, Storage } from "../storage/storage.ts";
import { Admission, type AdmissionHost } from "./admission.ts";
import { Away } from "./away.ts";
import { BlockDigestCache } from "./block-digests.ts";
import { cleanUnfinished } from "./cleaning.ts";
import { DigestCache } from "./digest-cache.ts";
import { EventFeed } from "./events.ts";
import type { Ledger } from "./ledger.ts";
import { endReason, Member } from "./member.ts";
import { MemberHandler, type MemberPort } from "./member-handler.ts";
import { Members } from "./members.ts";
import type { Host } from "./method.ts";
import { route } from "./router.ts";
import { Seats } from "./seats.ts";

/** How often the counters of live sessions go into the ledger. */
const CHECKPOINT_MS = 30_000;

/** How often stale unfinished files are looked for, beside the start. */
const CLEANING_MS = 24 * 3_600_000;

const CLOSED = "The server admits nobody at present.";
const STOPPING = "The server is shutting down.";

export interface ServerOptions {
  readonly agent: string;
  readonly clock: Clock;
  readonly storage: Storage;
  readonly ledger: Ledger;
  readonly maxClients: number;
  readonly maxWaiting: number;
  /** Connections that may be in their handshake at once; more are refused unheard. */
  readonly maxUnadmitted: number;
  readonly handshakeMs: number;
  readonly heartbeatMs: number;
  /** How long a client's name and seat are kept after its link was lost. */
  readonly graceMs: number;
  /** What a client may do to this server. */
  readonly limits: StreamLimits;
  /** Whether clients may change the repository. */
  readonly writable: boolean;
  readonly digest64: Digest64;
  createSha256(): Sha256;
  /** An operator asked to stop. */
  onStopRequest(): void;
}

/** Admits peers, keeps their sessions, answers their requests; knows nothing of sockets. */
export class CommServer implements Host {
  readonly #options: ServerOptions;
  readonly startedAt: number;
  readonly seats: Seats;
  readonly members = new Members();
  readonly events: EventFeed;
  readonly digests: DigestCache;
  readonly blockDigests = new BlockDigestCache();
  #draining = false;
  readonly #stopping = Promise.withResolvers<void>();
  readonly #away: Away;
  /** True after abort(). */
  wasAborted = false;
  /** Peers between their first byte and their admission, those who wait for a seat included. */
  readonly #unadmitted = new Set<Admission>();
  /** Transports that are not gone yet, also those that only linger for their last words. */
  readonly #links = new Set<Link>();
  readonly #admissionHost: AdmissionHost;
  readonly #memberPort: MemberPort = {
    onOpen: (member, stream, request) => void route(stream, request, member, this),
    onEnd: (member, admission, end) => this.#onEnd(admission, member, end),
  };
  #waitingToStop: Promise<void> | undefined;
  #cancelCheckpoint: () => void = () => {};
  #cancelCleaning: () => void = () => {};

  constructor(options: ServerOptions) {
    this.#options = options;
    this.startedAt = options.clock.wallTime();
    this.seats = new Seats({ max: options.maxClients, maxWaiting: options.maxWaiting });
    this.digests = new DigestCache(options.storage, () => options.createSha256());
    this.events = new EventFeed(() => options.clock.wallTime());
    this.#away = new Away(options.clock, options.graceMs);
    this.#scheduleCheckpoint();
    this.#scheduleCleaning(0);
    this.#admissionHost = {
      clock: options.clock,
      seats: this.seats,
      heartbeatMs: options.heartbeatMs,
      handshakeMs: options.handshakeMs,
      closedFor: () => this.#closedFor(),
      onAdmitted: (admitted, hello) => this.#admit(admitted, hello),
      onReturning: (returning, _, token) => this.#takeBack(returning, token),
      onWaiting: (waiting, position) => this.events.emit({ event: "waiting", address: waiting.link.peer, position }),
      onRefused: (refused, code, message) => this.#onRefused(refused, code, message),
      onGone: (link) => this.#links.delete(link),
    };
  }

  get agent(): string {
    return this.#options.agent;
  }

  get clock(): Clock {
    return this.#options.clock;
  }

  get storage(): Storage {
    return this.#options.storage;
  }

  get ledger(): Ledger {
    return this.#options.ledger;
  }

  get stopping(): Promise<void> {
    return this.#stopping.promise;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** Admit nobody new from now on, those who wait included, or admit again. */
  setDraining(on: boolean): void {
    this.#draining = on;
    this.events.emit({ event: "draining", on });
    if (!on) return;
    for (const admission of [...this.#unadmitted]) if (admission.isWaiting) admission.refuse("SHUTDOWN", CLOSED);
  }

  get writable(): boolean {
    return this.#options.writable;
  }

  get digest64(): Digest64 {
    return this.#options.digest64;
  }

  kick(name: string, message: string): string {
    const absence = this.#away.takeByName(name);
    if (absence !== undefined) {
      const { member, admission } = absence;
      this.#dismiss(admission, member, { by: "local", code: "KICKED", message });
      return member.name;
    }
    const member = this.members.client(name);
    member.session.terminate("KICKED", message);
    return member.name;
  }

  requestStop(): void {
    this.#options.onStopRequest();
  }

  /** Take a new peer. Its role is given by the way it came in. */
  accept(transport: Transport, role: Role): void {
    const admission = new Admission(transport, role, this.#admissionHost);
    this.#unadmitted.add(admission);
    this.#links.add(admission.link);
    admission.start();
    if (this.#unadmitted.size - this.seats.waiting > this.#options.maxUnadmitted) {
      admission.refuse("UNAVAILABLE", "Too many clients connect at once. Please try again later.");
    }
  }

  /**
   * Stop in order: admit nobody, tell everyone why, let what is under way end until `deadlineMs`, close the
   * ledger. Calling it again returns the same promise.
   */
  shutdown(deadlineMs: number): Promise<void> {
    this.#waitingToStop ??= this.#stop(deadlineMs);
    return this.#waitingToStop;
  }

  /** End every link at once. shutdown() then has nothing left to wait for. */
  abort(): void {
    this.wasAborted = true;
    for (const link of [...this.#links]) link.abort();
  }

  async #stop(deadlineMs: number): Promise<void> {
    const message = STOPPING;
    this.events.emit({ event: "stopping", message });
    this.#stopping.resolve();
    for (const admission of [...this.#unadmitted]) admission.refuse("SHUTDOWN", message);
    for (const { member, admission, end } of this.#away.takeAll()) this.#dismiss(admission, member, end);
    const { clients } = this.members;
    for (const { session } of clients) session.goAway("SHUTDOWN", message, deadlineMs);
    await Promise.all(clients.map(({ session }) => session.closed));
    this.events.end();
    for (const { session } of this.members.operators) session.goAway("SHUTDOWN", message, 1_000);
    await Promise.all([...this.#links].map((link) => link.closed));
    this.#cancelCheckpoint();
    this.#cancelCleaning();
    this.ledger.close();
  }

  #closedFor(): { code: ReasonCode; message: string } | undefined {
    if (this.#waitingToStop !== undefined) return { code: "SHUTDOWN", message: STOPPING };
    if (this.draining) return { code: "SHUTDOWN", message: CLOSED };
    return undefined;
  }

  #onRefused(admission: Admission, code: ReasonCode, message: string): void {
    this.#unadmitted.delete(admission);
    this.seats.release(admission);
    // Who leaves without a byte was looking for an open port, or has connected over another address.
    if (code === "LOST" && admission.link.bytesIn === 0) return;
    this.events.emit({ event: "refused", address: admission.link.peer, code, message });
  }

  #admit(admission: Admission, hello: Hello): void {
    this.#unadmitted.delete(admission);
    const member = this.#enroll(admission, hello);
    if (member === undefined) return;
    member.session = this.#welcome(admission, hello, member);
    this.members.add(member);
    this.events.emit({ event: "joined", name: member.name, address: member.address, role: member.role });
  }

  /** Let a client go on where its lost link left it. @returns false when nothing is kept for `token` */
  #takeBack(admission: Admission, token: string): boolean {
    const live = this.members.byToken(token);
    if (live !== undefined) {
      // It knows before we do that its link is lost.
      live.isSuperseded = true;
      live.session.terminate("LOST", "The client has come back over another link.");
    }
    const absence = this.#waitingToStop === undefined ? this.#away.take(token) : undefined;
    const hello = absence && admission.settle();
    if (absence === undefined || hello === undefined) return false;
    const { member } = absence;
    this.#unadmitted.delete(admission);
    this.seats.replace(absence.admission, admission);
    member.moveTo(this.#welcome(admission, hello, member), admission.link.peer);
    this.members.add(member);
    this.events.emit({ event: "returned", name: member.name, address: member.address });
    return true;
  }

  #welcome(admission: Admission, hello: Hello, member: Member): Session {
    const { link, role } = admission;
    const { clock, limits, agent, graceMs } = this.#options;
    const welcome: Welcome = {
      version: PROTOCOL_VERSION,
      name: member.name,
      role,
      agent,
      ...(member.token !== undefined && { resume: { token: member.token, graceMs } }),
      capabilities: [],
      credit: limits.credit,
      maxStreams: limits.maxStreams,
    };
    link.send(Opcode.WELCOME, 0, encodeJson(welcome));
    return new Session(link, {
      side: "server",
      clock,
      remote: { credit: hello.credit, maxStreams: hello.maxStreams },
      local: limits,
      handler: new MemberHandler(member, admission, this.#memberPort),
    });
  }

  /** Give the peer its name. A ledger that can't be written costs this peer its admission, nobody else. */
  #enroll(admission: Admission, hello: Hello): Member | undefined {
    const { link, role } = admission;
    const startedAt = this.clock.wallTime();
    const address = link.peer;
    if (role === "operator") return new Member({ id: 0, name: "Operator", role, address, startedAt });
    try {
      const { id, name } = this.ledger.begin(address, startedAt);
      const token = hello.resume === undefined ? undefined : crypto.randomUUID();
      return new Member({ id, name, role, address, startedAt, token });
    } catch (thrown) {
      const { message } = toCommError(thrown);
      this.events.emit({ event: "warning", message });
      link.closeWith(Opcode.REFUSE, "UNAVAILABLE", "The server can't keep its ledger and so admits nobody.");
      this.seats.release(admission);
      return undefined;
    }
  }

  #onEnd(admission: Admission, member: Member, end: SessionEnd): void {
    this.members.remove(member);
    const isLost = member.isSuperseded || ["lost", "timeout"].includes(endReason(end));
    if (!isLost || member.token === undefined || this.#waitingToStop !== undefined) {
      return this.#dismiss(admission, member, end);
    }
    const { name, address } = member;
    this.#away.keep(member, admission, end, (absence) => this.#dismiss(absence.admission, member, end));
    this.events.emit({ event: "away", name, address, message: end.message });
  }

  #dismiss(admission: Admission, member: Member, end: SessionEnd): void {
    const reason = endReason(end);
    if (member.role === "client") {
      this.#record(() => this.ledger.end(member.id, member.counters, this.clock.wallTime(), reason));
    }
    const { name, address } = member;
    this.events.emit({ event: "left", name, address, reason, message: end.message, ...member.counters });
    // Last: it may admit the next in the queue, who comes after this one in the log too.
    this.seats.release(admission);
  }

  #scheduleCheckpoint(): void {
    this.#cancelCheckpoint = this.clock.after(CHECKPOINT_MS, () => {
      const live = this.members.clients.map(({ id, counters }) => ({ id, ...counters }));
      if (live.length > 0) this.#record(() => this.ledger.checkpoint(live, this.clock.wallTime()));
      this.#scheduleCheckpoint();
    });
  }

  #scheduleCleaning(ms: number): void {
    if (!this.writable) return;
    this.#cancelCleaning = this.clock.after(ms, () => {
      this.#scheduleCleaning(CLEANING_MS);
      void cleanUnfinished(this.storage, this.clock.wallTime(), (event) => this.events.emit(event));
    });
  }

  #record(write: () => void): void {
    try {
      write();
    } catch (thrown) {
      this.events.emit({ event: "warning", message: toCommError(thrown).message });
    }
  }
}
