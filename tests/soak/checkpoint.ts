import { rmSync } from "node:fs";
import { join } from "node:path";
import { Account } from "./account.ts";
import type { Lane } from "./lanes/lane.ts";
import { readLedger } from "./ledger-check.ts";
import { unexplained } from "./leftovers.ts";
import { MemoryTrend } from "./memory-trend.ts";
import type { Plot } from "./plot.ts";
import type { SharedNames } from "./shared-names.ts";
import type { Site } from "./site.ts";
import { lookAt } from "./tree-digests.ts";
import { growthOf, type Vitals, vitalsOf } from "./vitals.ts";

const SEATS = /Seats: (\d+) of \d+ taken, (\d+) waiting/;

export interface CheckpointParts {
  readonly site: Site;
  readonly lanes: readonly Lane[];
  readonly common: Plot;
  readonly shared: SharedNames;
  /** How long to wait for seats and descriptors. */
  readonly settleMs: number;
  /**
   * The last life of the server: garbage is collected in it at each checkpoint, to see what is left. All others collect
   * when they like, as they do anywhere.
   */
  readonly lastLife: number;
}

/** Looks at everything when all is at rest. */
export class Checkpoint {
  readonly #parts: CheckpointParts;
  /** The descriptors of a server that has just begun, and its memory from then on. */
  #fresh: { life: number; vitals: Vitals; trend: MemoryTrend } | undefined;
  #previousAt = 0;
  count = 0;

  constructor(parts: CheckpointParts) {
    this.#parts = parts;
  }

  /** A new life of the server: nobody has come yet. */
  noteFresh(): void {
    const { server } = this.#parts.site;
    this.#fresh = { life: server.lives, vitals: vitalsOf(server.pid), trend: new MemoryTrend() };
  }

  /** At any moment of the load. */
  sampleMemory(): void {
    const { server, findings } = this.#parts.site;
    if (this.#fresh?.life !== server.lives || !server.isUp) return;
    const fault = this.#fresh.trend.sample(vitalsOf(server.pid).rssMegabytes);
    if (fault !== undefined) findings.add("much memory", fault);
  }

  async look(): Promise<void> {
    this.count++;
    for (const lane of this.#parts.lanes) await lane.settle();
    await this.#lookAtSeats();
    this.#lookAtFiles();
    this.#lookAtLedger();
    await this.#lookAtProcess();
    this.#previousAt = Date.now();
  }

  async #lookAtSeats(): Promise<void> {
    const { site } = this.#parts;
    const until = Date.now() + this.#parts.settleMs;
    for (;;) {
      const told = await site.clients.console("status");
      const [, taken, waiting] = SEATS.exec(told) ?? [];
      const isFree = taken === "0" && waiting === "0" && site.events.live.length === 0;
      if (isFree) return;
      if (Date.now() > until) {
        return site.findings.add("seats that are not free", `${site.events.live.join(", ")}: ${told}`);
      }
      await Bun.sleep(200);
    }
  }

  #lookAtFiles(): void {
    const { site, lanes, common, shared } = this.#parts;
    const { findings } = site;
    const { files, unfinished, bytes } = lookAt(site.repository);
    site.worst.note("repository (MB)", bytes / 2 ** 20);
    const plots = [common, ...lanes.flatMap(({ plot }) => plot ?? [])];
    const all = new Account();
    const known = new Set(["shared", ...plots.map(({ name }) => name)]);
    const stray = new Map([...files].filter(([path]) => !known.has(path.split("/")[0] ?? "")));
    for (const fault of all.faults(stray)) findings.add("a file that nobody sent", fault);
    for (const { account, name } of plots) {
      const own = new Map([...files].filter(([path]) => path.startsWith(`${name}/`)));
      for (const fault of account.faults(own)) findings.add("a file of the repository that is not right", fault);
      for (const half of account.settle(own)) findings.add("something in between", half);
    }
    const everybodys = [...files].filter(([path]) => path.startsWith("shared/"));
    const named = new Map(everybodys.map(([path, state]) => [path.slice("shared/".length), state]));
    for (const fault of shared.settle(named)) findings.add("a shared file that is not right", fault);
    this.#lookAtUnfinished(unfinished);
  }

  #lookAtUnfinished(unfinished: readonly string[]): void {
    const { site } = this.#parts;
    const wasKilled = site.disturbances.since("server killed", this.#previousAt);
    const left = unexplained(unfinished, wasKilled);
    if (left.length > 0) site.findings.add("unfinished files that nobody goes on with", left.join(", "));
    // So that those of the next kill are told from these.
    for (const path of unfinished) rmSync(join(site.repository, path), { force: true });
    site.faults.add("orphan left by kill -9", unfinished.length);
  }

  #lookAtLedger(): void {
    const { site } = this.#parts;
    const { live, reasons, total } = readLedger(site.stateDir);
    if (live.length > 0) site.findings.add("live rows in the ledger", live.join(", "));
    const odd = Object.keys(reasons).filter((reason) => ["protocol error", "idle", "kicked", "none"].includes(reason));
    if (odd.length > 0) site.findings.add("sessions that ended oddly", JSON.stringify(reasons));
    site.worst.note("sessions in the ledger", total);
  }

  async #lookAtProcess(): Promise<void> {
    const { site } = this.#parts;
    const fresh = this.#fresh;
    if (fresh === undefined || fresh.life !== site.server.lives) return;
    const until = Date.now() + this.#parts.settleMs;
    let vitals = vitalsOf(site.server.pid);
    for (; this.#growth(fresh.vitals, vitals).length > 0; vitals = vitalsOf(site.server.pid)) {
      if (Date.now() > until) {
        site.findings.add("descriptors that stay open", this.#growth(fresh.vitals, vitals).join(", "));
        break;
      }
      await Bun.sleep(250);
    }
    site.worst.note("descriptors at rest", vitals.count);
    site.worst.note("RSS at rest (MB)", vitals.rssMegabytes);
    if (fresh.life === this.#parts.lastLife) await this.#collect(fresh.trend);
  }

  async #collect(trend: MemoryTrend): Promise<void> {
    const { findings, server, worst } = this.#parts.site;
    const collected = await server.collect();
    worst.note("heap after a collection (MB)", collected.heapMegabytes);
    worst.note("RSS after a collection (MB)", collected.rssMegabytes);
    const fault = trend.note(performance.now() / 60_000, collected);
    if (fault !== undefined) findings.add("memory that grows", fault);
  }

  /** Watching takes one descriptor of the system's, once and for all. */
  #growth(before: Vitals, now: Vitals): string[] {
    return growthOf(before, now).filter((growth) => growth !== "anon_inode:inotify +1");
  }
}
