import type { ConsoleIo } from "../console-io.ts";
import { escapeText } from "../escape.ts";
import { EXIT_OF } from "../exit-codes.ts";
import { plural } from "../format.ts";
import { CLEAN_UP_MS } from "../unless-aborted.ts";
import { UsageError } from "../usage-error.ts";
import { endLine, formatJobs, questionLine } from "./job-lines.ts";
import { type JobSettings, ShellJob } from "./shell-job.ts";

/** Jobs in the background that run at once; others wait. They share one session. */
const MAX_RUNNING = 3;
/** Jobs that run or wait. */
const MAX_ACTIVE = 32;
/** Jobs that have ended and are still listed. */
const MAX_ENDED = 8;

export interface JobsOptions {
  readonly io: ConsoleIo;
  /** Show a line about a job above the prompt. */
  say(line: string): void;
  /** Called when a job in the background has ended. */
  onEnd(exit: number): void;
}

/** What a line of the shell gives to a job in the foreground. */
export interface Foreground {
  /** Aborted by Ctrl-C: ends the job. */
  readonly signal: AbortSignal;
  /** Call `handler` at Ctrl-Z, until the returned function is called. Absent where nobody types. */
  onDetach?: ((handler: () => void) => () => void) | undefined;
}

/** The jobs of a shell, by their numbers. */
export class ShellJobs {
  readonly #options: JobsOptions;
  readonly #jobs = new Map<number, ShellJob>();
  #last = 0;
  #isClosed = false;

  constructor(options: JobsOptions) {
    this.#options = options;
  }

  /** Jobs that run, wait, or ask. */
  get active(): readonly ShellJob[] {
    return [...this.#jobs.values()].filter(({ isActive }) => isActive);
  }

  get all(): readonly ShellJob[] {
    return [...this.#jobs.values()];
  }

  /** Run a line in the background. @throws UsageError when there are too many */
  start(line: Pick<JobSettings, "command" | "ask" | "work">): void {
    const job = this.#add(line);
    this.#startMore();
    this.#options.io.note(`[${job.number}] ${job.state}: ${escapeText(job.command)}`);
  }

  /** Run a line in the foreground. @returns its exit code @throws as its work; UsageError when there are too many */
  run(line: Pick<JobSettings, "command" | "ask" | "work">, terms: Foreground): Promise<number> {
    return this.attach(this.#add(line), terms);
  }

  /**
   * Bring a job to the foreground, and wait until it ends, or is sent back by Ctrl-Z.
   *
   * @returns the exit code of the job; 0 when it goes on in the background
   * @throws the error of the job
   */
  async attach(job: ShellJob, { signal, onDetach }: Foreground): Promise<number> {
    const detached = Promise.withResolvers<"detached">();
    const off = onDetach?.(() => detached.resolve("detached"));
    const cancel = () => job.cancel();
    signal.addEventListener("abort", cancel);
    try {
      job.start();
      await job.toFront();
      const end = await Promise.race([job.ended, detached.promise]);
      if (end === "detached") {
        this.#options.io.note(`[${job.number}] goes on in the background: ${escapeText(job.command)}`);
        return 0;
      }
      this.#jobs.delete(job.number);
      if (end.error !== undefined) throw end.error;
      return end.exit;
    } finally {
      signal.removeEventListener("abort", cancel);
      off?.();
      job.toBack();
    }
  }

  /** The job that a person means: by its number, or the one that asks or was begun last. @throws UsageError */
  find(typed: string | undefined): ShellJob {
    const active = this.active;
    const meant =
      typed === undefined
        ? (active.find(({ state }) => state === "asking") ?? active.at(-1))
        : this.#jobs.get(Number(typed.replace(/^%/, "")));
    if (meant !== undefined) return meant;
    throw new UsageError(typed === undefined ? "No job is running." : `There is no job ${typed}. See: jobs`);
  }

  /** For `jobs`; undefined when there is none. */
  table(io: ConsoleIo): string | undefined {
    return this.#jobs.size === 0 ? undefined : formatJobs(this.all, io);
  }

  /** `1 job is running: get big.bin` */
  get runningWords(): string {
    const { active } = this;
    const names = active.map(({ command }) => escapeText(command)).join("; ");
    return `${plural(active.length, "job")} ${active.length === 1 ? "is" : "are"} not finished: ${names}.`;
  }

  /** Resolves when no job is active. */
  async allEnded(): Promise<void> {
    while (this.active.length > 0) await Promise.all(this.active.map(({ ended }) => ended));
  }

  /** The shell ends: cancel all, and wait a moment until they have cleaned up. Nothing is said any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const { active } = this;
    if (active.length === 0) return;
    for (const job of active) job.cancel();
    await Promise.race([Promise.all(active.map(({ ended }) => ended)), Bun.sleep(CLEAN_UP_MS)]);
  }

  #add(line: Pick<JobSettings, "command" | "ask" | "work">): ShellJob {
    if (this.active.length >= MAX_ACTIVE) {
      throw new UsageError(`There are ${MAX_ACTIVE} jobs already. Wait for one, or end one: cancel N`);
    }
    const { io, say } = this.#options;
    const job: ShellJob = new ShellJob({
      ...line,
      number: ++this.#last,
      io,
      onQuestion: (question) => say(questionLine(job, question, io)),
    });
    this.#jobs.set(job.number, job);
    void job.ended.then(() => this.#ended(job));
    return job;
  }

  #startMore(): void {
    let running = this.active.filter(({ state, isInFront }) => state !== "waiting" && !isInFront).length;
    for (const job of this.active) {
      if (job.state !== "waiting" || running >= MAX_RUNNING || this.#isClosed) continue;
      job.start();
      running++;
    }
  }

  #ended(job: ShellJob): void {
    if (!job.isInFront && !this.#isClosed) {
      const { say, onEnd, io } = this.#options;
      const { end } = job;
      say(endLine(job, io));
      onEnd(end?.error === undefined ? (end?.exit ?? 0) : EXIT_OF[end.error.code]);
    }
    const over = this.all.filter(({ isActive }) => !isActive);
    for (const { number } of over.slice(0, Math.max(0, over.length - MAX_ENDED))) this.#jobs.delete(number);
    this.#startMore();
  }
}
