import { CommError, codeOfWire, RemoteError } from "../errors.ts";
import type { PutAnswer } from "../protocol/methods.ts";
import { quote } from "../quote.ts";
import { isSmall } from "../storage/storage.ts";
import { MAX_REPAIRS } from "../transfer/repair.ts";
import { MAX_OVERLOADS, overloadDelayMs, type TransferOptions, type UploadItem } from "./transfer.ts";
import { checkRanges, checkStored, type UploadTask } from "./upload-task.ts";
import type { UploadWindow } from "./upload-window.ts";

/** How often and how long a file is waited for that another link of ours may still have. */
const BUSY_RETRIES = 20;
const BUSY_RETRY_MS = 250;
/** How often the server may want parts of a file: first what is missing, then what arrived damaged. */
const MAX_ROUNDS = MAX_REPAIRS + 1;

/** What follows from the server's answers to what was offered. */
export class UploadAnswers {
  readonly #window: UploadWindow;
  readonly #options: TransferOptions<UploadItem>;
  /** A task that waited may be offered again. */
  readonly #onDue: () => void;
  /** An earlier link was lost. */
  isReconnected = false;

  constructor(window: UploadWindow, options: TransferOptions<UploadItem>, onDue: () => void) {
    this.#window = window;
    this.#options = options;
    this.#onDue = onDue;
  }

  /** @throws ProtocolError BAD_PAYLOAD for what the server can't mean */
  async take(answer: PutAnswer): Promise<void> {
    const task = this.#window.find(answer.id);
    // Else it is one that failed here meanwhile.
    if (task === undefined) return;
    const { item } = task;
    switch (answer.state) {
      case "ready":
        return this.#want(task, answer);
      case "done":
        checkStored(task, answer.outcome);
        if (task.file === undefined) this.#window.forget(task);
        else await this.#window.finish(task);
        return this.#options.onDone(item, answer.outcome, answer.path, item.kind === "file" ? task.size : 0);
      case "failed": {
        await this.#window.finish(task);
        const error = new RemoteError(codeOfWire(answer.code), answer.message);
        const delayMs = this.#retryDelayMs(task, error);
        if (delayMs === undefined) return this.#options.onFailed(item, error);
        this.#retryLater(task, delayMs);
      }
    }
  }

  async #want(task: UploadTask, { ranges }: Extract<PutAnswer, { state: "ready" }>): Promise<void> {
    const { item } = task;
    checkRanges(task, ranges);
    if (++task.rounds > MAX_ROUNDS) {
      await this.#window.finish(task);
      this.#window.abandon(task);
      const message = `${quote(item.from)} arrived damaged ${MAX_ROUNDS} times.`;
      return this.#options.onFailed(item, new CommError("DIGEST_MISMATCH", message));
    }
    const bytes = ranges.reduce((sum, [from, to]) => sum + to - from, 0);
    if (!isSmall(task)) this.#options.onStart?.(item, task.size - bytes, task.size);
    task.isOurs = true;
    this.#window.want({ task, ranges });
  }

  /** @returns after how long it is offered again; undefined: not at all */
  #retryDelayMs(task: UploadTask, { code }: CommError): number | undefined {
    // Other files may have all its descriptors.
    if (code === "OVERLOADED" && task.overloads < MAX_OVERLOADS) return overloadDelayMs(task.overloads++);
    // It may not have noticed yet that our last link is gone.
    if (code !== "BUSY" || !this.isReconnected || task.busy++ >= BUSY_RETRIES) return undefined;
    return BUSY_RETRY_MS;
  }

  #retryLater(task: UploadTask, delayMs: number): void {
    this.#window.hold(task);
    this.#options.clock.after(delayMs, () => {
      this.#window.resume(task);
      this.#onDue();
    });
  }
}
