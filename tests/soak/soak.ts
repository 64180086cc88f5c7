import { join } from "node:path";
import { Prng } from "../fuzz/prng.ts";
import { Checkpoint } from "./checkpoint.ts";
import { missingDisk } from "./fickle-disk.ts";
import { Gate } from "./gate.ts";
import { BurstLane } from "./lanes/burst.ts";
import { DiskLane } from "./lanes/disk.ts";
import { GrowingLane } from "./lanes/growing.ts";
import { IntruderLane } from "./lanes/intruder.ts";
import type { Lane } from "./lanes/lane.ts";
import { MoverLane } from "./lanes/mover.ts";
import { PairLane } from "./lanes/pair.ts";
import { SharedLane } from "./lanes/shared.ts";
import { TalkLane } from "./lanes/talk.ts";
import { WatchLane } from "./lanes/watch.ts";
import { WindowLane } from "./lanes/window.ts";
import { FaultyOperator } from "./operator.ts";
import type { SoakOptions } from "./options.ts";
import { Plot } from "./plot.ts";
import { type Report, reportOf } from "./report.ts";
import { SharedNames } from "./shared-names.ts";
import { Site } from "./site.ts";
import { vitalsOf } from "./vitals.ts";

/** The longest that one step may take, with all its attempts to come back. */
const STEP_MS = 240_000;
const PROGRESS_MS = 10_000;
const SAMPLE_MS = 1_000;

/** Load the programs with everything at once for a while, and look at what has become of it. */
export async function soak(options: SoakOptions): Promise<Report> {
  await using site = await Site.open(options);
  const startedAt = Date.now();
  const run = new SoakRun(site, options);
  await run.run();
  return reportOf(site, { seconds: (Date.now() - startedAt) / 1000, checkpoints: run.checkpoints });
}

class SoakRun {
  readonly #site: Site;
  readonly #options: SoakOptions;
  readonly #gate = new Gate();
  readonly #lanes: Lane[];
  readonly #checkpoint: Checkpoint;
  readonly #common: Plot;
  #isOver = false;
  /** Milliseconds under load, and since when it has been on. */
  #loadedMs = 0;
  #loadedSince = Date.now();

