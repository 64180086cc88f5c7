import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { ABSENT } from "../account.ts";
import type { ClientFault, ClientRun } from "../client-run.ts";
import { someSize } from "../contents.ts";
import type { Plot } from "../plot.ts";

export type Mode = "fail" | "skip" | "overwrite" | "rename";
export const MODE_FLAGS: Readonly<Record<Mode, readonly string[]>> = {
  fail: [],
  skip: ["--skip-existing"],
  overwrite: ["--overwrite"],
  rename: ["--rename"],
};

interface Source {
  readonly sha256: string;
  /** At the server. */
  readonly path: string;
}

/** One command, which may be run again until it is done. */
interface Order {
  readonly folder: string;
  readonly args: readonly string[];
  readonly sources: readonly Source[];
  readonly mode: Mode;
  attempts: number;
}

/** Of more files at once `--digest` is TOO_OFTEN for the server. */
export const MAX_DIGESTS = 30;
/** Names that `--rename` tries. */
const MAX_COPIES = 20;

/** Sends files and trees into a plot. */
export class Puts {
  readonly #plot: Plot;
  /** Begun, and not known to be done. */
  readonly #pending: Order[] = [];

  constructor(plot: Plot) {
    this.#plot = plot;
  }

  get hasPending(): boolean {
    return this.#pending.length > 0;
  }

  async sendFiles(fault: ClientFault | undefined): Promise<void> {
    const { prng, account } = this.#plot;
    const mode = prng.pick<Mode>(["fail", "skip", "overwrite", "overwrite", "rename", "rename"]);
    const known = account.certain.map(([path]) => path).filter((path) => path.split("/").length === 2);
    const count = mode === "rename" ? 1 : prng.between(1, 3);
    const names = Array.from({ length: count }, () => {
      const taken = known.length > 0 && prng.chance(0.6) ? prng.pick(known).split("/")[1] : undefined;
      return taken ?? this.#plot.newName(prng.pick([".bin", ".txt", ".dat", " ü.txt"]));
    });
    await this.#send([...new Set(names)], mode, fault);
  }

  /** One of several blocks. */
  async sendLarge(fault: ClientFault | undefined): Promise<void> {
    await this.#send([this.#plot.newName(".big")], this.#plot.prng.pick<Mode>(["overwrite", "fail"]), fault);
  }

  async sendTree(fault: ClientFault | undefined): Promise<void> {
    const { prng, account, name } = this.#plot;
    const usual = `tree${prng.below(4)}`;
    const isInDoubt = account.paths.some((path) => path.startsWith(`${name}/${usual}/`) && account.isInDoubt(path));
    const tree = isInDoubt ? this.#plot.newName("") : usual;
    const count = prng.between(3, 40);
    const names = Array.from({ length: count }, (_, at) => `${tree}/${["", "a/", "a/b/", "c/"][at % 4]}n${at}.txt`);
    await this.#send(names, prng.pick<Mode>(["overwrite", "overwrite", "skip", "fail"]), fault, tree);
  }

  /** Go on with what is unfinished. */
  async resume(fault: ClientFault | undefined): Promise<void> {
    const order = this.#pending.shift();
    if (order !== undefined) await this.#carryOut(order, fault);
  }

  /** Until nothing is pending. */
  async settle(): Promise<void> {
    for (let rounds = 0; this.#pending.length > 0; rounds++) {
      // Another link of ours may still be seen off by the server.
      if (rounds > 0) await Bun.sleep(300);
      if (rounds > 40) return this.#plot.find("a put that can't be finished", this.#pending[0]?.args.join(" ") ?? "");
      await this.resume(undefined);
    }
  }

