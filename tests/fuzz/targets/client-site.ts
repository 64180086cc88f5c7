import { Client } from "../../../lib/client/client.ts";
import type { ClientOptions } from "../../../lib/client/client-options.ts";
import { Connection } from "../../../lib/client/connection.ts";
import { CommError } from "../../../lib/errors.ts";
import { memoryPair } from "../../../lib/transport/memory-transport.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { type Watched, watch } from "../../support/outcomes.ts";
import type { Conversation } from "../conversation.ts";
import { play } from "../player.ts";
import type { Stage, Wire } from "../wire.ts";
import { CALLS, type CallContext } from "./client-calls.ts";
import { CountedStorage } from "./counted-storage.ts";
import { HonestTalk } from "./honest-talk.ts";
import { cutting, EndlessLink, MANNERS } from "./manners.ts";
import { MemoryWire } from "./memory-wire.ts";
import { oneTurn, type Site, type SiteOptions, within } from "./site.ts";

const MAX_TURNS = 2_000;
/** Longer than any retry and any wait of a client. */
const LATER_MS = 120_000;
/** How long a client comes back to a server that cuts every link, and how often it may do so in that time. */
const RECONNECT_MS = 60_000;
const MOST_LINKS = 40;
/** Messages that one client takes before anybody has read one of them. */
const MOST_UNREAD = 128;
/** What clients take of a server that goes on for ever: twice a file and 16 MiB, and all credits. */
const MOST_BYTES = 96 * 1024 * 1024;

/** Clients under test, each of which meets a server that is all the fuzzer's; another one has an honest server beside them. */
export class ClientSite implements Site {
  readonly #options: SiteOptions;
  readonly #spoiled: Partial<ClientOptions>;
  readonly #honest = new HonestTalk();
  readonly isWorn = false;

  /** `spoiled`: options of the clients under test, for tests of the fuzzer. */
  constructor(options: SiteOptions, spoiled: Partial<ClientOptions> = {}) {
    this.#options = options;
    this.#spoiled = spoiled;
  }

