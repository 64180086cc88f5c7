import { join } from "node:path";
import type { Account } from "../account.ts";
import type { ClientRun } from "../client-run.ts";
import { unexplained } from "../leftovers.ts";
import { Plot } from "../plot.ts";
import type { Site } from "../site.ts";
import { lookAt } from "../tree-digests.ts";
import type { Lane } from "./lane.ts";

/** BUSY for so long is no other link that is seen off. */
const MAX_ROUNDS = 40;
const FAULTS = 0.25;

/** Two at once who want the same: two getters into one folder, and two writers of one name. */
export class PairLane implements Lane {
  readonly name = "pair";
  readonly plot: Plot;
  readonly #common: Account;

  constructor(site: Site, common: Account) {
    this.plot = new Plot(site, "pair", { ways: ["straight", "ipv6", "weather"] });
    this.#common = common;
  }

  async step(): Promise<void> {
    if (this.plot.prng.chance(0.5)) await this.#getters();
    else await this.#writers();
  }

  async settle(): Promise<void> {}

  async #getters(): Promise<void> {
    const { prng } = this.plot;
    const folder = this.plot.newFolder("got");
    const large = this.#common.certain.filter(([path]) => path.split("/").length === 2);
    const source = prng.chance(0.3) ? "common/tree" : prng.pick(large)[0];
    const wanted = this.#common.certain
      .filter(([path]) => path === source || path.startsWith(`${source}/`))
      .map(([path, state]): [string, string] => [path.slice("common/".length), state]);
    // What one has stored the other finds unchanged, or in its way a moment before it has its time.
    const policy = prng.pick([[], ["--overwrite"], ["--skip-existing"]]);
    const args = ["get", source, "--json", ...policy];
    const get = () => this.plot.run(args, { cwd: folder, fault: this.plot.someFault(FAULTS), allowed: [8] });
    const both = await Promise.all([get(), this.#aMomentLater(get)]);
    const last = await this.#finish(args, folder);
    const { files, unfinished } = lookAt(folder);
    const isRight = Bun.deepEquals(Object.fromEntries(files), Object.fromEntries(wanted));
    if (!isRight) this.plot.find("two gets into one folder", `${[...files].join(" ")}\n${last?.lines.join("\n")}`);
    // One that did not get through, killed, interrupted, cut off or refused because the other's file is there, keeps what
    // came, to be gone on with; but then the file is there, and nobody needs it.
    const isKept = both.some(({ code }) => code !== 0);
    const left = isKept ? [] : unexplained(unfinished, true);
    if (left.length > 0) this.plot.find("unfinished files behind two gets", left.join(", "));
    this.plot.drop(folder);
  }

  async #writers(): Promise<void> {
    const { prng, account, site } = this.plot;
    const file = `p${prng.below(2)}.bin`;
    const path = `pair/${file}`;
    const offers = [0, 1].map(() => {
      const folder = this.plot.newFolder("sent");
      const size = prng.pick([prng.below(30_000), prng.between(1_000_000, 5_000_000)]);
      return { folder, sha256: site.contents.make(join(folder, file), size, prng).sha256 };
    });
    for (const { sha256 } of offers) account.doubt(path, sha256);
    const args = ["put", file, "--to", "pair", "--overwrite", "--json"];
    const runs = offers.map(({ folder }) => async () => {
      const run = await this.plot.run(args, { cwd: folder, fault: this.plot.someFault(FAULTS), allowed: [8] });
      if (run.code !== 0) await this.#finish(args, folder);
    });
    const [first, second] = runs;
    await Promise.all([first?.(), second && this.#aMomentLater(second)]);
    const [one, other] = offers.map(({ sha256 }) => sha256);
    // Both were told that theirs is there: the last of them is, and nothing older.
    if (one !== undefined) account.set(path, one);
    if (other !== undefined) account.doubt(path, other);
    for (const fault of account.faults(lookAt(join(site.repository, "pair"), "pair/").files, (at) => at === path)) {
      this.plot.find("two writers of one name", fault);
    }
    for (const { folder } of offers) this.plot.drop(folder);
  }

  async #aMomentLater<T>(work: () => Promise<T>): Promise<T> {
    await Bun.sleep(this.plot.prng.below(60));
    return work();
  }

  /** The same command until it is through. */
  async #finish(args: string[], cwd: string): Promise<ClientRun | undefined> {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const run = await this.plot.runCalmly(args, { cwd, allowed: [8] });
      if (run.code === 0) return run;
      await Bun.sleep(300);
    }
    this.plot.find("one of two that does not end", args.join(" "));
    return undefined;
  }
}