  async #send(names: string[], mode: Mode, fault: ClientFault | undefined, tree?: string): Promise<void> {
    const { prng, name: prefix, site } = this.#plot;
    const folder = this.#plot.newFolder("sent");
    const sources = names.map((name) => {
      const size = this.#sizeOf(name, tree !== undefined);
      const { sha256 } = site.contents.make(join(folder, name), size, prng);
      return { sha256, path: `${prefix}/${name}` };
    });
    if (tree !== undefined) mkdirSync(join(folder, tree, "empty"), { recursive: true });
    const what = tree === undefined ? names : [tree];
    const digest = names.length <= MAX_DIGESTS && prng.chance(0.15) ? ["--digest"] : [];
    const args = ["put", ...what, "--to", prefix, "--json", ...MODE_FLAGS[mode], ...digest];
    await this.#carryOut({ folder, args, sources, mode, attempts: 0 }, fault);
  }

  #sizeOf(name: string, isOfTree: boolean): number {
    const { prng } = this.#plot;
    if (name.endsWith(".big")) return prng.between(2_000_000, 7_000_000);
    return !isOfTree || prng.chance(0.03) ? someSize(prng) : prng.below(9_000);
  }

  async #carryOut(order: Order, fault: ClientFault | undefined): Promise<void> {
    const { account } = this.#plot;
    const mayExist = order.sources.some(({ path }) => !account.isCertainly(path, ABSENT));
    // 8 also says BUSY: that the server has not seen off the one that was killed before.
    const allowed = order.attempts++ > 0 || (order.mode === "fail" && mayExist) ? [8] : [];
    const run = fault === undefined && order.attempts > 3 ? this.#plot.runCalmly : this.#plot.run;
    const ran = await run.call(this.#plot, order.args, { cwd: order.folder, fault, allowed });
    const isDone = this.#judge(order, ran);
    if (isDone) this.#plot.drop(order.folder);
    else this.#pending.push(order);
  }

  /** Take into the account what it has told. @returns false when it must be run again */
  #judge(order: Order, run: ClientRun): boolean {
    const { events } = run;
    const untold: Source[] = [];
    let isBusy = false;
    for (const source of order.sources) {
      const done = events.find(
        ({ event, kind, target }) => event === "done" && kind === "file" && fits(order, source, target),
      );
      const failed = events.find(({ event, path }) => event === "failed" && source.path.endsWith(`/${path}`));
      if (done !== undefined) this.#onDone(order, source, String(done["outcome"]), String(done["target"]), run);
      else if (failed?.["code"] === "EXISTS") this.#onExists(order, source, run);
      else untold.push(source);
      if (failed !== undefined && failed["code"] !== "EXISTS") isBusy = true;
    }
    const isDone = run.code === 0 || (run.code === 8 && !isBusy && events.at(-1)?.["event"] === "finished");
    if (isDone && untold.length > 0) this.#plot.find("a put that says nothing of a file", tellOf(run, untold[0]));
    for (const source of untold) this.#doubt(order, source);
    return isDone;
  }

  #onDone({ mode, attempts }: Order, { sha256, path }: Source, outcome: string, target: string, run: ClientRun): void {
    const { account } = this.#plot;
    const source = { sha256, path };
    const isReplaced = outcome === "stored" && mode !== "overwrite" && !account.mayBe(target, ABSENT);
    // Of an earlier run of the same command that was cut off: it may have been stored before its answer was lost.
    if (isReplaced && !account.mayBe(target, sha256))
      this.#plot.find("a put that replaced a file", tellOf(run, source));
    // After a lost link a client offers again what may have been stored.
    if (outcome === "unchanged" && attempts === 1 && run.excuse === undefined) {
      this.#plot.find("a put that finds unchanged what was never there", tellOf(run, source));
    }
    if (outcome === "skipped") {
      if (account.isCertainly(path, ABSENT)) this.#plot.find("a put that skips what is not there", tellOf(run, source));
      return;
    }
    account.set(target, sha256);
  }

  #onExists({ mode }: Order, { path, sha256 }: Source, run: ClientRun): void {
    if (mode !== "fail" || this.#plot.account.isCertainly(path, ABSENT)) {
      this.#plot.find("a put that is in conflict with nothing", tellOf(run, { path, sha256 }));
    }
  }

  /** It may be there, or not. */
  #doubt({ mode }: Order, { path, sha256 }: Source): void {
    const { account } = this.#plot;
    if (mode !== "rename") {
      if (mode === "overwrite" || account.mayBe(path, ABSENT)) account.doubt(path, sha256);
      return;
    }
    for (let copy = 0, isFree = false; copy < MAX_COPIES && !isFree; copy++) {
      const target = copyOf(path, copy);
      isFree = account.isCertainly(target, ABSENT);
      if (account.mayBe(target, ABSENT)) account.doubt(target, sha256);
    }
  }
}

/** The name of `--rename` for another `path`; 0: itself. */
export function copyOf(path: string, copy: number): string {
  if (copy === 0) return path;
  const dot = path.lastIndexOf(".");
  return `${path.slice(0, dot)} (${copy + 1})${path.slice(dot)}`;
}

function fits({ mode }: Order, { path }: Source, target: unknown): boolean {
  if (mode !== "rename") return target === path;
  return Array.from({ length: MAX_COPIES }, (_, copy) => copyOf(path, copy)).includes(String(target));
}

function tellOf(run: ClientRun, source: Source | undefined): string {
  return `${source?.path}: ${run.args.join(" ")} → ${run.code}\n${run.lines.join("\n")}\n${run.stderr}`;
}