  async run(conversations: readonly Conversation[], isHonest: boolean): Promise<void> {
    const { findings, count } = this.#options;
    const report = (oracle: string, detail: string) => findings.add(oracle, detail);
    const one = async (conversation: Conversation): Promise<void> => {
      const stage = new ClientStage(conversation, this.#spoiled);
      const wires = await play(conversation, { stage, isHonest, report, count });
      await stage.goOn(report, () => this.#honest.talk(report));
      for (const wire of wires) wire.reset();
      await stage.checkEnd(report, count);
    };
    await Promise.all([this.#honest.talk(report), ...conversations.map(one)]);
  }

  /** That is done beside every run. */
  async checkHonest(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#honest[Symbol.asyncDispose]();
  }
}

/** The clients of one conversation: a new one for each link. */
class ClientStage implements Stage {
  readonly speaker = "client";
  readonly patience = { mutated: 4, honest: 500 };
  readonly #clock = new FakeClock();
  readonly #conversation: Conversation;
  readonly #spoiled: Partial<ClientOptions>;
  readonly #storages: CountedStorage[] = [];
  readonly #asked: { what: string; outcome: Watched<unknown> }[] = [];
  readonly #wires: Wire[] = [];
  readonly #links: EndlessLink[] = [];
  /** A client was told to wait in the queue, and wants to: that has no end but the user's. */
  #isQueued = false;
  /** Messages, of all clients. */
  #unread = 0;
  /** Who asks: a client, or one that comes back. */
  #caller: Promise<(ask: (client: Client) => Promise<unknown>) => Promise<unknown>> | undefined;

  constructor(conversation: Conversation, spoiled: Partial<ClientOptions>) {
    this.#conversation = conversation;
    this.#spoiled = spoiled;
  }

  dial(onBytes: (bytes: Uint8Array) => void): Wire {
    const { wire, client } = this.#link((bytes) => {
      onBytes(bytes);
      link.take(bytes);
    });
    const link = new EndlessLink(wire);
    this.#links.push(link);
    if (this.#conversation.then === "cuts") this.#caller = this.#persisting(client);
    else this.#caller = client.then((one) => (ask) => ask(one));
    this.#note("connect", this.#caller);
    return wire;
  }

  #link(onBytes: (bytes: Uint8Array) => void, resume = ""): { wire: Wire; client: Promise<Client> } {
    const [ours, theirs] = memoryPair();
    const wire = new MemoryWire(ours, onBytes);
    this.#wires.push(wire);
    const { wait, then = "silent" } = this.#conversation;
    const client = Client.connect({
      transport: theirs,
      clock: this.#clock,
      agent: "fuzzed",
      wait,
      timeoutMs: 5_000,
      silenceMs: MANNERS[then].silenceMs,
      resume,
      onMessage: () => this.#show(),
      onQueued: () => {
        this.#isQueued = true;
      },
      ...this.#spoiled,
    });
    return { wire, client };
  }

  /** Nobody reads what is pushed without end. */
  #show(): Promise<void> | undefined {
    if (this.#conversation.then !== "pushes") return undefined;
    this.#unread++;
    return new Promise(() => {});
  }

  /** A client that comes back when its link was cut, and is cut off again. */
  async #persisting(first: Promise<Client>): Promise<(ask: (client: Client) => Promise<unknown>) => Promise<unknown>> {
    let isFirst = true;
    const connect = (resume: string): Promise<Client> => {
      if (isFirst) {
        isFirst = false;
        return first;
      }
      const { wire, client } = this.#link(
        cutting(() => wire),
        resume,
      );
      return client;
    };
    const options = { clock: this.#clock, reconnectMs: RECONNECT_MS, random: () => 0.5, connect };
    const connection = await Connection.open(options);
    return (ask) => connection.persist(ask);
  }

  turn(): Promise<void> {
    return oneTurn();
  }

  call(what: string): void {
    const local = new CountedStorage();
    this.#storages.push(local);
    const ask = CALLS[what];
    const connecting = this.#caller;
    if (ask === undefined || connecting === undefined) throw new Error(`Nobody can be asked for ${what}.`);
    const context = (client: Client): CallContext => ({ client, clock: this.#clock, local });
    this.#note(
      what,
      connecting.then((caller) => caller((client) => ask(context(client)))),
    );
  }

  /** Let the server do for ever what its conversation says: what was asked must end, in time, and having taken a bounded amount. */
  async goOn(report: (oracle: string, detail: string) => void, beside: () => Promise<void>): Promise<void> {
    const { then, steps } = this.#conversation;
    if (then === undefined) return;
    const { mayLast, roundMs, mostMs } = MANNERS[then];
    if (then === "cuts") for (const wire of this.#wires) wire.reset();
    const lasting = () => {
      // A queue that does not get on is seen by its next frame, unless another that has not ended swallows it.
      const isSeen = then === "queue" && !steps.some(({ kind }) => kind === "raw");
      if (this.#isQueued && !isSeen) return [];
      return this.#asked.filter(({ what, outcome }) => outcome.state === "pending" && !mayLast.includes(what));
    };
    const sent = () => this.#links.reduce((sum, link) => sum + link.sent, 0);
    let passed = 0;
    for (; passed < mostMs && lasting().length > 0 && sent() < MOST_BYTES; passed += roundMs) {
      for (const link of this.#links) link.goOn(MANNERS[then]);
      await this.#clock.advance(roundMs);
      if (passed === 0) await beside();
    }
    for (const { what } of lasting())
      report(
        "endless",
        `${what} still waits after ${passed / 1_000} s and ${sent()} bytes of a server that is for ever: ${then}`,
      );
    if (this.#wires.length > MOST_LINKS) report("endless", `${this.#wires.length} links to a server that cuts them`);
    if (this.#unread > MOST_UNREAD * this.#links.length)
      report("endless", `${this.#unread} messages are taken that nobody reads`);
  }

  /** All links are gone: so must be all that waits. */
  async checkEnd(report: (oracle: string, detail: string) => void, count: (kind: string) => void): Promise<void> {
    const isOver = () =>
      this.#asked.every(({ outcome }) => outcome.state !== "pending") && this.#wires.every(({ closed }) => closed);
    if (!(await within(MAX_TURNS, oneTurn, isOver))) await this.#clock.advance(LATER_MS);
    for (const { what, outcome } of this.#asked) {
      const { error, state } = outcome;
      if (state === "pending") report("hang", `the client still waits for ${what} after its link has ended`);
      else if (state === "rejected" && !(error instanceof CommError && error.code !== "UNEXPECTED")) {
        report("failure", `${what} of the client: ${error instanceof Error ? error.stack : error}`);
      }
      count(`client ${what} ${error instanceof CommError ? error.code : state}`);
    }
    if (this.#clock.pending > 0) report("timer", `${this.#clock.pending} timers of the client are left`);
    // Who waits for ever gives nothing back, which has been told.
    if (this.#asked.some(({ outcome }) => outcome.state === "pending")) return;
    for (const { held } of this.#storages) {
      if (Object.values(held).some((number) => number !== 0)) report("held", `by the client: ${JSON.stringify(held)}`);
    }
  }

  #note(what: string, promise: Promise<unknown>): void {
    this.#asked.push({ what, outcome: watch(promise) });
  }
}
