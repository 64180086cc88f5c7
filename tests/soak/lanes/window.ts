import { DEFECT } from "../clients.ts";
import { Plot } from "../plot.ts";
import type { Site } from "../site.ts";
import type { Window } from "../window.ts";
import type { Lane } from "./lane.ts";

/** A window's client is gone at once; this is for a machine so busy that a program takes ten seconds to start. */
const PATIENCE_MS = 30_000;
/** 130: it has heard SIGHUP, or that nothing comes any more. 129: by the signal itself, before it could take it. */
const ENDS = [130, 129];

/** A shell whose window is closed: wherever it is, it ends, and its seat is free. */
export class WindowLane implements Lane {
  readonly name = "window";
  readonly #plot: Plot;

  constructor(site: Site) {
    this.#plot = new Plot(site, "window", { ways: ["straight", "ipv6"] });
  }

  async step(): Promise<void> {
    const { site, prng } = this.#plot;
    const way = prng.pick(["straight", "ipv6", "weather"] as const);
    const isDeaf = prng.chance(0.3);
    const cwd = this.#plot.newFolder("got");
    const window = site.clients.openWindow(["shell"], { way, isDeaf, cwd });
    const name = prng.chance(0.8) ? await this.#prompt(window) : undefined;
    if (name !== undefined)
      window.type(prng.pick(["", "half a line", "get common\r", "watch\r", "status\r", "text\r"]));
    await Bun.sleep(prng.below(400));
    // Nobody has closed it then.
    const wasOver = window.isOver;
    const closedAt = Date.now();
    window.close();
    site.faults.add(isDeaf ? "window closed, SIGHUP ignored" : "window closed");
    const code = await window.ended(PATIENCE_MS);
    const isExcused = way === "weather" || site.disturbances.during(window.startedAt, Date.now()) !== undefined;
    const told = `exit ${code} after ${Date.now() - closedAt} ms, ${way}${isDeaf ? ", deaf" : ""}: ${window.text}`;
    site.log.add("clients", `window: ${told}`);
    if (DEFECT.test(window.text)) this.#plot.find("a defect in a window", told);
    if (code === undefined) this.#plot.find("a client that outlives its window", told);
    else if (!ENDS.includes(code) && !(isExcused || wasOver)) this.#plot.find("an exit code of a closed window", told);
    if (name !== undefined && !isExcused) await this.#requireFree(name, told);
    this.#plot.drop(cwd);
  }

  async settle(): Promise<void> {}

  /** The name of its session, once it has one; undefined when it takes too long. */
  async #prompt(window: Window): Promise<string | undefined> {
    for (const until = Date.now() + PATIENCE_MS; Date.now() < until && !window.isOver; await Bun.sleep(15)) {
      const [, name] = /(Client\d+)> /.exec(window.text) ?? [];
      if (name !== undefined) return name;
    }
    return undefined;
  }

  async #requireFree(name: string, told: string): Promise<void> {
    const { events } = this.#plot.site;
    const until = Date.now() + PATIENCE_MS;
    while (events.live.includes(name) && Date.now() < until) await Bun.sleep(20);
    if (events.live.includes(name)) this.#plot.find("a closed window that keeps its seat", `${name}: ${told}`);
  }
}
