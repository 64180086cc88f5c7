import { ABSENT, type Account } from "../account.ts";
import type { Plot } from "../plot.ts";

/** Lists, digests, states: what the server says of a plot must be what is in the account. */
export class Looks {
  readonly #plot: Plot;

  constructor(plot: Plot) {
    this.#plot = plot;
  }

  async list(account: Account, root: string): Promise<void> {
    const { prng, site } = this.#plot;
    const [glob, fits] = prng.pick<readonly [string, (path: string) => boolean]>([
      [root, () => true],
      [`${root}/`, () => true],
      [`${root}/**`, () => true],
      [`${root}/*.bin`, (path) => path.endsWith(".bin") && path.split("/").length === 2],
      [`${root}/**/*.{txt,dat}`, (path) => /\.(txt|dat)$/.test(path)],
      [`${root}/[a-f]*`, (path) => /^[a-f][^/]*$/.test(path.slice(root.length + 1))],
    ]);
    const isCertain = account.certain.some(([path]) => path.startsWith(`${root}/`));
    const run = await this.#plot.run(["list", glob, "--json"], { allowed: isCertain ? [] : [6] });
    if (run.code !== 0) return;
    const entries = run.json as { path: string; kind: string; size: number }[];
    const sizes = new Map(entries.filter(({ kind }) => kind === "file").map(({ path, size }) => [path, size]));
    const paths = new Set([
      ...sizes.keys(),
      ...account.paths.filter((path) => path.startsWith(`${root}/`) && fits(path)),
    ]);
    for (const path of paths) {
      const wanted = [...account.statesOf(path)].map((state) =>
        state === ABSENT ? undefined : site.contents.sizes.get(state),
      );
      if (fits(path) && wanted.includes(sizes.get(path))) continue;
      this.#plot.find(
        "a list that is not right",
        `${glob}: ${path} of ${sizes.get(path)} B, not ${wanted.join(" or ")}`,
      );
    }
  }

  async digest(account: Account): Promise<void> {
    const { prng } = this.#plot;
    if (account.certain.length === 0) return;
    const [path, state] = prng.pick(account.certain);
    const run = await this.#plot.run(["digest", path, "--json"]);
    if (run.code !== 0) return;
    const { sha256 } = run.json as { sha256: string };
    if (sha256 !== state) this.#plot.find("a digest that is not right", `${path}: ${sha256}, not ${state}`);
  }

  async status(): Promise<void> {
    const run = await this.#plot.run(["status", "--json", "--limit", `${this.#plot.prng.between(1, 40)}`]);
    if (run.code !== 0) return;
    const { seats } = run.json as { seats: { taken: number; max: number } };
    if (seats.taken > seats.max || seats.taken < 1) this.#plot.find("seats that can't be", run.lines.join(""));
  }

  async ping(): Promise<void> {
    await this.#plot.run(["ping", "--count", `${this.#plot.prng.between(1, 5)}`]);
  }
}
