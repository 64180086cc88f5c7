import { Plot } from "../plot.ts";
import type { Site } from "../site.ts";
import type { Lane } from "./lane.ts";

/** Many short sessions at once, more than there are seats. */
export class BurstLane implements Lane {
  readonly name = "burst";
  readonly #plot: Plot;

  constructor(site: Site) {
    this.#plot = new Plot(site, "burst", { ways: ["straight", "straight", "ipv6", "weather"], token: "second" });
  }

  async step(): Promise<void> {
    const { prng } = this.#plot;
    const count = prng.between(2, 10);
    await Promise.all(Array.from({ length: count }, () => this.#one()));
    await Bun.sleep(prng.between(500, 3_000));
  }

  async settle(): Promise<void> {}

  async #one(): Promise<void> {
    const { prng } = this.#plot;
    const args = prng.pick([["ping", "--count", "1"], ["list", "common"], ["status"], ["send", "short"]]);
    await this.#plot.run(args, { isImpatient: prng.chance(0.3), fault: this.#plot.someFault(0.08) });
  }
}