  constructor(site: Site, options: SoakOptions) {
    this.#site = site;
    this.#options = options;
    this.#common = commonPlot(site);
    const shared = new SharedNames();
    this.#lanes = [
      new MoverLane(site, "m1", this.#common, { ways: ["straight"] }),
      new MoverLane(site, "m2", this.#common, { ways: ["straight", "ipv6"], token: "second" }),
      new MoverLane(site, "m3", this.#common, { ways: ["weather"] }),
      new MoverLane(site, "m4", this.#common, { ways: ["weather", "straight"] }),
      new SharedLane(site, "s1", shared, { ways: ["straight"], token: "second" }),
      new SharedLane(site, "s2", shared, { ways: ["straight", "weather"] }),
      new TalkLane(site),
      new WatchLane(site),
      new GrowingLane(site),
      new WindowLane(site),
      new PairLane(site, this.#common.account),
      ...this.#diskLanes(),
      new BurstLane(site),
      new IntruderLane(site),
    ];
    const settleMs = options.settleSeconds * 1000;
    this.#checkpoint = new Checkpoint({
      site,
      lanes: this.#lanes,
      common: this.#common,
      shared,
      settleMs,
      lastLife: options.kills + 1,
    });
  }

  #diskLanes(): Lane[] {
    const missing = missingDisk();
    if (missing === undefined) return [new DiskLane(this.#site, this.#common.account)];
    this.#options.print(`no disks that come and go: ${missing}`);
    return [];
  }

  get checkpoints(): number {
    return this.#checkpoint.count;
  }

  async run(): Promise<void> {
    const { seconds, checkpointSeconds, kills } = this.#options;
    const ms = seconds * 1000;
    this.#checkpoint.noteFresh();
    const operator = new FaultyOperator(this.#site, { ms, kills, onRestart: () => this.#checkpoint.noteFresh() });
    const parties = [
      ...this.#lanes.map((lane) => this.#drive(lane)),
      operator.run(
        this.#gate,
        () => this.#elapsed,
        () => this.#isOver,
      ),
    ];
    const progress = setInterval(() => this.#tellProgress(), PROGRESS_MS);
    const sampling = setInterval(() => this.#checkpoint.sampleMemory(), SAMPLE_MS);
    try {
      // What it took to get here is no load.
      this.#loadedSince = Date.now();
      do {
        await Bun.sleep(Math.max(0, Math.min(checkpointSeconds * 1000, ms - this.#elapsed)));
        if (!(await this.#pause())) return;
      } while (this.#elapsed < ms);
      this.#isOver = true;
      this.#gate.open();
      await Promise.all(parties);
    } finally {
      this.#isOver = true;
      clearInterval(progress);
      clearInterval(sampling);
    }
    await this.#end();
  }

  get #elapsed(): number {
    return this.#gate.isClosed ? this.#loadedMs : this.#loadedMs + Date.now() - this.#loadedSince;
  }

  /** Let all come to rest, and look. @returns false when they do not */
  async #pause(): Promise<boolean> {
    const { weather, findings } = this.#site;
    this.#loadedMs = this.#elapsed;
    weather.isCalm = true;
    if (!(await this.#gate.close(STEP_MS))) {
      findings.add("something that does not end", this.#gate.busy.join(", "));
      return false;
    }
    await this.#options.plant?.(this.#site);
    await this.#checkpoint.look();
    this.#tellProgress();
    weather.isCalm = false;
    if (this.#loadedMs + 1_000 >= this.#options.seconds * 1000) this.#loadedMs = this.#options.seconds * 1000;
    this.#loadedSince = Date.now();
    if (this.#loadedMs < this.#options.seconds * 1000) this.#gate.open();
    return true;
  }

  /** SIGTERM at the end: in order, and with exit code 0. */
  async #end(): Promise<void> {
    const { server, findings, clients } = this.#site;
    const code = await server.stop();
    if (code !== 0) findings.add("a server that does not stop in order", `exit code ${code}`);
    if (clients.running > 0) findings.add("clients that are left", `${clients.running}`);
  }

  async #drive(lane: Lane): Promise<void> {
    const prng = Prng.of(this.#site.seed, lane.name, 1);
    while (!this.#isOver) {
      await this.#gate.pass(lane.name, async () => {
        if (this.#isOver) return;
        try {
          await lane.step();
        } catch (thrown) {
          const why = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
          this.#site.findings.add("the soak itself has failed", `${lane.name}: ${why}`);
        }
      });
      await Bun.sleep(prng.between(50, 400));
    }
  }

  #tellProgress(): void {
    const { operations, faults, findings, server, worst } = this.#site;
    if (!server.isUp) return;
    const { count, rssMegabytes } = vitalsOf(server.pid);
    worst.note("descriptors", count);
    worst.note("RSS (MB)", rssMegabytes);
    const state = this.#gate.isClosed ? `checkpoint ${this.#checkpoint.count}` : "load";
    this.#options.print(
      `${(this.#elapsed / 1000).toFixed(0)} s ${state}: ${operations.total} operations, ${faults.total} faults, ` +
        `${server.lives} lives, RSS ${rssMegabytes.toFixed(0)} MB, ${count} descriptors, ${findings.all.length} found`,
    );
  }
}

/** What everybody reads and nobody changes. */
function commonPlot(site: Site): Plot {
  const plot = new Plot(site, "common", { ways: ["straight"] });
  const { prng, account } = plot;
  const sizes = [0, 1, 700, 40_000, 300_000, 2 ** 20, 2 ** 20 + 1, 3_500_000, 6_000_000];
  const names = sizes.map((size, at) => [`c${at}.bin`, size] as const);
  const small = Array.from({ length: 60 }, (_, at) => [`tree/${at % 5}/t${at}.txt`, prng.below(9_000)] as const);
  for (const [name, size] of [...names, ...small]) {
    const { sha256 } = site.contents.make(join(site.repository, "common", name), size, prng);
    account.set(`common/${name}`, sha256);
  }
  return plot;
}
