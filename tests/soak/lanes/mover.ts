import { Plot } from "../plot.ts";
import type { Site } from "../site.ts";
import { Changes } from "./changes.ts";
import { Gets } from "./gets.ts";
import type { Lane } from "./lane.ts";
import { Looks } from "./looks.ts";
import { Puts } from "./puts.ts";

/** What a lane may have in the repository. */
const MAX_BYTES = 9_000_000;
const FAULTS = 0.22;

/** Sends, fetches, changes and looks at what is its own, and fetches what is everybody's. */
export class MoverLane implements Lane {
  readonly name: string;
  readonly plot: Plot;
  readonly #puts: Puts;
  readonly #gets: Gets;
  readonly #changes: Changes;
  readonly #looks: Looks;
  readonly #common: Plot;

  /** `common` is only read. */
  constructor(site: Site, name: string, common: Plot, options: ConstructorParameters<typeof Plot>[2]) {
    this.name = name;
    this.plot = new Plot(site, name, options);
    this.#common = common;
    this.#puts = new Puts(this.plot);
    this.#gets = new Gets(this.plot);
    this.#changes = new Changes(this.plot);
    this.#looks = new Looks(this.plot);
  }

  async step(): Promise<void> {
    const { prng, account, name } = this.plot;
    const fault = this.plot.someFault(FAULTS);
    if (this.plot.bytes > MAX_BYTES) return this.#changes.remove(fault);
    if (this.#puts.hasPending && prng.chance(0.5)) return this.#puts.resume(fault);
    const isCommon = prng.chance(0.25);
    const [from, root] = isCommon ? ([this.#common.account, "common"] as const) : ([account, name] as const);
    const kind = prng.below(100);
    if (kind < 5) return this.#puts.sendLarge(this.plot.killInTheMiddle());
    if (kind < 10) return this.#gets.fetchLarge(from, this.plot.killInTheMiddle());
    if (kind < 24) return this.#puts.sendFiles(fault);
    if (kind < 33) return this.#puts.sendTree(fault);
    if (kind < 52) return this.#gets.fetch(from, root, fault);
    if (kind < 58) return this.#gets.fetchOver(from);
    if (kind < 65) return this.#changes.remove(fault);
    if (kind < 68) return this.#changes.removeWrongly();
    if (kind < 78) return this.#changes.rename(fault);
    if (kind < 88) return this.#looks.list(from, root);
    if (kind < 94) return this.#looks.digest(from);
    if (kind < 97) return this.#looks.status();
    return this.#looks.ping();
  }

  async settle(): Promise<void> {
    await this.#puts.settle();
  }
}
