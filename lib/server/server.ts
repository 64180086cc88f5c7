import type { Digest64 } from "../block.ts";
import { type ErrorCode, toCommError } from "../errors.ts";
import type { Role } from "../protocol/messages.ts";
import type { Token } from "../protocol/token.ts";
import type { Clock } from "../session/clock.ts";
import type { Transport } from "../session/transport.ts";
import type { Storage } from "../storage/storage.ts";
import { SpareBuffers } from "../transfer/spare-buffers.ts";
import type { Account } from "./access/account.ts";
import type { TokenStore } from "./access/token-store.ts";
import { Bandwidth } from "./bandwidth.ts";
import { BlockDigestCache } from "./block-digests.ts";
import type { CallRates } from "./call-rates.ts";
import { DigestCache } from "./digest-cache.ts";
import { Door } from "./door.ts";
import { EventFeed } from "./event-feed.ts";
import { Failures } from "./failures.ts";
import type { Ledger } from "./ledger.ts";
import { Members } from "./members.ts";
import { MemoryBudget } from "./memory-budget.ts";
import type { Host } from "./method.ts";
import { route } from "./router.ts";
import { Seats } from "./seats.ts";
import type { ServerOptions } from "./server-options.ts";
import { Sessions } from "./sessions.ts";
import { Upkeep } from "./upkeep.ts";

/** How far ahead a timer looks: clocks are set, and timers have an end. */
const MAX_TIMER_MS = 3_600_000;

/** Buffers of a megabyte that are kept for the next transfer. */
const MAX_SPARE_BUFFERS = 8;

const CLOSED = "The server admits nobody at present.";
const STOPPING = "The server is shutting down.";

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
  readonly #stopping = new AbortController();
  readonly #sessions: Sessions;
  /** True after abort(). */
  wasAborted = false;
  readonly #door: Door;
  #waitingToStop: Promise<void> | undefined;
  readonly #upkeep: Upkeep;
  #cancelExpiry: () => void = () => {};

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
    this.#sessions = new Sessions({
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
      onAdmitted: (admission, hello) => this.#sessions.admit(admission, hello),
      onReturning: (admission, token) => this.#sessions.takeBack(admission, token),
    });
    this.#upkeep = new Upkeep({
      ...options,
      members: this.members,
      events: this.events,
      record: (write) => this.#record(write),
    });
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

  get stopping(): AbortSignal {
    return this.#stopping.signal;
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
    this.#sessions.expel(faultOf);
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
    return this.#sessions.kick(name, message);
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
    this.#stopping.abort();
    this.#door.refuse("SHUTDOWN", message, { onlyWaiting: false });
    this.#sessions.close();
    const { clients } = this.members;
    for (const { session } of clients) session.goAway("SHUTDOWN", message, deadlineMs);
    await Promise.all(clients.map(({ session }) => session.closed));
    this.#door.flush();
    this.failures.flush();
    this.events.end();
    for (const { session } of this.members.operators) session.goAway("SHUTDOWN", message, 1_000);
    await this.#door.closed();
    this.#door.flush();
    this.#cancelExpiry();
    this.#upkeep.stop();
    this.ledger.close();
  }

  #closedFor(): { code: ErrorCode; message: string } | undefined {
    if (this.#waitingToStop !== undefined) return { code: "SHUTDOWN", message: STOPPING };
    if (this.draining) return { code: "SHUTDOWN", message: CLOSED };
    return undefined;
  }

  #record(write: () => void): void {
    try {
      write();
    } catch (thrown) {
      this.events.emit({ event: "warning", message: toCommError(thrown).message });
    }
  }
}
