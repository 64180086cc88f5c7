import { toCommError } from "../errors.ts";
import { CAPABILITIES, MAILBOX_CAPABILITY } from "../protocol/constants.ts";
import type { Role } from "../protocol/messages.ts";
import type { Token } from "../protocol/token.ts";
import type { Transport } from "../session/transport.ts";
import { OrderedStorage, PathTurns } from "../storage/ordered.ts";
import { SpareBuffers } from "../transfer/spare-buffers.ts";
import type { Account } from "./access/account.ts";
import type { TokenStore } from "./access/token-store.ts";
import { Bandwidth } from "./bandwidth.ts";
import { BlockDigestCache } from "./block-digests.ts";
import { DigestCache } from "./digest-cache.ts";
import { Door } from "./door.ts";
import { EventFeed } from "./event-feed.ts";
import { Failures } from "./failures.ts";
import { Guests } from "./guests.ts";
import { Lifecycle } from "./lifecycle.ts";
import { LimitedServers } from "./limited/limited-servers.ts";
import { Mail } from "./mail/mail.ts";
import { Members } from "./members.ts";
import { MemoryBudget } from "./memory-budget.ts";
import type { GatewayParts, ServerFacts, ServerParts } from "./parts.ts";
import { type Routing, route } from "./router.ts";
import { Seats } from "./seats.ts";
import type { ServerOptions } from "./server-options.ts";
import { Sessions } from "./sessions.ts";
import { Shares } from "./shares/shares.ts";
import { shutDown } from "./shutdown.ts";
import { Upkeep } from "./upkeep.ts";

/** Buffers of a megabyte that are kept for the next transfer. */
const MAX_SPARE_BUFFERS = 8;

/** A server put together from its parts. It knows nothing about sockets. */
export class CommServer {
  readonly #options: ServerOptions;
  readonly about: ServerFacts;
  readonly seats: Seats;
  readonly members = new Members();
  readonly memory: MemoryBudget;
  readonly events: EventFeed;
  /** undefined: the server keeps no messages. */
  readonly mail: Mail | undefined;
  readonly #failures: Failures;
  readonly #lifecycle: Lifecycle;
  readonly #sessions: Sessions;
  readonly #door: Door;
  readonly #guests: Guests;
  readonly #limited: LimitedServers;
  readonly #upkeep: Upkeep;
  readonly #shares: Shares | undefined;
  #stopped: Promise<void> | undefined;
  /** The rates of sessions; they can be changed while the server runs. */
  readonly bandwidth: Bandwidth;
  /** What a gateway of another protocol works with. */
  readonly gateway: GatewayParts;
  /** True after abort(). */
  wasAborted = false;

