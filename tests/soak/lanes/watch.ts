import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Plot } from "../plot.ts";
import type { Site } from "../site.ts";
import { sha256 } from "../tree-digests.ts";
import type { Lane } from "./lane.ts";

/** It waits for a seat as well. */
const PATIENCE_MS = 40_000;
const GLOBS = ["", "watched", "watched/*.txt", "**/*.txt"];

/** Watches while it changes something, until it is told of that. */
export class WatchLane implements Lane {
  readonly name = "watched";
  readonly plot: Plot;
  #round = 0;

  constructor(site: Site) {
    this.plot = new Plot(site, "watched", { ways: ["straight", "ipv6"] });
  }

  async step(): Promise<void> {
    const { site, prng } = this.plot;
    const way = prng.pick(["straight", "ipv6", "weather"] as const);
    const glob = prng.pick(GLOBS);
    const args = ["watch", ...(glob === "" ? [] : [glob]), "--json", "--reconnect", "30"];
    const watch = site.clients.begin(args, { way });
    const told = () => watch.events.some(({ path }) => path === "watched/probe.txt");
    const isSeen = await this.#provoke(told, () => watch.isOver);
    const isDisturbed = way === "weather" || site.disturbances.during(watch.startedAt, Date.now()) !== undefined;
    if (!isSeen && !isDisturbed) this.plot.find("a watch that says nothing", `${glob}: ${watch.lines.join("\n")}`);
    await Bun.sleep(prng.below(1_500));
    watch.fault = watch.isOver ? undefined : prng.pick(["kill", "interrupt"]);
    watch.signal(watch.fault === "kill" ? "SIGKILL" : "SIGINT");
    // 6: what it is to watch is not there yet.
    await site.clients.finish(watch, { way, allowed: [6] });
  }

  async settle(): Promise<void> {}

  /** Send it again and again, changed, until the watch has told it: the first may come before it has begun. */
  async #provoke(told: () => boolean, isOver: () => boolean): Promise<boolean> {
    const folder = this.plot.newFolder("sent");
    const { account, site } = this.plot;
    const until = Date.now() + PATIENCE_MS;
    while (!told() && !isOver() && Date.now() < until) {
      const content = Buffer.from(`${++this.#round}`.padStart(1 + (this.#round % 5_000)));
      const state = sha256(content);
      site.contents.sizes.set(state, content.length);
      writeFileSync(join(folder, "probe.txt"), content);
      const run = await this.plot.run(["put", "probe.txt", "--to", "watched", "--overwrite", "--json"], {
        cwd: folder,
      });
      if (run.code === 0) account.set("watched/probe.txt", state);
      else account.doubt("watched/probe.txt", state);
      await Bun.sleep(150);
    }
    this.plot.drop(folder);
    return told();
  }
}
