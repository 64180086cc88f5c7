import type { Digest64 } from "../block.ts";
import { type ErrorCode, toCommError } from "../errors.ts";
import { Pacer } from "../pacer.ts";
import type { Role } from "../protocol/messages.ts";
import type { Token } from "../protocol/token.ts";
import type { Clock } from "../session/clock.ts";
import type { StreamLimits } from "../session/session.ts";
import type { Transport } from "../session/transport.ts";
import type { Sha256, Storage } from "../storage/storage.ts";
import { SpareBuffers } from "../transfer/spare-buffers.ts";
import type { Access } from "./access/access.ts";
import type { Account } from "./access/account.ts";
import type { TokenStore } from "./access/token-store.ts";
import { Bandwidth, type BandwidthLimits } from "./bandwidth.ts";
import { BlockDigestCache } from "./block-digests.ts";
import type { CallRates } from "./call-rates.ts";
import { cleanUnfinished } from "./cleaning.ts";
import { DigestCache } from "./digest-cache.ts";
import { Door } from "./door.ts";
import { EventFeed } from "./events.ts";
import { Failures } from "./failures.ts";
import type { Ledger } from "./ledger.ts";
import { Members } from "./members.ts";
import { MemoryBudget, type MemoryLimits } from "./memory-budget.ts";
import type { Host } from "./method.ts";
import { Reception } from "./reception.ts";
import { route } from "./router.ts";
import { Seats } from "./seats.ts";

/** How often the counters of live sessions go into the ledger. */
const CHECKPOINT_MS = 30_000;

/** Rows that are written to the ledger at once: a millisecond or two. */
const LEDGER_ROWS = 250;

/** How often stale unfinished files are looked for, beside the start. */
const CLEANING_MS = 24 * 3_600_000;

/** How often idle sessions are looked for, at least. */
const IDLE_CHECK_MS = 10_000;

/** How far ahead a timer looks: clocks are set, and timers have an end. */
const MAX_TIMER_MS = 3_600_000;

/** Buffers of a megabyte that are kept for the next transfer. */
const MAX_SPARE_BUFFERS = 8;

const CLOSED = "The server admits nobody at present.";
const STOPPING = "The server is shutting down.";

export interface ServerOptions {
  readonly agent: string;
  readonly clock: Clock;
  readonly storage: Storage;
  readonly ledger: Ledger;
  readonly maxClients: number;
  readonly maxWaiting: number;
  /** Seats and places in the queue that one address may have. */
  readonly maxPerAddress: number;
  /** As DoorOptions. */
  readonly maxUnadmitted: number;
  readonly maxUnadmittedPerAddress: number;
  readonly maxPassing: number;
  readonly access: Access;
  readonly bandwidth: BandwidthLimits;
  /** Calls a second that a session may make. */
  readonly callRates: CallRates;
  /** A session without a stream for so long is ended; undefined: none is. */
  readonly idleMs: number | undefined;
  readonly handshakeMs: number;
  readonly heartbeatMs: number;
  /** How long a client's name and seat are kept after its link was lost. */
  readonly graceMs: number;
  /** What a client may do to this server at first; a stream whose turn has come gets more credit. */
  readonly limits: StreamLimits;
  /** The most that may be under way on a stream. */
  readonly maxWindow: number;
  /** What peers may make the server keep in memory. */
  readonly memory: MemoryLimits;
  /** Whether clients may change the repository. */
  readonly writable: boolean;
  readonly digest64: Digest64;
  createSha256(): Sha256;
  readonly tokens: TokenStore;
  /** As Host.invite(). */
  invite(token: Token, addresses?: readonly string[]): string;
  /** An operator asked to stop. */
  onStopRequest(): void;
}

/** Admits peers, keeps their sessions, answers their requests; knows nothing of sockets. */
export class CommServer implements Host {
  readonly #options: ServerOptions;
  readonly startedAt: number;
  readonly runningSince: number;
  readonly seats: Seats;
  readonly members = new Members();
  readonly memory: MemoryBudget;
  readonly events: EventFeed;
  readonly failures: Failures;
  readonly digests: DigestCache;
  readonly buffers = new SpareBuffers(MAX_SPARE_BUFFERS);
  readonly blockDigests = new BlockDigestCache();
  #draining = false;
  readonly #stopping = Promise.withResolvers<void>();
  readonly #reception: Reception;
  /** True after abort(). */
  wasAborted = false;
  readonly #door: Door;
  #waitingToStop: Promise<void> | undefined;
  /** The ledger is closed. */
  #isClosed = false;
  #cancelCheckpoint: () => void = () => {};
  #cancelCleaning: () => void = () => {};
  #cancelExpiry: () => void = () => {};
  #cancelIdle: () => void = () => {};