  constructor(options: ServerOptions) {
    this.#options = options;
    const { clock, maxClients: max, maxWaiting, maxPerAddress: maxPerParty } = options;
    this.about = { agent: options.agent, startedAt: clock.wallTime(), runningSince: clock.now() };
    this.seats = new Seats({ max, maxWaiting, maxPerParty });
    this.memory = new MemoryBudget(options.memory, clock);
    this.events = new EventFeed(() => clock.wallTime());
    this.#failures = new Failures(clock, (event) => this.events.emit(event));
    const { mailbox, tokens } = options;
    this.mail = mailbox && new Mail({ mailbox, tokens, access: options.access, events: this.events, clock });
    this.#lifecycle = new Lifecycle({
      onDraining: (on, message) => this.#drain(on, message),
      onStopRequest: () => options.onStopRequest(),
    });
    const shared = {
      ...options,
      seats: this.seats,
      members: this.members,
      memory: this.memory,
      events: this.events,
      record: (write: () => void) => this.#record(write),
    };
    this.#shares =
      options.shareArea &&
      new Shares({ area: options.shareArea, temporary: options.access.temporary, createSha256: options.createSha256 });
    const digests = new DigestCache(options.storage, () => options.createSha256(), clock);
    const parts = this.#parts(digests);
    const { writable, callRates } = options;
    this.bandwidth = new Bandwidth(options.bandwidth, clock);
    const { bandwidth } = this;
    this.#sessions = new Sessions({
      ...shared,
      capabilities: CAPABILITIES.filter((name) => name !== MAILBOX_CAPABILITY || this.mail !== undefined),
      onOpen: (member, stream, request) => void route(stream, request, member, routing),
      onEnded: (link) => this.#door.noteEnded(link),
    });
    this.#guests = new Guests({
      ...shared,
      sessions: this.#sessions,
      bandwidth,
      emit: (event) => this.events.emit(event),
      closedFor: () => this.#lifecycle.closedFor,
    });
    const { access, storage, turns = new PathTurns() } = options;
    this.gateway = {
      ...parts,
      ...{ storage, turns, writable, callRates, access, guests: this.#guests },
      partsFor: (member) => this.#limited.gatewayFor(member),
    };
    this.#limited = new LimitedServers({ ...options, parts, gateway: this.gateway, digests });
    const routing: Routing = {
      ...{ clock, writable, callRates, failures: this.#failures, shares: this.#shares },
      partsFor: (member) => this.#limited.partsFor(member),
    };
    this.#door = new Door({
      ...shared,
      bandwidth,
      emit: (event) => this.events.emit(event),
      closedFor: () => this.#lifecycle.closedFor,
      onAdmitted: (admission, hello) => this.#sessions.admit(admission, hello),
      onReturning: (admission, token) => this.#sessions.takeBack(admission, token),
    });
    this.#upkeep = new Upkeep({ ...shared, sweep: this.mail && (() => this.#sweep()), expel: () => this.#expel() });
  }

  get tokens(): TokenStore {
    return this.#options.tokens;
  }

  /** As TokenParts.invite(). */
  invite(token: Token, addresses?: readonly string[]): string {
    return this.#options.invite(token, addresses);
  }

  /** Call after tokens were changed without the methods. */
  watchExpiry(): void {
    this.#upkeep.watchExpiry();
  }

  /** As TokenStore.reload(); sessions of tokens that are gone end. */
  reloadTokens(): boolean {
    const hasChanged = this.#options.tokens.reload();
    if (hasChanged) this.#expel();
    this.watchExpiry();
    return hasChanged;
  }

  /** As Lifecycle.setDraining(). */
  setDraining(on: boolean): void {
    this.#lifecycle.setDraining(on);
  }

  /** As Kicks.kick(). */
  kick(name: string, message: string): string {
    return this.#sessions.kick(name, message);
  }

  /** Accept a new peer. `trusted`: its role, if the way it connected gives it one; absent: it must authenticate. */
  accept(transport: Transport, trusted?: Role): void {
    this.#door.accept(transport, trusted);
  }

  /** As shutDown(). Calling it again returns the same promise. */
  shutdown(deadlineMs: number): Promise<void> {
    const [lifecycle, door, guests] = [this.#lifecycle, this.#door, this.#guests];
    const [sessions, upkeep] = [this.#sessions, this.#upkeep];
    const { events, members, mail } = this;
    const parts = { events, failures: this.#failures, members, mail, ledger: this.#options.ledger };
    this.#stopped ??= shutDown({ ...parts, lifecycle, door, guests, sessions, upkeep }, deadlineMs);
    return this.#stopped;
  }

  /** End every link at once, so that shutdown() has nothing left to wait for. */
  abort(): void {
    this.wasAborted = true;
    this.#guests.abort();
    this.#door.abort();
  }

  #parts(digests: DigestCache): ServerParts {
    const { clock, storage, turns, ledger, digest64, blockTag, maxWindow, access, tokens, links } = this.#options;
    return {
      about: this.about,
      clock,
      storage: turns === undefined ? storage : new OrderedStorage(storage, turns),
      digests,
      transfers: {
        digest64,
        blockTag,
        maxWindow,
        buffers: new SpareBuffers(MAX_SPARE_BUFFERS),
        blockDigests: new BlockDigestCache(),
      },
      ledger,
      seats: this.seats,
      members: this.members,
      kicks: this,
      tokens: {
        store: tokens,
        accountOf: (name) => access.accountOf(name),
        invite: (token, addresses) => this.invite(token, addresses),
        reach: (addresses) => this.#options.reach(addresses),
        makeFolder: (folder) => this.#limited.makeFolder(folder),
        expel: () => this.#expel(),
        watchExpiry: () => this.watchExpiry(),
      },
      codes: access.codes,
      shares: this.#shares,
      links: { store: links, address: (place) => this.#options.linkAddress(place) },
      mail: this.mail,
      events: this.events,
      failures: this.#failures,
      lifecycle: this.#lifecycle,
    };
  }

  #drain(on: boolean, message: string): void {
    this.events.emit({ event: "draining", on });
    if (on) this.#door.refuse("SHUTDOWN", message, { onlyWaiting: true });
  }

  #expel(): void {
    this.#shares?.expire(this.gateway);
    const faultOf = (account: Account) => this.#options.access.faultOf(account);
    this.#door.expel(faultOf);
    this.#sessions.expel(faultOf);
    this.#limited.forget((account) => faultOf(account) !== undefined);
    this.#sweep();
  }

  /** Remove kept messages that nobody will take. */
  #sweep(): void {
    this.#record(() => this.mail?.sweep());
  }

  /** Write to the ledger or the mailbox; a failure is only reported as an event. */
  #record(write: () => void): void {
    try {
      write();
    } catch (thrown) {
      this.events.emit({ event: "warning", message: toCommError(thrown).message });
    }
  }
}
