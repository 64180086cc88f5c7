import { join } from "node:path";
import { ABSENT } from "../account.ts";
import { someSize } from "../contents.ts";
import { unexplained } from "../leftovers.ts";
import { Plot } from "../plot.ts";
import type { Offer, SharedNames } from "../shared-names.ts";
import type { Site } from "../site.ts";
import { lookAt } from "../tree-digests.ts";
import type { Lane } from "./lane.ts";

const NAMES = 5;
const FAULTS = 0.2;
/** BUSY for so long is no other link that is seen off. */
const MAX_ROUNDS = 40;

interface Pending {
  readonly folder: string;
  readonly file: string;
  readonly offer: Offer;
}

/** Writes to names that others write to as well, and reads them meanwhile. */
export class SharedLane implements Lane {
  readonly name: string;
  readonly #plot: Plot;
  readonly #names: SharedNames;
  readonly #pending: Pending[] = [];

  constructor(site: Site, name: string, names: SharedNames, options: ConstructorParameters<typeof Plot>[2]) {
    this.name = name;
    this.#plot = new Plot(site, name, options);
    this.#names = names;
  }

  async step(): Promise<void> {
    const pending = this.#pending.shift();
    if (pending !== undefined) return this.#send(pending, false);
    if (this.#plot.prng.chance(0.5)) return this.#fetch();
    const { prng, site } = this.#plot;
    const folder = this.#plot.newFolder("sent");
    const file = `s${prng.below(NAMES)}.bin`;
    const { sha256 } = site.contents.make(join(folder, file), Math.min(someSize(prng), 2_500_000), prng);
    return this.#send({ folder, file, offer: this.#names.offer(file, sha256) }, false);
  }

  async settle(): Promise<void> {
    for (let rounds = 0; this.#pending.length > 0; rounds++) {
      const [pending] = this.#pending.splice(0, 1);
      if (rounds > MAX_ROUNDS) return this.#plot.find("a put that can't be finished", `${pending?.file}`);
      if (rounds > 0) await Bun.sleep(300);
      if (pending !== undefined) await this.#send(pending, true);
    }
  }

  async #send(pending: Pending, isCalm: boolean): Promise<void> {
    const { folder, file, offer } = pending;
    const args = ["put", file, "--to", "shared", "--overwrite", "--json"];
    const fault = isCalm ? undefined : this.#plot.someFault(FAULTS);
    const options = { cwd: folder, fault, allowed: [8] };
    const run = await (isCalm ? this.#plot.runCalmly(args, options) : this.#plot.run(args, options));
    const isDone = run.events.some(({ event }) => event === "done");
    if (isDone) offer.to = Date.now();
    offer.isDone ||= isDone;
    if (isDone) return this.#plot.drop(folder);
    if (run.code === 0) this.#plot.find("a put that says nothing of a file", run.lines.join("\n"));
    this.#pending.push(pending);
  }

  async #fetch(): Promise<void> {
    const folder = this.#plot.newFolder("got");
    const file = `s${this.#plot.prng.below(NAMES)}.bin`;
    // Read before: it may be done meanwhile.
    const mayBeAbsent = this.#names.couldBe(file, ABSENT);
    const fault = this.#plot.someFault(FAULTS);
    // 8: it changed again and again while it was fetched.
    const run = await this.#plot.run(["get", `shared/${file}`, "--json"], { cwd: folder, fault, allowed: [6, 8] });
    const { files, unfinished } = lookAt(folder);
    for (const [at, state] of files) {
      if (at === file && this.#names.couldBe(file, state)) continue;
      this.#plot.find("a fetched file that nobody sent", `${at} ${state}: ${run.lines.join("\n")}`);
    }
    if (run.code === 0 && files.size !== 1) this.#plot.find("a fetched file that is not there", run.lines.join("\n"));
    if (run.code === 6 && !mayBeAbsent) this.#plot.find("a file that was lost", `${file}: ${run.stderr}`);
    const left = run.code === 0 ? unexplained(unfinished, false) : [];
    if (left.length > 0) this.#plot.find("unfinished files behind a whole get", left.join(", "));
    this.#plot.drop(folder);
  }
}
