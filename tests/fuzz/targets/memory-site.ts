import { Client } from "../../../lib/client/client.ts";
import { COUNTING_MS } from "../../../lib/server/recurring.ts";
import { memoryPair } from "../../../lib/transport/memory-transport.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { watch } from "../../support/outcomes.ts";
import { readWhole } from "../../support/repository.ts";
import { TestServer } from "../../support/test-server.ts";
import { ROLE } from "../admit.ts";
import type { Conversation } from "../conversation.ts";
import { play } from "../player.ts";
import { MODIFIED_AT, SENTINELS, SITE_FILES } from "../site-files.ts";
import type { Stage, Wire } from "../wire.ts";
import { CountedStorage } from "./counted-storage.ts";
import { MemoryWire } from "./memory-wire.ts";
import { checkEvents, isDeserted, isLeft, mayHaveChanged, occupancy } from "./server-oracles.ts";
import { oneTurn, type Site, type SiteOptions, within } from "./site.ts";

const GRACE_MS = 500;
/** Turns that the end of a group may take; a few hundred frames take some dozens. */
const MAX_TURNS = 2_000;

/** A server over memory, with a clock and a storage that know what was not given back. */
export class MemorySite implements Site, Stage {
  readonly speaker = "server";
  readonly patience = { mutated: 4, honest: 500 };
  readonly clock = new FakeClock();
  readonly storage = new CountedStorage();
  readonly test: TestServer;
  readonly #options: SiteOptions;
  readonly #etags = new Map<string, string>();
  isWorn = false;

  private constructor(options: SiteOptions) {
    this.#options = options;
    for (const [path, bytes] of Object.entries({ ...SITE_FILES, ...SENTINELS }))
      this.storage.set(path, bytes, MODIFIED_AT);
    this.test = new TestServer({
      clock: this.clock,
      storage: this.storage,
      maxClients: options.seats,
      maxWaiting: 4,
      graceMs: GRACE_MS,
      limits: { credit: 1_048_576, maxStreams: 8 },
    });
  }

  static async open(options: SiteOptions): Promise<MemorySite> {
    const site = new MemorySite(options);
    await site.clock.advance(1);
    for (const path of Object.keys({ ...SITE_FILES, ...SENTINELS })) {
      site.#etags.set(path, (await site.storage.stat(path)).etag);
    }
    return site;
  }

  dial(onBytes: (bytes: Uint8Array) => void): Wire {
    const [ours, theirs] = memoryPair({ a: "fuzzer", b: "server" });
    const wire = new MemoryWire(ours, onBytes);
    this.test.server.accept(theirs, ROLE);
    return wire;
  }

  turn(): Promise<void> {
    return oneTurn();
  }

  async run(conversations: readonly Conversation[], isHonest: boolean): Promise<void> {
    const { findings, count } = this.#options;
    const report = (oracle: string, detail: string) => findings.add(oracle, detail);
    const options = { stage: this, isHonest, report, count };
    const wires = (await Promise.all(conversations.map((one) => play(one, options)))).flat();
    for (const wire of wires) wire.reset();
    await this.#checkEnd(wires);
    await this.#checkFiles(false);
    checkEvents(this.test.events, findings);
    this.test.events.length = 0;
  }

  async checkHonest(): Promise<void> {
    const [ours, theirs] = memoryPair();
    this.test.server.accept(theirs, ROLE);
    const talk = async (): Promise<void> => {
      const { clock } = this;
      const client = await Client.connect({ transport: ours, clock, agent: "honest", wait: false, timeoutMs: 5_000 });
      const { seats } = await client.status();
      if (seats.taken !== 1) throw new Error(`${seats.taken} seats are taken`);
      if ((await client.send("hello")).text !== "hello ACK") throw new Error("no ACK");
      await client.stat("kept-6f1d9c/sentinel.bin");
      await client.close();
    };
    const talking = watch(talk());
    await within(MAX_TURNS, oneTurn, () => talking.state !== "pending");
    if (talking.state !== "resolved") {
      this.#options.findings.add("honest peer", talking.state === "pending" ? "waits for ever" : String(talking.error));
    }
    ours.abort();
    await within(MAX_TURNS, oneTurn, () => isDeserted(this.test.server));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#checkFiles(true);
    const { server } = this.test;
    const stopped = watch(server.shutdown(0));
    server.abort();
    if (await within(MAX_TURNS, oneTurn, () => stopped.state !== "pending")) return;
    this.#options.findings.add("shutdown", `does not end: ${occupancy(server)}`);
  }

  async #checkEnd(wires: readonly Wire[]): Promise<void> {
    const { findings } = this.#options;
    const { server } = this.test;
    const isOver = () => isLeft(server) && wires.every(({ closed }) => closed);
    if (!(await within(MAX_TURNS, oneTurn, isOver))) {
      const open = wires.filter(({ closed }) => !closed).length;
      findings.add("hang", `${open} links of ${wires.length} are open; ${occupancy(server)}`);
    }
    const isGivenBack = () => Object.values(this.storage.held).every((count) => count === 0);
    await within(MAX_TURNS, oneTurn, isGivenBack);
    if (!isGivenBack()) {
      findings.add("held", JSON.stringify(this.storage.held));
      this.isWorn = true;
    }
    if (server.seats.taken > 0) await this.clock.advance(GRACE_MS);
    if (!isDeserted(server)) findings.add("seat", occupancy(server));
    const { used, waiting } = server.memory;
    if (used + waiting > 0) findings.add("budget", `${used} bytes are reserved, and ${waiting} wait, of nobody`);
    // Refusals that were counted are told at last.
    if (this.clock.pending > 2) await this.clock.advance(COUNTING_MS);
    // The checkpoint of the ledger, and the cleaning of unfinished files.
    if (this.clock.pending !== 2) findings.add("timer", `${this.clock.pending} timers are left, not 2`);
    if (findings.size > 0) this.isWorn = true;
  }

  /** By their etags, which are others after every change; with `isFull` by their bytes too. */
  async #checkFiles(isFull: boolean): Promise<void> {
    for (const [path, bytes] of Object.entries({ ...SITE_FILES, ...SENTINELS })) {
      const etag = await this.storage.stat(path).then(
        (entry) => entry.etag,
        () => "gone",
      );
      if (this.#etags.get(path) === etag) {
        if (!isFull || (await readWhole(this.storage, path, 2 * 1_048_576)).equals(bytes)) continue;
      } else if (isFull) continue;
      this.isWorn = true;
      if (path in SENTINELS || !mayHaveChanged(this.test.events, path)) {
        this.#options.findings.add("file", `${path} has changed, and nobody asked for it`);
      }
    }
  }
}
