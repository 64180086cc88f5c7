import type { TransferItem } from "../client/transfer.ts";
import type { Conflict, TransferJob, TransferJobSettings } from "../client/transfer-job.ts";
import { CommError } from "../errors.ts";
import type { Clock } from "../session/clock.ts";
import type { ExistsPolicy } from "../storage/storage.ts";
import type { Exists, Resolution, Side } from "./asks.ts";
import { errorFacts } from "./error-facts.ts";
import type { ErrorFacts, JobFacts, JobState } from "./events.ts";
import { JobProgress } from "./job-progress.ts";

/** How many conflicts a job tells one by one. */
const MAX_TOLD = 100;

/** What a page asks to be moved. */
export interface JobRequest {
  readonly from: Side;
  readonly paths: readonly string[];
  readonly into: string;
  readonly exists: Exists;
}

/** What a run of a job gives to the transfer that it makes. */
export type RunTerms = Pick<TransferJobSettings<TransferItem>, "exists" | "signal" | "events" | "onConflict">;

export interface JobParts {
  readonly id: number;
  readonly request: JobRequest;
  readonly clock: Clock;
  /** The transfer of the request, on both sides. Called once for each run. @throws CommError */
  transfer(request: JobRequest, terms: RunTerms): Promise<Pick<TransferJob<TransferItem>, "run">>;
  /** Something about the job has changed. */
  onChange(): void;
}

/**
 * A transfer that a page began: it can be paused, goes on where it was, and asks about files that exist. A pause ends
 * the transfer under it, whose parts are kept, and resuming makes the same one again.
 */
export class Job {
  readonly #parts: JobParts;
  #ended = Promise.withResolvers<void>();
  #progress: JobProgress;
  #state: JobState = "waiting";
  #abort = new AbortController();
  #isPausing = false;
  #startedAt: number | undefined;
  #endedAt: number | undefined;
  #error: ErrorFacts | undefined;
  #conflicts: readonly Conflict<TransferItem>[] = [];
  #answer: ((resolutions: readonly ExistsPolicy[]) => void) | undefined;
  /** How each file that existed was resolved, so that going on after a pause does not ask again. */
  readonly #resolved = new Map<string, Resolution>();

  constructor(parts: JobParts) {
    this.#parts = parts;
    this.#progress = new JobProgress(parts.clock, parts.onChange);
  }

  get id(): number {
    return this.#parts.id;
  }

  get state(): JobState {
    return this.#state;
  }

  /** Whether it will not move again. */
  get isOver(): boolean {
    return this.#endedAt !== undefined;
  }

  /** Settles when it is over; never rejects. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  get facts(): JobFacts {
    const { from, paths, into } = this.#parts.request;
    return {
      id: this.id,
      from,
      paths,
      into,
      state: this.#state,
      ...this.#progress.counts,
      rate: this.#state === "running" ? this.#progress.rate : 0,
      startedAt: this.#startedAt,
      endedAt: this.#endedAt,
      error: this.#error,
      ...(this.#state === "asking" && {
        conflicts: {
          count: this.#conflicts.length,
          paths: this.#conflicts.slice(0, MAX_TOLD).map(({ item }) => item.to),
        },
      }),
    };
  }

  /** Begin, or go on after a pause. */
  start(): void {
    if (this.#state !== "waiting") return;
    this.#state = "running";
    this.#startedAt ??= this.#parts.clock.wallTime();
    this.#abort = new AbortController();
    this.#isPausing = false;
    this.#progress = new JobProgress(this.#parts.clock, this.#parts.onChange);
    void this.#run();
    this.#parts.onChange();
  }

  /** Stop for a while. What has arrived is kept. */
  pause(): void {
    if (this.#state === "waiting") this.#state = "paused";
    else if (this.#state === "running" || this.#state === "asking") {
      this.#isPausing = true;
      this.#abort.abort();
      return;
    } else return;
    this.#parts.onChange();
  }

  /** Wait for its turn again, after a pause or a failure. */
  queueAgain(): void {
    if (this.#state !== "paused" && this.#state !== "failed") return;
    this.#state = "waiting";
    this.#error = undefined;
    if (this.isOver) this.#ended = Promise.withResolvers();
    this.#endedAt = undefined;
    this.#parts.onChange();
  }

  /** End it. What has arrived is kept, and a transfer of the same files takes it up. */
  cancel(): void {
    this.#isPausing = false;
    this.#abort.abort();
    if (this.#state === "waiting" || this.#state === "paused") this.#finish("cancelled");
  }

  /** Answer the question about files that exist: one answer for all, or one for each that it told. */
  resolve(given: Resolution | readonly Resolution[]): void {
    if (this.#state !== "asking") throw new CommError("USAGE", "This transfer asks nothing.");
    const policies = this.#conflicts.map(
      (_, index): Resolution => (typeof given === "string" ? given : (given[index] ?? "skip")),
    );
    for (const [index, { item }] of this.#conflicts.entries()) this.#resolved.set(item.to, policies[index] ?? "skip");
    this.#answer?.(policies);
  }

  async #run(): Promise<void> {
    const { request, transfer } = this.#parts;
    const { signal } = this.#abort;
    try {
      const job = await transfer(request, {
        exists: request.exists === "ask" ? "fail" : request.exists,
        signal,
        events: this.#progress.events,
        ...(request.exists === "ask" && { onConflict: (conflicts) => this.#ask(conflicts, signal) }),
      });
      await job.run();
      this.#finish(this.#progress.hasFailures ? "failed" : "done");
    } catch (thrown) {
      if (!signal.aborted) {
        this.#error = errorFacts(thrown);
        this.#finish("failed");
      } else if (this.#isPausing) {
        this.#state = "paused";
        this.#progress.rest();
        this.#parts.onChange();
      } else this.#finish("cancelled");
    }
  }

  #finish(state: "done" | "failed" | "cancelled"): void {
    this.#state = state;
    this.#progress.rest();
    this.#endedAt = this.#parts.clock.wallTime();
    this.#ended.resolve();
    this.#parts.onChange();
  }

  /** Ask about files that exist, but for those that were answered before a pause. */
  async #ask(conflicts: readonly Conflict<TransferItem>[], signal: AbortSignal): Promise<readonly ExistsPolicy[]> {
    const known = conflicts.map(({ item }) => this.#resolved.get(item.to));
    this.#conflicts = conflicts.filter((_, index) => known[index] === undefined);
    let answers: readonly ExistsPolicy[] = [];
    if (this.#conflicts.length > 0) {
      const answered = Promise.withResolvers<readonly ExistsPolicy[]>();
      this.#answer = answered.resolve;
      const abort = () => answered.reject(new CommError("INTERRUPTED", "Interrupted."));
      signal.addEventListener("abort", abort);
      this.#state = "asking";
      this.#parts.onChange();
      try {
        answers = await answered.promise;
      } finally {
        signal.removeEventListener("abort", abort);
        this.#answer = undefined;
      }
    }
    this.#state = "running";
    this.#parts.onChange();
    let next = 0;
    return known.map((policy) => policy ?? answers[next++] ?? "skip");
  }
}
