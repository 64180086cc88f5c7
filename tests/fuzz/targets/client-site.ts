import { Client } from "../../../lib/client/client.ts";
import { CommError } from "../../../lib/errors.ts";
import { memoryPair } from "../../../lib/transport/memory.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { type Watched, watch } from "../../support/outcomes.ts";
import type { Conversation } from "../conversation.ts";
import { play } from "../player.ts";
import type { Stage, Wire } from "../wire.ts";
import { CALLS } from "./client-calls.ts";
import { CountedStorage } from "./counted-storage.ts";
import { MemoryWire } from "./memory-wire.ts";
import { oneTurn, type Site, type SiteOptions, within } from "./site.ts";

const MAX_TURNS = 2_000;
/** Longer than any retry and any wait of a client. */
const LATER_MS = 120_000;

/** Clients under test, each of which meets a server that is all the fuzzer's. */
export class ClientSite implements Site {
  readonly #options: SiteOptions;
  readonly isWorn = false;

  constructor(options: SiteOptions) {
    this.#options = options;
  }

  async run(conversations: readonly Conversation[], isHonest: boolean): Promise<void> {
    const { findings, count } = this.#options;
    const report = (oracle: string, detail: string) => findings.add(oracle, detail);
    const one = async (conversation: Conversation): Promise<void> => {
      const stage = new ClientStage(conversation.wait);
      for (const wire of await play(conversation, { stage, isHonest, report, count })) wire.reset();
      await stage.checkEnd(report, count);
    };
    await Promise.all(conversations.map(one));
  }

  /** There is nobody to serve. */
  async checkHonest(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** The clients of one conversation: a new one for each link. */
class ClientStage implements Stage {
  readonly speaker = "client";
  readonly patience = { mutated: 4, honest: 500 };
  readonly #clock = new FakeClock();
  readonly #wait: boolean;
  readonly #storages: CountedStorage[] = [];
  readonly #asked: { what: string; outcome: Watched<unknown> }[] = [];
  readonly #wires: Wire[] = [];
  #client: Promise<Client> | undefined;

  constructor(wait: boolean) {
    this.#wait = wait;
  }

  dial(onBytes: (bytes: Uint8Array) => void): Wire {
    const [ours, theirs] = memoryPair();
    const wire = new MemoryWire(ours, onBytes);
    const [clock, wait] = [this.#clock, this.#wait];
    const onMessage = () => {};
    this.#client = Client.connect({
      transport: theirs,
      clock,
      agent: "fuzzed",
      wait,
      timeoutMs: 5_000,
      resume: "",
      onMessage,
    });
    this.#note("connect", this.#client);
    this.#wires.push(wire);
    return wire;
  }

  turn(): Promise<void> {
    return oneTurn();
  }

  call(what: string): void {
    const local = new CountedStorage();
    this.#storages.push(local);
    const ask = CALLS[what];
    const connecting = this.#client;
    if (ask === undefined || connecting === undefined) throw new Error(`Nobody can be asked for ${what}.`);
    this.#note(
      what,
      connecting.then((client) => ask({ client, clock: this.#clock, local })),
    );
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
