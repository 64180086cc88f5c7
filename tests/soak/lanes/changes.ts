import { ABSENT } from "../account.ts";
import type { ClientFault } from "../client-run.ts";
import type { Plot } from "../plot.ts";

/** Removes and renames what is in a plot. */
export class Changes {
  readonly #plot: Plot;

  constructor(plot: Plot) {
    this.#plot = plot;
  }

  async remove(fault: ClientFault | undefined): Promise<void> {
    const target = this.#someTarget();
    if (target === undefined) return;
    const { account } = this.#plot;
    const paths = this.#below(target);
    const recursive = paths.includes(target) ? [] : ["--recursive"];
    const run = await this.#plot.run(["remove", target, "--json", ...recursive], { fault });
    for (const path of paths) {
      if (run.code === 0) account.set(path, ABSENT);
      else account.doubt(path, ABSENT);
    }
  }

  /** Without what it takes to remove a folder that is not empty, and what is not there. */
  async removeWrongly(): Promise<void> {
    const { name, prng } = this.#plot;
    const folder = this.#plot.account.certain.map(([path]) => path.split("/")).find((parts) => parts.length > 2);
    const isFolder = folder !== undefined && prng.chance(0.5);
    const target = isFolder ? `${name}/${folder[1]}` : `${name}/nothing.here`;
    const run = await this.#plot.run(["remove", target, "--json"], { allowed: [isFolder ? 8 : 6] });
    if (run.code === 0) this.#plot.find("a remove that should have failed", run.args.join(" "));
  }

  async rename(fault: ClientFault | undefined): Promise<void> {
    const from = this.#someTarget();
    if (from === undefined) return;
    const { account, prng, name } = this.#plot;
    const paths = this.#below(from);
    const isFile = paths.includes(from);
    const others = account.certain.map(([path]) => path).filter((path) => path !== from);
    const taken = isFile && others.length > 0 && prng.chance(0.3) ? prng.pick(others) : undefined;
    const to = taken ?? `${name}/${isFile ? this.#plot.newName(".bin") : `moved${prng.below(1_000_000)}`}`;
    const overwrite = prng.chance(0.5);
    const isConflict = taken !== undefined && !overwrite;
    const flags = overwrite ? ["--overwrite"] : [];
    const allowed = isConflict ? [8] : [];
    const run = await this.#plot.run(["rename", from, to, "--json", ...flags], { fault, allowed });
    if (isConflict) {
      if (run.code === 0) this.#plot.find("a rename that replaced a file", run.args.join(" "));
      return;
    }
    const moves = paths.map((path) => {
      const [state = ABSENT] = account.statesOf(path);
      return { from: path, to: to + path.slice(from.length), state };
    });
    if (run.code !== 0) return account.doubtMove(moves);
    for (const move of moves) {
      account.set(move.from, ABSENT);
      account.set(move.to, move.state);
    }
  }

  /** A file, or a folder below which nothing is in doubt. */
  #someTarget(): string | undefined {
    const { account, prng } = this.#plot;
    const { certain } = account;
    if (certain.length === 0) return undefined;
    const [path] = prng.pick(certain);
    const parts = path.split("/");
    const folder = parts.slice(0, 2).join("/");
    const isFolderSure =
      parts.length > 2 && !account.paths.some((at) => at.startsWith(`${folder}/`) && account.isInDoubt(at));
    return isFolderSure && prng.chance(0.6) ? folder : path;
  }

  #below(target: string): string[] {
    return this.#plot.account.paths.filter((path) => path === target || path.startsWith(`${target}/`));
  }
}
