import type { Conversation } from "./conversation.ts";
import { loadCorpus } from "./corpus.ts";
import { Escapes, type Finding, Findings } from "./finding.ts";
import { MemoryWatch } from "./memory-watch.ts";
import { minimised } from "./minimise.ts";
import { mutated } from "./mutate/mutate.ts";
import { Prng } from "./prng.ts";
import { openTarget, TARGETS, type TargetName } from "./targets/targets.ts";

/** What was found, with the smallest conversation that shows it. */
export interface Discovery extends Finding {
  readonly target: TargetName;
  /** The first case of those that were played together; one of them is to blame. */
  readonly number: number;
  readonly seats: number;
  readonly conversation: Conversation;
  /** False when it came once and not again by itself. */
  readonly isRepeatable: boolean;
}

export interface FuzzOptions {
  readonly seed: number;
  readonly cases: Readonly<Record<TargetName, number>>;
  /** A target that is to be fuzzed instead of the real one: for tests of the fuzzer. */
  readonly open?: typeof openTarget;
  onProgress?(target: TargetName, done: number): void;
  onDiscovery?(discovery: Discovery): void;
}

/** Seats of one site after the other: many, few, and as many as the corpus wants. */
const SEATS = [64, 2, 8, 64];
const MAX_DISCOVERIES = 30;

/** Runs cases against all targets, and keeps what was found. */
export class Fuzzer {
  readonly #options: FuzzOptions;
  readonly #corpus = loadCorpus();
  readonly #findings = new Findings();
  readonly #known = new Set<string>();
  readonly discoveries: Discovery[] = [];
  /** Answers by kind, of all targets. */
  readonly answers = new Map<string, number>();
  readonly seconds: Partial<Record<TargetName, number>> = {};
  readonly memory = new MemoryWatch(this.#findings);
  #isMinimising = false;

  constructor(options: FuzzOptions) {
    this.#options = options;
  }

  get seed(): number {
    return this.#options.seed;
  }

  async run(): Promise<void> {
    using _ = new Escapes(this.#findings);
    for (const target of Object.keys(TARGETS) as TargetName[]) {
      const from = performance.now();
      await this.#runTarget(target);
      this.seconds[target] = (performance.now() - from) / 1_000;
    }
  }

  /** The cases of one target: site after site, group after group. */
  async #runTarget(target: TargetName): Promise<void> {
    const { group, perSite, plays } = TARGETS[target];
    const total = this.#options.cases[target];
    const corpus = this.#corpus.filter((conversation) =>
      plays === undefined ? conversation.plays !== "web" : conversation.plays === plays,
    );
    for (let done = 0, sites = 0; done < total; sites++) {
      const seats = SEATS[sites % SEATS.length] as number;
      const site = await this.#open(target, seats);
      const end = Math.min(total, done + perSite);
      while (done < end && !site.isWorn) {
        const conversations: Conversation[] = [];
        const first = done;
        for (; done < Math.min(end, first + group); done++) {
          conversations.push(mutated(corpus, Prng.of(this.#options.seed, target, done)));
        }
        await site.run(conversations, false);
        if (this.#findings.size > 0) await this.#investigate(target, first, seats, conversations);
        this.#options.onProgress?.(target, done);
      }
      await site.checkHonest();
      await site[Symbol.asyncDispose]();
      this.memory.checkpoint();
      if (this.#findings.size > 0) await this.#investigate(target, done, seats, []);
      if (this.discoveries.length >= MAX_DISCOVERIES) return;
    }
  }

  #open(target: TargetName, seats: number) {
    const count = (kind: string) => {
      if (!this.#isMinimising) this.answers.set(kind, (this.answers.get(kind) ?? 0) + 1);
    };
    return (this.#options.open ?? openTarget)(target, { findings: this.#findings, seats, count });
  }

  /** Which of those that were played together it was, and how little of it is enough. */
  async #investigate(target: TargetName, number: number, seats: number, group: readonly Conversation[]): Promise<void> {
    const found = this.#findings.take().filter(({ oracle, detail }) => {
      const key = `${target} ${oracle} ${detail.replaceAll(/\d+/g, "#").slice(0, 60)}`;
      return !this.#known.has(key) && this.#known.add(key);
    });
    for (const finding of found) await this.#discover(finding, { target, number, seats }, group);
  }

  async #discover(
    finding: Finding,
    where: Pick<Discovery, "target" | "number" | "seats">,
    group: readonly Conversation[],
  ): Promise<void> {
    const { target, seats } = where;
    this.#isMinimising = true;
    const reproduces = (conversation: Conversation) => this.#shows(target, seats, conversation, finding.oracle);
    const culprit = await firstOf(group, reproduces);
    const conversation =
      culprit === undefined ? together(group) : await minimised(culprit, reproduces, TARGETS[target].minimisingRuns);
    this.#isMinimising = false;
    const discovery = { ...finding, ...where, conversation, isRepeatable: culprit !== undefined };
    this.discoveries.push(discovery);
    this.#options.onDiscovery?.(discovery);
  }

  async #shows(target: TargetName, seats: number, conversation: Conversation, oracle: string): Promise<boolean> {
    const site = await this.#open(target, seats);
    await site.run([conversation], false);
    const found = this.#findings.take();
    await site[Symbol.asyncDispose]();
    return [...found, ...this.#findings.take()].some((finding) => finding.oracle === oracle);
  }
}

async function firstOf<T>(items: readonly T[], fits: (item: T) => Promise<boolean>): Promise<T | undefined> {
  for (const item of items) if (await fits(item)) return item;
  return undefined;
}

/** A whole group as one conversation, one after the other by other peers. */
function together(group: readonly Conversation[]): Conversation {
  const steps = group.flatMap((one, at) => one.steps.map((step) => ({ ...step, peer: step.peer + 10 * at })));
  return { name: "a group", plays: "client", seats: 8, wait: false, split: 0, ...group[0], steps };
}
