import { CommError, ERRORS } from "../errors.ts";
import type { Clock } from "../session/clock.ts";
import type { JobFacts } from "./events.ts";
import { Job, type JobParts, type JobRequest } from "./job.ts";

/** Jobs that run at once; others wait. They share one session. */
const MAX_RUNNING = 3;
/** Jobs that are not over, and jobs that are and can still be seen. */
const MAX_ACTIVE = 1_000;
const MAX_OVER = 100;
/** How often at most a job in motion is reported, in milliseconds. */
const REPORT_MS = 250;

export interface JobsParts extends Pick<JobParts, "transfer"> {
  readonly clock: Clock;
  onJob(facts: JobFacts): void;
  onDismissed(id: number): void;
}

/** The transfers of the application, by their numbers. */
export class Jobs {
  readonly #parts: JobsParts;
  readonly #jobs = new Map<number, Job>();
  /** Jobs whose last change was not reported yet. */
  readonly #changed = new Set<Job>();
  readonly #reportedState = new WeakMap<Job, string>();
  #cancelReport: (() => void) | undefined;
  #last = 0;

  constructor(parts: JobsParts) {
    this.#parts = parts;
  }

  get all(): JobFacts[] {
    return [...this.#jobs.values()].map(({ facts }) => facts);
  }

  /** Whether something moves, waits or asks. */
  get areActive(): boolean {
    return [...this.#jobs.values()].some((job) => !job.isOver && job.state !== "paused");
  }

  /** @returns the number of the job @throws CommError USAGE when there are too many */
  add(request: JobRequest): number {
    if ([...this.#jobs.values()].filter(({ isOver }) => !isOver).length >= MAX_ACTIVE)
      throw new CommError("USAGE", `There are ${MAX_ACTIVE} transfers already: wait for one, or cancel one.`);
    const { clock, transfer } = this.#parts;
    const job: Job = new Job({ id: ++this.#last, request, clock, transfer, onChange: () => this.#noteChange(job) });
    this.#jobs.set(job.id, job);
    this.#noteChange(job);
    return job.id;
  }

  /** @throws CommError USAGE for a number that no job has */
  get(id: number): Job {
    const job = this.#jobs.get(id);
    if (job === undefined) throw new CommError("USAGE", `There is no transfer ${id} any more.`);
    return job;
  }

  /** Forget a job that is over. @throws CommError USAGE */
  dismiss(id: number): void {
    if (!this.get(id).isOver) throw new CommError("USAGE", "This transfer is not over: cancel it first.");
    this.#forget(id);
  }

  /** Let those that failed by the link go on: it is back. */
  resumeAll(): void {
    for (const job of this.#jobs.values()) {
      const { state, error } = job.facts;
      if (state === "failed" && error !== undefined && ERRORS[error.code].unreachable) job.queueAgain();
    }
  }

  /** End all, and wait for them. What has arrived is kept. */
  async close(): Promise<void> {
    for (const job of this.#jobs.values()) job.cancel();
    await Promise.all([...this.#jobs.values()].map(({ ended }) => ended));
    this.#cancelReport?.();
  }

  #forget(id: number): void {
    this.#jobs.delete(id);
    this.#parts.onDismissed(id);
  }

  #noteChange(job: Job): void {
    this.#changed.add(job);
    // A new state is told at once, the progress of one from time to time.
    if (this.#reportedState.get(job) !== job.state) this.#report();
    else this.#cancelReport ??= this.#parts.clock.after(REPORT_MS, () => this.#report());
    this.#startMore();
  }

  #report(): void {
    this.#cancelReport?.();
    this.#cancelReport = undefined;
    for (const job of this.#changed) {
      this.#reportedState.set(job, job.state);
      this.#parts.onJob(job.facts);
    }
    this.#changed.clear();
  }

  #startMore(): void {
    const jobs = [...this.#jobs.values()];
    let running = jobs.filter(({ state }) => state === "running" || state === "asking").length;
    for (const job of jobs) {
      if (job.state !== "waiting") continue;
      if (running >= MAX_RUNNING) break;
      running++;
      job.start();
    }
    const over = jobs.filter(({ isOver }) => isOver);
    for (const { id } of over.slice(0, Math.max(0, over.length - MAX_OVER))) this.#forget(id);
  }
}
