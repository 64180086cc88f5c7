import type { TransferResult } from "../../client/transfer-result.ts";
import { CommError, toCommError } from "../../errors.ts";
import type { ConsoleIo } from "../console-io.ts";
import { CLEAN_UP_MS, unlessAborted } from "../unless-aborted.ts";
import { JobIo } from "./job-io.ts";
import { Progress } from "./progress.ts";
import type { TransferTerms } from "./run-job.ts";

/** What a job gets from the shell. */
export type JobTerms = Required<Pick<TransferTerms, "io" | "signal" | "onResult">> &
  Pick<TransferTerms, "progress" | "ask">;

export interface JobSettings {
  readonly number: number;
  /** The line that began it. */
  readonly command: string;
  readonly io: ConsoleIo;
  /** Ask a yes/no question; absent where nobody can answer. */
  ask?: ((question: string) => Promise<boolean>) | undefined;
  /** Called once for each question that can't be asked in the background. */
  onQuestion(question: string): void;
  work(terms: JobTerms): Promise<number | undefined>;
}

/** How a job ended: its exit code, or why it could not be run to its end. */
export type JobEnd = { readonly exit: number; readonly error?: undefined } | { readonly error: CommError };

export type JobState = "waiting" | "running" | "asking" | "done" | "failed" | "cancelled";

/**
 * A transfer of the shell, in the foreground or in the background. A job owns its abort signal, its console and its
 * bars; the session is the shell's.
 */
export class ShellJob {
  readonly #settings: JobSettings;
  readonly #io: JobIo;
  readonly #abort = new AbortController();
  readonly #ended = Promise.withResolvers<JobEnd>();
  /** Resolves when the job leaves the foreground. */
  #left = Promise.withResolvers<void>();
  #state: JobState = "waiting";
  #end: JobEnd | undefined;
  #startedAt = 0;
  #endedAt = 0;
  readonly progress: Progress;
  /** The counts of its transfer, at its end. */
  result: TransferResult | undefined;

  constructor(settings: JobSettings) {
    this.#settings = settings;
    this.#io = new JobIo(settings.io);
    this.progress = new Progress(this.#io);
  }

  get number(): number {
    return this.#settings.number;
  }

  get command(): string {
    return this.#settings.command;
  }

  get state(): JobState {
    return this.#state;
  }

  get isActive(): boolean {
    return this.#end === undefined;
  }

  /** How it ended. */
  get end(): JobEnd | undefined {
    return this.#end;
  }

  get isInFront(): boolean {
    return this.#io.isInFront;
  }

  /** Seconds that it ran. */
  get seconds(): number {
    return (this.#endedAt - this.#startedAt) / 1000;
  }

  /** Settles when the job has ended; never rejects. */
  get ended(): Promise<JobEnd> {
    return this.#ended.promise;
  }

  /** Begin, unless it has begun or was cancelled. */
  start(): void {
    if (this.#state !== "waiting") return;
    this.#state = "running";
    this.#startedAt = performance.now();
    const { work, ask } = this.#settings;
    const terms: JobTerms = {
      io: this.#io,
      signal: this.#abort.signal,
      progress: this.progress,
      onResult: (result) => {
        this.result = result;
      },
      ...(ask && { ask: (question) => this.#ask(question) }),
    };
    void unlessAborted(work(terms), this.#abort.signal, CLEAN_UP_MS).then(
      (exit = 0) => this.#finish({ exit }),
      (thrown) => this.#finish({ error: toCommError(thrown) }),
    );
  }

  /** Show it on the screen, with what it has said in the background. */
  async toFront(): Promise<void> {
    await this.#io.toFront();
    if (this.#state === "running") this.progress.resume();
  }

  toBack(): void {
    this.progress.stop();
    this.#io.toBack();
    this.#left.resolve();
    this.#left = Promise.withResolvers();
  }

  /** End it. What has arrived is kept. */
  cancel(): void {
    this.#abort.abort();
    if (this.#state === "waiting") this.#finish({ error: new CommError("INTERRUPTED", "Interrupted.") });
  }

  #finish(end: JobEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#endedAt = performance.now();
    this.#state = this.#abort.signal.aborted
      ? "cancelled"
      : end.error === undefined && end.exit === 0
        ? "done"
        : "failed";
    this.#ended.resolve(end);
  }

  /** Ask in the foreground only. A question that the job takes into the background is asked again. */
  async #ask(question: string): Promise<boolean> {
    const { signal } = this.#abort;
    for (let isTold = false; ; ) {
      this.#state = "asking";
      if (!this.#io.isInFront && !isTold) {
        isTold = true;
        this.#settings.onQuestion(question);
      }
      await unlessAborted(this.#io.front, signal);
      const left = this.#left.promise.then(() => undefined);
      const answer = await Promise.race([this.#settings.ask?.(question), left]);
      if (answer === undefined) continue;
      this.#state = "running";
      return answer;
    }
  }
}