  constructor(options: ServerOptions) {
    this.#options = options;
    this.startedAt = options.clock.wallTime();
    this.runningSince = options.clock.now();
    const { maxClients: max, maxWaiting, maxPerAddress: maxPerParty } = options;
    this.seats = new Seats({ max, maxWaiting, maxPerParty });
    this.memory = new MemoryBudget(options.memory, options.clock);
    this.digests = new DigestCache(options.storage, () => options.createSha256(), options.clock);
    this.events = new EventFeed(() => options.clock.wallTime());
    this.failures = new Failures(options.clock, (event) => this.events.emit(event));
    this.#reception = new Reception({
      ...options,
      memory: this.memory,
      seats: this.seats,
      members: this.members,
      events: this.events,
      onOpen: (member, stream, request) => void route(stream, request, member, this),
      onEnded: (link) => this.#door.noteEnded(link),
      record: (write) => this.#record(write),
    });
    this.#door = new Door({
      ...options,
      seats: this.seats,
      bandwidth: new Bandwidth(options.bandwidth, options.clock),
      emit: (event) => this.events.emit(event),
      closedFor: () => this.#closedFor(),
      onAdmitted: (admission, hello) => this.#reception.admit(admission, hello),
      onReturning: (admission, token) => this.#reception.takeBack(admission, token),
    });
    void this.#closeCrashed();
    this.#scheduleCheckpoint();
    this.#scheduleCleaning(0);
    this.#scheduleIdle();
    this.watchExpiry();
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
    if (on) this.#door.refuse("SHUTDOWN", CLOSED, { onlyWaiting: true });
  }

  get callRates(): CallRates {
    return this.#options.callRates;
  }

  get tokens(): TokenStore {
    return this.#options.tokens;
  }

  invite(token: Token, addresses?: readonly string[]): string {
    return this.#options.invite(token, addresses);
  }

  expel(): void {
    const faultOf = ({ token }: Account) => (token === undefined ? undefined : this.#options.access.faultOf(token));
    this.#door.expel(faultOf);
    this.#reception.expel(faultOf);
  }

  watchExpiry(): void {
    this.#cancelExpiry();
    // Clocks are set: what is over by now gets no timer.
    this.expel();
    const next = this.#options.access.nextExpiry;
    if (next === undefined) return;
    const ms = Math.min(next - this.clock.wallTime(), MAX_TIMER_MS);
    this.#cancelExpiry = this.clock.after(ms, () => this.watchExpiry());
  }

  get writable(): boolean {
    return this.#options.writable;
  }

  get digest64(): Digest64 {
    return this.#options.digest64;
  }

  get maxWindow(): number {
    return this.#options.maxWindow;
  }

  kick(name: string, message: string): string {
    return this.#reception.kick(name, message);
  }

  requestStop(): void {
    this.#options.onStopRequest();
  }

  /** Take a new peer. `trusted`: its role, given by the way it came in; absent: it must prove who it is. */
  accept(transport: Transport, trusted?: Role): void {
    this.#door.accept(transport, trusted);
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
    this.#door.abort();
  }

  async #stop(deadlineMs: number): Promise<void> {
    const message = STOPPING;
    this.events.emit({ event: "stopping", message });
    this.#stopping.resolve();
    this.#door.refuse("SHUTDOWN", message, { onlyWaiting: false });
    this.#reception.close();
    const { clients } = this.members;
    for (const { session } of clients) session.goAway("SHUTDOWN", message, deadlineMs);
    await Promise.all(clients.map(({ session }) => session.closed));
    this.#door.flush();
    this.failures.flush();
    this.events.end();
    for (const { session } of this.members.operators) session.goAway("SHUTDOWN", message, 1_000);
    await this.#door.closed();
    this.#door.flush();
    this.#cancelCheckpoint();
    this.#cancelCleaning();
    this.#cancelExpiry();
    this.#cancelIdle();
    this.#isClosed = true;
    this.ledger.close();
  }

  #closedFor(): { code: ErrorCode; message: string } | undefined {
    if (this.#waitingToStop !== undefined) return { code: "SHUTDOWN", message: STOPPING };
    if (this.draining) return { code: "SHUTDOWN", message: CLOSED };
    return undefined;
  }

  #scheduleCheckpoint(): void {
    this.#cancelCheckpoint = this.clock.after(CHECKPOINT_MS, () => {
      void this.#checkpoint().then(() => {
        if (!this.#isClosed) this.#scheduleCheckpoint();
      });
    });
  }

  /** Note what all live sessions have done so far, some at a time. */
  async #checkpoint(): Promise<void> {
    const pacer = new Pacer(this.clock);
    const { clients } = this.members;
    for (let start = 0; start < clients.length && !this.#isClosed; start += LEDGER_ROWS) {
      // Who has left meanwhile is not written to.
      const live = clients.slice(start, start + LEDGER_ROWS).map(({ id, counters }) => ({ id, ...counters }));
      this.#record(() => this.ledger.checkpoint(live, this.clock.wallTime()));
      if (pacer.isDue) await pacer.pause();
    }
  }

  /** Close the sessions of a server that crashed, some at a time. */
  async #closeCrashed(): Promise<void> {
    const pacer = new Pacer(this.clock);
    let isDone = false;
    while (!isDone && !this.#isClosed) {
      isDone = true;
      this.#record(() => {
        isDone = !this.ledger.closeCrashed(LEDGER_ROWS);
      });
      if (pacer.isDue) await pacer.pause();
    }
  }

  #scheduleIdle(): void {
    const { idleMs } = this.#options;
    if (idleMs === undefined) return;
    this.#cancelIdle = this.clock.after(Math.min(idleMs, IDLE_CHECK_MS), () => {
      this.#endIdle(idleMs);
      this.#scheduleIdle();
    });
  }

  #endIdle(idleMs: number): void {
    for (const { session } of this.members.clients) {
      const { idleSince } = session;
      if (idleSince === undefined || this.clock.now() - idleSince < idleMs) continue;
      session.terminate("IDLE_TIMEOUT", `Nothing was asked for ${Math.round(idleMs / 1000)} s.`);
    }
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
