import { Prng } from "../fuzz/prng.ts";
import type { Gate } from "./gate.ts";
import type { Site } from "./site.ts";

/** Disturbs the server: stops it, drains it, kills it, says something to all. */
export class FaultyOperator {
  readonly #site: Site;
  readonly #prng: Prng;
  readonly #onRestart: () => void;
  /** When to kill the server, in milliseconds of load. */
  readonly #kills: number[];

  /** `kills` in the first half of `ms`: the second is one life, whose memory is judged. */
  constructor(site: Site, options: { ms: number; kills: number; onRestart(): void }) {
    this.#site = site;
    this.#prng = Prng.of(site.seed, "operator", 0);
    this.#onRestart = options.onRestart;
    const share = options.ms / 2 / Math.max(1, options.kills);
    this.#kills = Array.from({ length: options.kills }, (_, at) => share * (at + 0.2 + 0.6 * this.#prng.next()));
  }

  /** Until `isOver`, in between checkpoints. */
  async run(gate: Gate, elapsed: () => number, isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      await gate.pass("operator", async () => {
        if (!isOver()) await this.#step(elapsed());
      });
      for (let waits = this.#prng.between(10, 60); waits > 0 && !isOver() && !this.#isDue(elapsed()); waits--) {
        await Bun.sleep(150);
      }
    }
  }

  #isDue(ms: number): boolean {
    return (this.#kills[0] ?? Number.POSITIVE_INFINITY) <= ms;
  }

  async #step(ms: number): Promise<void> {
    const { server, faults, clients } = this.#site;
    if (this.#isDue(ms)) {
      this.#kills.shift();
      faults.add("server kill");
      await server.restart(this.#prng.pick([0, 300, 2_500]));
      return this.#onRestart();
    }
    const kind = this.#prng.next();
    if (kind < 0.35) {
      faults.add("server stop");
      await server.freeze(this.#prng.between(300, 1_500));
    } else if (kind < 0.6) {
      faults.add("drain");
      await this.#drain();
    } else {
      await clients.console(this.#prng.pick(["status", "unfinished", "the server moves at noon"]));
    }
  }

  async #drain(): Promise<void> {
    const { clients, disturbances } = this.#site;
    const end = disturbances.begin("drain");
    await clients.console("drain");
    await Bun.sleep(this.#prng.between(200, 1_500));
    await clients.console("drain", "off");
    end();
  }
}
