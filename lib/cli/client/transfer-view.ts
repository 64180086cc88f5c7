import type { LeftOutThing } from "../../client/left-out.ts";
import type { TransferItem } from "../../client/transfer.ts";
import type { Done, TransferResult } from "../../client/transfer-result.ts";
import { type CommError, toCommError } from "../../errors.ts";
import { EXIT, exitOf } from "../exit-codes.ts";
import { inFlagWords } from "../flag-words.ts";
import { LineWriter } from "../line-writer.ts";
import { reportError } from "../report.ts";
import type { Progress } from "./progress.ts";
import type { FailedItem, Moving, TransferDisplay } from "./transfer-display.ts";
import { TransferEvents } from "./transfer-events.ts";
import { type LinesOptions, TransferLines } from "./transfer-lines.ts";
import { movingWords, type TransferWords } from "./transfer-words.ts";

export interface TransferViewOptions extends Omit<LinesOptions, "words"> {
  readonly json: boolean;
  /** "Fetched" or "Sent"; or all the words of a command. */
  readonly verb: string | TransferWords;
  /** Anything left out makes the transfer incomplete. */
  readonly isStrict: boolean;
  /** Bars of somebody who shows them; absent: the view makes its own. */
  readonly progress?: Progress | undefined;
  /** How the place of a file is shown; "" when it need not be shown. */
  placeOf(item: TransferItem, path: string): string;
}

/** Follows a transfer, and has it shown to a person, or with `json` to a program. */
export class TransferView {
  readonly #options: TransferViewOptions;
  readonly #display: TransferDisplay;
  /** Why the report could not be written; the files still move. */
  #unwritten: unknown;
  #startedAt = performance.now();
  readonly #moving = new Map<Pick<TransferItem, "size">, Moving>();

  constructor(options: TransferViewOptions) {
    this.#options = options;
    const { io, json, verb, command, progress } = options;
    const lines = new LineWriter((text) =>
      io.out(text).catch((thrown) => {
        this.#unwritten ??= thrown;
      }),
    );
    const words = typeof verb === "string" ? movingWords(verb) : verb;
    this.#display = json
      ? new TransferEvents(words, lines)
      : new TransferLines({ io, words, command }, lines, progress);
  }

  plan(item: TransferItem): void {
    this.#display.plan(item);
  }

  planned(): void {
    this.#display.planned();
  }

  onStart(item: TransferItem, present: number, size: number): void {
    const [before, now] = [this.#moving.get(item), { size, present }];
    this.#moving.set(item, now);
    this.#display.start(item, now, before);
  }

  onProgress(item: TransferItem, bytes: number): void {
    const before = this.#moving.get(item);
    if (before === undefined) return;
    const { size, present } = before;
    // A damaged block is sent twice.
    const added = Math.min(bytes, size - present);
    const now = { size, present: present + added };
    this.#moving.set(item, now);
    this.#display.progress(item, added, now);
  }

  onRestart(item: TransferItem): void {
    const before = this.#moving.get(item);
    if (before !== undefined) this.#moving.set(item, { size: before.size, present: 0 });
    this.#display.restart(item, before);
  }

  onDone(item: TransferItem, done: Done): void {
    const place = this.#options.placeOf(item, done.path);
    this.#display.done(item, done, { place, planned: this.#settle(item) });
  }

  onFailed(item: FailedItem, thrown: CommError): void {
    this.#display.failed(item, toCommError(inFlagWords(thrown)), this.#settle(item));
  }

  /** As TransferDisplay.say(). */
  say(line: string | undefined, event: object): void {
    this.#display.say(line, event);
  }

  /** As TransferDisplay.refused(). */
  onRefused(error: CommError): void {
    this.#display.refused(toCommError(inFlagWords(error)));
  }

  /** A planned item has disappeared. */
  onGone(item: TransferItem): void {
    this.#display.gone(item, this.#settle(item));
  }

  /** Something is left out, which is not a failure. */
  onLeftOut(left: LeftOutThing): void {
    this.#display.leftOut(left);
  }

  /** A pattern of the filter has matched nothing. */
  onUnmatched(pattern: string): void {
    this.#display.unmatched(pattern);
  }

  /** A step of a file other than moving it. */
  phase(item: TransferItem, phase: string): void {
    this.#display.phase(item, phase);
  }

  /** A line for people on the error output, above the bars. */
  note(line: string): void {
    this.#display.note(line);
  }

  /** The transfer is over. */
  hideProgress(): void {
    this.#display.pause();
  }

  /**
   * Leave the screen to a question; after a yes, the transfer continues. The wait does not count as the transfer's
   * time.
   */
  async pause(ask: () => Promise<boolean>): Promise<boolean> {
    const pausedAt = performance.now();
    this.#display.pause();
    const isAllowed = await ask();
    this.#startedAt += performance.now() - pausedAt;
    if (isAllowed) this.#display.resume();
    return isAllowed;
  }

  /** Show how it ended. @returns the exit code of the first failure */
  async finish(result: TransferResult): Promise<number> {
    const { io, json, isStrict } = this.#options;
    const isIncomplete = isStrict && result.leftOut > 0;
    await this.#display.finish(result, (performance.now() - this.#startedAt) / 1000, isIncomplete);
    const { firstFailure } = result;
    const exit = firstFailure === undefined ? 0 : exitOf(toCommError(inFlagWords(firstFailure)));
    const unwritten =
      this.#unwritten === undefined ? 0 : reportError(this.#unwritten, io, { program: "commserver-client", json });
    return exit || unwritten || (isIncomplete ? EXIT.INCOMPLETE : 0);
  }

  /** The file has stopped moving. @returns its bytes in the plan */
  #settle(item: Pick<TransferItem, "size">): number {
    const planned = this.#moving.get(item)?.size ?? item.size;
    this.#moving.delete(item);
    return planned;
  }
}
