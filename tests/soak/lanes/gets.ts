import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Account } from "../account.ts";
import type { ClientFault, ClientRun } from "../client-run.ts";
import { unexplained } from "../leftovers.ts";
import type { Plot } from "../plot.ts";
import { lookAt } from "../tree-digests.ts";
import { copyOf, MAX_DIGESTS, MODE_FLAGS, type Mode } from "./puts.ts";

/** A get that is disturbed again and again: then nobody disturbs it. */
const MAX_ATTEMPTS = 12;

/** What a `get` asks for. */
interface Request {
  readonly source: string;
  /** Paths of the account that it selects, as they should arrive: undefined for those that it does not. */
  place(path: string): string | undefined;
}

/** Fetches what is in an account, and compares every byte. */
export class Gets {
  readonly #plot: Plot;

  constructor(plot: Plot) {
    this.#plot = plot;
  }

  /** A file, a folder, a pattern, or all below `root`. */
  async fetch(account: Account, root: string, fault: ClientFault | undefined): Promise<void> {
    const request = this.#someRequest(account, root);
    if (request !== undefined) await this.#fetch(account, request, fault);
  }

  /** One of several blocks. */
  async fetchLarge(account: Account, fault: ClientFault | undefined): Promise<void> {
    const { prng, site } = this.#plot;
    const large = account.certain.filter(([, state]) => (site.contents.sizes.get(state) ?? 0) > 2_000_000);
    if (large.length === 0) return;
    const [source] = prng.pick(large);
    const name = source.split("/").at(-1);
    await this.#fetch(account, { source, place: (path) => (path === source ? name : undefined) }, fault);
  }

  async #fetch(account: Account, request: Request, fault: ClientFault | undefined): Promise<void> {
    const folder = this.#plot.newFolder("got");
    let wasKilled = false;
    let run: ClientRun;
    for (let attempt = 1; ; attempt++) {
      const isLast = attempt >= MAX_ATTEMPTS;
      const options = {
        cwd: folder,
        fault: attempt <= 2 ? fault : undefined,
        allowed: this.#allowed(account, request),
      };
      const isFew = account.paths.filter((path) => request.place(path) !== undefined).length <= MAX_DIGESTS;
      const digest = attempt === 1 && isFew && this.#plot.prng.chance(0.15) ? ["--digest"] : [];
      const args = ["get", request.source, "--json", ...digest];
      run = await (isLast ? this.#plot.runCalmly(args, options) : this.#plot.run(args, options));
      wasKilled ||= run.fault === "kill" || run.code === 130;
      this.#compare(account, request, folder, run, { isWhole: run.code === 0, wasKilled });
      if (run.code === 0 || run.code === 6 || run.code === 8 || isLast) break;
      await Bun.sleep(this.#plot.prng.below(100) * attempt);
    }
    this.#plot.drop(folder);
  }

  /** One file to where another is: each way to deal with that. */
  async fetchOver(account: Account): Promise<void> {
    const { prng, site } = this.#plot;
    if (account.certain.length === 0) return;
    const [path, state] = prng.pick(account.certain);
    const name = path.split("/").at(-1) ?? "";
    const folder = this.#plot.newFolder("got");
    mkdirSync(folder, { recursive: true });
    const mine = site.contents.make(join(folder, name), prng.below(50_000), prng);
    const mode = prng.pick<Mode>(["fail", "skip", "overwrite", "rename"]);
    const allowed = mode === "fail" ? [8] : [];
    const run = await this.#plot.run(["get", path, "--json", ...MODE_FLAGS[mode]], { cwd: folder, allowed });
    const kept = { [name]: mine.sha256 };
    const wanted = {
      fail: kept,
      skip: kept,
      overwrite: { [name]: state },
      rename: { ...kept, [copyOf(name, 1)]: state },
    }[mode];
    const found = Object.fromEntries(lookAt(folder).files);
    const isRight = Bun.deepEquals(found, wanted) || (run.code !== 0 && Bun.deepEquals(found, kept));
    if (!isRight) this.#find("a get over a file", run, JSON.stringify({ mode, found, wanted }));
    this.#plot.drop(folder);
  }

  #someRequest(account: Account, root: string): Request | undefined {
    const { prng } = this.#plot;
    const { certain } = account;
    if (certain.length === 0) return undefined;
    const [path] = prng.pick(certain);
    const parts = path.split("/");
    const kind = prng.next();
    if (kind < 0.1) return { source: root, place: (other) => (other.startsWith(`${root}/`) ? other : undefined) };
    if (kind < 0.25) {
      const isWanted = (other: string) => other.startsWith(`${root}/`) && other.endsWith(".txt");
      return {
        source: `${root}/**/*.txt`,
        place: (other) => (isWanted(other) ? other.slice(root.length + 1) : undefined),
      };
    }
    const depth = kind < 0.6 ? parts.length : Math.min(2, parts.length);
    const source = parts.slice(0, depth).join("/");
    const above = parts.slice(0, depth - 1).join("/").length + 1;
    const isBelow = (other: string) => other === source || other.startsWith(`${source}/`);
    return { source, place: (other) => (isBelow(other) ? other.slice(above) : undefined) };
  }

  /** What is in doubt may come, go and change while it is fetched; and a pattern may select nothing. */
  #allowed(account: Account, { place }: Request): number[] {
    const selected = account.paths.filter((path) => place(path) !== undefined);
    if (selected.length === 0) return [6];
    return selected.some((path) => account.isInDoubt(path)) ? [6, 8] : [];
  }

  #compare(
    account: Account,
    { place, source }: Request,
    folder: string,
    run: ClientRun,
    { isWhole, wasKilled }: { isWhole: boolean; wasKilled: boolean },
  ): void {
    const { files, unfinished } = lookAt(folder);
    const wanted = new Map(
      account.paths.flatMap((path) => [[place(path), path] as const]).filter(([at]) => at !== undefined),
    );
    for (const [at, state] of files) {
      const path = wanted.get(at);
      if (path === undefined || !account.mayBe(path, state)) this.#find("a fetched file that is not right", run, at);
    }
    const told = run.events.filter(({ event, kind }) => event === "done" && kind === "file");
    for (const { target } of told) {
      if (!files.has(String(target))) this.#find("a fetched file that is not there", run, String(target));
    }
    if (!isWhole) return;
    for (const [at, path] of wanted) {
      const isMissing = at !== undefined && !files.has(at) && !account.mayBe(path, "absent");
      if (isMissing) this.#find("a get that leaves out a file", run, `${at} of ${source}`);
    }
    const left = unexplained(unfinished, wasKilled);
    if (left.length > 0) this.#find("unfinished files behind a whole get", run, left.join(", "));
  }

  #find(what: string, run: ClientRun, detail: string): void {
    const end = `exit ${run.code}${run.fault ? ` (${run.fault})` : ""}`;
    this.#plot.find(what, `${detail}: ${run.args.join(" ")} → ${end}\n${run.lines.join("\n")}\n${run.stderr}`);
  }
}
