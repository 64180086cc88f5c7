import type { LeftOutThing } from "../../client/left-out.ts";
import type { TransferItem } from "../../client/transfer.ts";
import type { Done, TransferResult } from "../../client/transfer-result.ts";
import type { CommError } from "../../errors.ts";
import { toJson } from "../escape.ts";
import { exitOf } from "../exit-codes.ts";
import type { LineWriter } from "../line-writer.ts";
import type { FailedItem, Moving, TransferDisplay } from "./transfer-display.ts";
import type { TransferWords } from "./transfer-words.ts";

const PROGRESS_EVENT_MS = 200;

/** A transfer for programs: one JSON object on a line for each event (docs/files.md, "What you see"). */
export class TransferEvents implements TransferDisplay {
  readonly #lines: LineWriter;
  readonly #words: TransferWords;
  #lastProgressEvent = performance.now();

  constructor(words: TransferWords, lines: LineWriter) {
    this.#words = words;
    this.#lines = lines;
  }

  start(item: TransferItem, { size, present }: Moving): void {
    this.#event("started", { path: this.#words.nameOf(item), size, present });
  }

  progress(item: TransferItem, _added: number, { size, present }: Moving): void {
    if (performance.now() - this.#lastProgressEvent < PROGRESS_EVENT_MS) return;
    this.#lastProgressEvent = performance.now();
    this.#event("progress", { path: this.#words.nameOf(item), bytes: present, size });
  }

  restart(item: TransferItem): void {
    this.#event("restarted", { path: this.#words.nameOf(item) });
  }

  done(item: TransferItem, done: Done, { place }: { place: string }): void {
    const members = this.#words.event(item, done, place);
    if (members !== undefined) this.#lines.add(toJson(members));
  }

  say(_line: string | undefined, event: object): void {
    this.#lines.add(toJson(event));
  }

  refused(error: CommError): void {
    const { code, message } = error;
    this.#event("refused", { code, message, exit: exitOf(error) });
  }

  failed(item: FailedItem, error: CommError): void {
    const { code, message } = error;
    this.#event("failed", { path: this.#words.nameOf(item), code, message, exit: exitOf(error) });
  }

  leftOut({ path, code, why, count = 1 }: LeftOutThing): void {
    this.#event("left-out", { path, code, message: why, ...(count > 1 && { count }) });
  }

  unmatched(pattern: string): void {
    this.#event("unmatched", { pattern });
  }

  async finish(result: TransferResult, seconds: number): Promise<void> {
    const { leftOut, bytes, reused, resumed } = result;
    this.#event("finished", {
      ...this.#words.counts(result),
      ...(leftOut > 0 && { leftOut }),
      ...(reused > 0 && { reused }),
      ...(resumed > 0 && { resumed }),
      ...{ bytes, seconds: Math.round(seconds * 1000) / 1000 },
    });
    await this.#lines.flush();
  }

  // A program learns the plan from what starts, and needs neither steps nor a free screen.
  plan(): void {}
  planned(): void {}
  gone(): void {}
  phase(): void {}
  note(): void {}
  pause(): void {}
  resume(): void {}

  #event(event: string, members: object): void {
    this.#lines.add(toJson({ event, ...members }));
  }
}
