import type { LeftOutThing } from "../../client/left-out.ts";
import type { TransferItem } from "../../client/transfer.ts";
import type { Done } from "../../client/transfer-job.ts";
import type { TransferResult } from "../../client/transfer-result.ts";
import type { CommError } from "../../errors.ts";
import { toJson } from "../escape.ts";
import { exitOf } from "../exit-codes.ts";
import type { LineWriter } from "../line-writer.ts";
import type { FailedItem, Moving, TransferDisplay } from "./transfer-display.ts";

const PROGRESS_EVENT_MS = 200;

/** A transfer for programs: one JSON object on a line for each event (docs/files.md, "What you see"). */
export class TransferEvents implements TransferDisplay {
  readonly #lines: LineWriter;
  #lastProgressEvent = performance.now();

  constructor(lines: LineWriter) {
    this.#lines = lines;
  }

  start({ from }: TransferItem, { size, present }: Moving): void {
    this.#event("started", { path: from, size, present });
  }

  progress({ from }: TransferItem, _added: number, { size, present }: Moving): void {
    if (performance.now() - this.#lastProgressEvent < PROGRESS_EVENT_MS) return;
    this.#lastProgressEvent = performance.now();
    this.#event("progress", { path: from, bytes: present, size });
  }

  restart({ from }: TransferItem): void {
    this.#event("restarted", { path: from });
  }

  done({ from, kind }: TransferItem, { outcome, path, size, sha256 }: Done, { place }: { place: string }): void {
    const digest = sha256 === undefined ? {} : { sha256 };
    this.#event("done", { path: from, target: place || path, kind, size, outcome, ...digest });
  }

  failed({ from }: FailedItem, error: CommError): void {
    const { code, message } = error;
    this.#event("failed", { path: from, code, message, exit: exitOf(error) });
  }

  leftOut({ path, code, why, count = 1 }: LeftOutThing): void {
    this.#event("left-out", { path, code, message: why, ...(count > 1 && { count }) });
  }

  unmatched(pattern: string): void {
    this.#event("unmatched", { pattern });
  }

  async finish(result: TransferResult, seconds: number): Promise<void> {
    const { stored, unchanged, skipped, failed, leftOut, bytes } = result;
    this.#event("finished", {
      ...{ stored, unchanged, skipped, failed },
      ...(leftOut > 0 && { leftOut }),
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
