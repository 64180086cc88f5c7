import { Batches } from "../batches.ts";
import { type CommError, ProtocolError, RemoteError, toCommError } from "../errors.ts";
import { PutAnswer } from "../protocol/methods.ts";
import { decodeRecordBatches } from "../protocol/records.ts";
import type { Stream } from "../session/stream.ts";
import { Wakeup } from "../session/wakeup.ts";
import { Yielder } from "../yielder.ts";
import type { Client } from "./client.ts";
import { overIntactStreams } from "./intact-streams.ts";
import { type TransferOptions, tellGone, type UploadItem } from "./transfer.ts";
import { UploadAnswers } from "./upload-answers.ts";
import { UploadSender } from "./upload-sender.ts";
import { newTask, type UploadTask } from "./upload-task.ts";
import { UploadWindow } from "./upload-window.ts";

/**
 * Sends files of a local tree to the server: small ones ahead of their answers, large ones as the server asks for them.
 * run() may be called again over another link after the first was lost.
 */
export class Upload {
  readonly #options: TransferOptions<UploadItem>;
  readonly #items: Batches<UploadItem>;
  readonly #window = new UploadWindow();
  readonly #answers: UploadAnswers;
  readonly #wakeup = new Wakeup();
  /** True when we must end our body. */
  #hasSentAll = false;
  #failure: unknown;
  /** The next items are on their way. */
  #isComing = false;
  /** Why no more items come. */
  #planFailure: unknown;

  constructor(batches: AsyncIterable<readonly UploadItem[]>, options: TransferOptions<UploadItem>) {
    this.#items = new Batches(batches);
    this.#options = tellGone(options, isGoneHere);
    this.#answers = new UploadAnswers(this.#window, this.#options, () => this.#wakeup.notify());
  }

  /**
   * Send everything that is not there yet. Files that fail are reported by onFailed(). An error of the whole transfer
   * is thrown; then run() may be called again.
   *
   * @throws RemoteError, TransportError when the session ends or the server takes no files
   */
  async run(client: Client): Promise<void> {
    // Without files to send, don't ask: a read-only server would refuse.
    if (this.#window.isIdle && !(await this.#items.ready())) return;
    try {
      await overIntactStreams(async () => {
        await this.#runStream(client);
        await this.#window.settle();
        if (this.#failure !== undefined) throw this.#failure;
      });
    } finally {
      this.#answers.isReconnected = true;
    }
  }

  async close(): Promise<void> {
    this.#window.close();
    await this.#items.close();
  }

  async #runStream(client: Client): Promise<void> {
    const { signal } = this.#options;
    const isWaiting = () => stream.isSending || (stream.isAwaited && (this.#hasSentAll || this.#window.isOwed));
    const stream = client.openStream("put", {}, { body: true, isWaiting, ...(signal && { signal }) });
    this.#failure = undefined;
    this.#hasSentAll = false;
    const sender = new UploadSender(stream, this.#window, this.#options, client);
    const stop = (thrown: unknown) => this.#stop(stream, thrown);
    await Promise.all([this.#takeAnswers(stream).catch(stop), this.#send(sender).catch(stop)]);
  }

  #stop(stream: Stream, thrown: unknown): void {
    this.#failure ??= thrown;
    stream.reset("CANCELLED", "The sender can't continue.", toCommError(thrown));
    this.#wakeup.notify();
  }

  /** Send in this order: withdrawals, requested parts, repeated offers, new offers. */
  async #send(sender: UploadSender): Promise<void> {
    const yielder = new Yielder(this.#options.clock);
    for (;;) {
      if (this.#failure !== undefined) return;
      if (this.#planFailure !== undefined) throw this.#planFailure;
      const abandoned = this.#window.takeAbandoned();
      const wanted = abandoned === undefined ? this.#window.takeWanted() : undefined;
      if (abandoned !== undefined) await sender.abandon(abandoned);
      else if (wanted !== undefined) await sender.send(wanted);
      else if (this.#window.isFull) await this.#wakeup.wait();
      else {
        const task = this.#window.takeAgain() ?? this.#nextTask();
        if (task !== undefined) await sender.offer(task);
        else if (this.#items.isEnded && this.#window.isIdle) break;
        else await this.#wakeup.wait();
      }
      if (yielder.isDue) await yielder.pause();
    }
    this.#hasSentAll = true;
    await sender.end();
  }

  /** @returns undefined when there is none yet, and this will notify; or none any more */
  #nextTask(): UploadTask | undefined {
    if (this.#isComing) return undefined;
    const item = this.#items.next();
    if (item === undefined) return undefined;
    if (!(item instanceof Promise)) return newTask(item);
    // Meanwhile the server may request parts, or the plan may wait for what is under way.
    this.#isComing = true;
    item
      .catch((thrown) => {
        this.#planFailure = thrown;
      })
      .finally(() => {
        this.#isComing = false;
        this.#wakeup.notify();
      });
    return undefined;
  }

  async #takeAnswers(stream: Stream): Promise<void> {
    await stream.accepted;
    for await (const answers of decodeRecordBatches(PutAnswer, stream.pieces())) {
      for (const answer of answers) await this.#answers.take(answer);
      this.#wakeup.notify();
    }
    if (this.#hasSentAll && this.#window.isAnswered) return;
    throw new ProtocolError("UNEXPECTED_FRAME", "The server ends before it has answered.");
  }
}

/** True when the local file has disappeared, not when the server misses something. */
function isGoneHere(error: CommError): boolean {
  return !(error instanceof RemoteError) && (error.code === "NO_SUCH_FILE" || error.code === "NOT_FOUND");
}
