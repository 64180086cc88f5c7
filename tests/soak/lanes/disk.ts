import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Account } from "../account.ts";
import type { ClientRun } from "../client-run.ts";
import { FickleDisk, TROUBLES } from "../fickle-disk.ts";
import { unexplained } from "../leftovers.ts";
import { Plot } from "../plot.ts";
import type { Site } from "../site.ts";
import { lookAt } from "../tree-digests.ts";
import type { Lane } from "./lane.ts";

const DISK_BYTES = 32 * 2 ** 20;
const NAMES = 3;
/** What a command may end with whose disk is in trouble: 5 and 9 for rights and room, 6 and 8 for what is gone meanwhile. */
const TROUBLED = [5, 6, 8, 9];
/** BUSY for so long is no other link that is seen off. */
const MAX_ROUNDS = 40;

/** Moves files to disks that come and go: what was told to be there is there, and the same command goes on afterwards. */
export class DiskLane implements Lane {
  readonly name = "disk";
  readonly plot: Plot;
  readonly #served: FickleDisk;
  readonly #target: FickleDisk;
  /** What everybody may fetch. */
  readonly #common: Account;

  constructor(site: Site, common: Account) {
    this.plot = new Plot(site, "disk", { ways: ["straight", "ipv6", "weather"] });
    this.#common = common;
    this.#served = new FickleDisk(join(site.repository, "disk"), site.folder("media", "served"), DISK_BYTES);
    site.onEnd(() => this.#served[Symbol.dispose]());
    this.#target = new FickleDisk(site.folder("work", "stick"), site.folder("media", "target"), DISK_BYTES);
    site.onEnd(() => this.#target[Symbol.dispose]());
  }

  async step(): Promise<void> {
    if (this.plot.prng.chance(0.5)) await this.#put();
    else await this.#get();
  }

  async settle(): Promise<void> {}

  async #put(): Promise<void> {
    const { prng, account, site } = this.plot;
    const folder = this.plot.newFolder("sent");
    const file = `d${prng.below(NAMES)}.bin`;
    const { sha256 } = site.contents.make(join(folder, file), prng.between(1_000, 6_000_000), prng);
    const path = `disk/${file}`;
    account.doubt(path, sha256);
    const args = ["put", file, "--to", "disk", "--overwrite", "--json"];
    await this.#untilDone(this.#served, args, folder, (run) => {
      if (!run.events.some(({ event, kind }) => event === "done" && kind === "file")) return;
      account.set(path, sha256);
      const found = lookAt(this.#served.path).files.get(file);
      if (found !== sha256) this.plot.find("a stored file that is not on its disk", run.lines.join("\n"));
    });
    this.plot.drop(folder);
  }

  async #get(): Promise<void> {
    const { path: target } = this.#target;
    const { prng } = this.plot;
    for (const name of readdirSync(target)) rmSync(join(target, name), { recursive: true });
    const large = this.#common.certain.filter(([path]) => path.split("/").length === 2);
    const [source] = prng.chance(0.3) ? ["common/tree"] : prng.pick(large);
    const wanted = new Map(
      this.#common.certain
        .filter(([path]) => path === source || path.startsWith(`${source}/`))
        .map(([path, state]) => [path.slice("common/".length), state]),
    );
    const args = ["get", source, "--output", `${target}/`, "--overwrite", "--json"];
    await this.#untilDone(this.#target, args, this.plot.site.root, (run) => {
      const { files, unfinished } = lookAt(target);
      const told = run.events.filter(({ event, kind }) => event === "done" && kind === "file").length;
      for (const [at, state] of files) {
        if (wanted.get(at) !== state)
          this.plot.find("a fetched file that is not right", `${at}: ${run.lines.join("\n")}`);
      }
      if (files.size < told) this.plot.find("a fetched file that is not on its disk", run.lines.join("\n"));
      if (run.code !== 0) return;
      if (files.size !== wanted.size) this.plot.find("a fetched file that is missing", run.lines.join("\n"));
      // Nothing can be removed from a disk that is away or read-only: a small file may have been under way.
      const left = unexplained(unfinished, true);
      if (left.length > 0) this.plot.find("unfinished files behind a whole get", left.join(", "));
    });
  }

  /** `judge`: each time the disk is all right and nobody writes to it. */
  async #untilDone(disk: FickleDisk, args: string[], cwd: string, judge: (run: ClientRun) => void): Promise<void> {
    const { prng, site } = this.plot;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const isTroubled = round === 0 || (round < 4 && prng.chance(0.5));
      const run = isTroubled ? await this.#runInTrouble(disk, args, cwd) : await this.#runCalmly(args, cwd, round);
      judge(run);
      if (run.code === 0) return;
      await Bun.sleep(300);
    }
    this.plot.find("a transfer that does not go on when its disk is back", args.join(" "));
    site.log.add("clients", `disk: given up ${args.join(" ")}`);
  }

  /** 8: the server has not seen off yet the link of the one before. */
  #runCalmly(args: string[], cwd: string, round: number): Promise<ClientRun> {
    const options = { cwd, allowed: [8] };
    return round > 8 ? this.plot.runCalmly(args, options) : this.plot.run(args, options);
  }

  /** The trouble begins before it, in its middle or behind it, and ends while it is under way or afterwards. */
  async #runInTrouble(disk: FickleDisk, args: string[], cwd: string): Promise<ClientRun> {
    const { prng, site } = this.plot;
    const trouble = prng.pick(TROUBLES);
    const [fromMs, forMs] = [prng.below(700), prng.between(20, 1_500)];
    const running = this.plot.run(args, { cwd, fault: this.plot.someFault(0.1), allowed: TROUBLED });
    await Bun.sleep(fromMs);
    const end = disk.begin(trouble);
    site.faults.add(`disk ${trouble}`);
    site.log.add("clients", `disk: ${trouble} from now on for ${forMs} ms: ${disk.path}`);
    await Bun.sleep(forMs);
    end();
    return running;
  }
}
