import { CommError, codeOfWire, RemoteError } from "../errors.ts";
import type { PutAnswer } from "../protocol/methods.ts";
import { quote } from "../quote.ts";
import { isSmall } from "../storage/storage.ts";
import { MAX_REPAIRS } from "../transfer/repair.ts";
import { MAX_OVERLOADS, overloadDelayMs, type TransferOptions, type UploadItem } from "./transfer.ts";
import { checkRanges, checkStored, takeOffer, type UploadTask } from "./upload-task.ts";
import type { UploadWindow } from "./upload-window.ts";

/** How often, and how long, to wait for a file that an earlier link of ours may still hold. */
const BUSY_RETRIES = 20;
const BUSY_RETRY_MS = 250;
/** How often the server may request parts of a file: first what is missing, then what arrived damaged. */
const MAX_ROUNDS = MAX_REPAIRS + 1;

/** Handles the server's answers to our offers. */
export class UploadAnswers {
  readonly #window: UploadWindow;
  readonly #options: TransferOptions<UploadItem>;
  /** Called when a waiting task may be offered again. */
  readonly #onDue: () => void;
  /** True after an earlier link was lost. */
  isReconnected = false;

  constructor(window: UploadWindow, options: TransferOptions<UploadItem>, onDue: () => void) {
    this.#window = window;
    this.#options = options;
    this.#onDue = onDue;
  }

  /** @throws ProtocolError BAD_PAYLOAD for an impossible answer */
  async take(answer: PutAnswer): Promise<void> {
    const task = this.#window.find(answer.id);
    // The task may have failed here meanwhile.
    if (task === undefined) return;
    const { item } = task;
    switch (answer.state) {
      case "pieces": {
        const offer = takeOffer(task, answer);
        // What it has of an earlier run is not known yet.
        if (task.watched === undefined && !task.isOurs) this.#options.onStart?.(item, 0, task.size);
        task.isOurs = true;
        return this.#window.want({ task, offer });
      }
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
    task.offersFrom = undefined;
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

  /** @returns the delay before the file is offered again, in milliseconds; undefined: never */
  #retryDelayMs(task: UploadTask, { code }: CommError): number | undefined {
    // Other files may hold all of the server's descriptors.
    if (code === "OVERLOADED" && task.overloads < MAX_OVERLOADS) return overloadDelayMs(task.overloads++);
    // The server may not have noticed yet that our last link is gone.
    if (code !== "BUSY" || !this.isReconnected || task.busy++ >= BUSY_RETRIES) return undefined;
    return BUSY_RETRY_MS;
  }

  #retryLater(task: UploadTask, delayMs: number): void {
    const resume = this.#window.hold(task);
    this.#options.clock.after(delayMs, () => {
      resume();
      this.#onDue();
    });
  }
}
