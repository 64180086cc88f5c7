import type { LeftOutThing } from "../../client/left-out.ts";
import type { TransferItem } from "../../client/transfer.ts";
import type { Done } from "../../client/transfer-job.ts";
import type { TransferResult } from "../../client/transfer-result.ts";
import { type CommError, toCommError } from "../../errors.ts";
import { type ConsoleIo, paint } from "../console-io.ts";
import { escapeText, toJson } from "../escape.ts";
import { EXIT, EXIT_OF } from "../exit-codes.ts";
import { inFlagWords } from "../flag-words.ts";
import { formatBytes, plural } from "../format.ts";
import { LineWriter } from "../line-writer.ts";
import { reportError } from "../report.ts";
import { describeLeftOut } from "./left-out-line.ts";
import { Progress } from "./progress.ts";

/** The most lines for files on a terminal; the summary counts the rest. */
const MAX_LINES = 20;
const PROGRESS_EVENT_MS = 200;

export interface TransferViewOptions {
  readonly io: ConsoleIo;
  readonly json: boolean;
  /** "Fetched" or "Sent". */
  readonly verb: string;
  /** Anything left out makes the transfer incomplete. */
  readonly isStrict: boolean;
  /** How the place of a file is shown; "" when it need not be shown. */
  placeOf(item: TransferItem, path: string): string;
}

/** Shows the progress of a transfer to a person, or with `json` to a program. */
export class TransferView {
  readonly #options: TransferViewOptions;
  readonly #progress: Progress | undefined;
  readonly #lines: LineWriter;
  /** Why the report could not be written; the files still move. */
  #unwritten: unknown;
  #shown = 0;
  #shownLeftOut = 0;
  #startedAt = performance.now();
  #lastProgressEvent = performance.now();
  /** Files that move: their present size, and the bytes that have arrived. */
  readonly #moving = new Map<Pick<TransferItem, "size">, { readonly size: number; present: number }>();

  constructor(options: TransferViewOptions) {
    this.#options = options;
    this.#progress = options.json ? undefined : new Progress(options.io);
    this.#lines = new LineWriter((text) =>
      options.io.out(text).catch((thrown) => {
        this.#unwritten ??= thrown;
      }),
    );
  }

  plan(item: TransferItem): void {
    if (item.kind === "file") this.#progress?.plan(item.size);
  }

  planned(): void {
    this.#progress?.planned();
  }

  onStart(item: TransferItem, present: number, size: number): void {
    const before = this.#moving.get(item);
    // The plan has the size from the listing, or from when the file last began.
    this.#progress?.resize(size - (before?.size ?? item.size));
    if (before !== undefined) this.#progress?.undo(before.present);
    this.#moving.set(item, { size, present });
    this.#progress?.start(item.from, size, present);
    this.#event("started", { path: item.from, size, present });
  }

  onProgress(item: TransferItem, bytes: number): void {
    const moving = this.#moving.get(item);
    if (moving === undefined) return;
    const { size } = moving;
    // A damaged block is sent twice.
    const added = Math.min(bytes, size - moving.present);
    moving.present += added;
    this.#progress?.add(item.from, added);
    if (!this.#options.json || performance.now() - this.#lastProgressEvent < PROGRESS_EVENT_MS) return;
    this.#lastProgressEvent = performance.now();
    this.#event("progress", { path: item.from, bytes: moving.present, size });
  }

  onRestart(item: TransferItem): void {
    const moving = this.#moving.get(item);
    if (moving !== undefined) {
      this.#progress?.undo(moving.present);
      moving.present = 0;
    }
    this.note(`${escapeText(item.from)} has changed: its transfer begins again.`);
    this.#event("restarted", { path: item.from });
  }

  onDone(item: TransferItem, { outcome, path, size, sha256 }: Done): void {
    const { json, verb, placeOf } = this.#options;
    const planned = this.#settle(item);
    // Folders are not counted.
    if (item.kind === "file") {
      this.#progress?.finish(outcome === "stored" ? planned - size : planned);
    }
    const place = placeOf(item, path);
    if (json) {
      const digest = sha256 === undefined ? {} : { sha256 };
      return this.#event("done", {
        path: item.from,
        target: place || path,
        kind: item.kind,
        size,
        outcome,
        ...digest,
      });
    }
    const to = place === "" ? "" : ` as ${escapeText(place)}`;
    const name = escapeText(item.from);
    if (item.kind === "folder") return;
    if (outcome === "unchanged") return this.#line(`Unchanged ${name}${to}`);
    if (outcome === "skipped") return this.#line(`Skipped ${name}: it exists`);
    this.#line(`${verb} ${name}${to} (${formatBytes(size)}, verified)${sha256 === undefined ? "" : `  ${sha256}`}`);
  }

  onFailed(item: Pick<TransferItem, "from" | "size" | "kind">, thrown: CommError): void {
    const error = toCommError(inFlagWords(thrown));
    const planned = this.#settle(item);
    if (item.kind === "file") this.#progress?.finish(planned);
    const { json, io } = this.#options;
    if (json) {
      const exit = EXIT_OF[error.code];
      return this.#event("failed", { path: item.from, code: error.code, message: error.message, exit });
    }
    reportError(error, io, { program: "commserver-client", json: false });
  }

  /** A planned item has disappeared. */
  onGone(item: TransferItem): void {
    const planned = this.#settle(item);
    if (item.kind === "file") this.#progress?.finish(planned);
  }

  /** Something is left out, which is not a failure. */
  onLeftOut(left: LeftOutThing): void {
    const { path, code, why, count = 1 } = left;
    const { json, io } = this.#options;
    if (json) return this.#event("left-out", { path, code, message: why, ...(count > 1 && { count }) });
    // On a terminal the summary counts the rest.
    if (io.noteIsTty && ++this.#shownLeftOut > MAX_LINES) return;
    io.note(paint(io, "yellow", describeLeftOut(left)));
  }

  /** A step of a file other than moving it. */
  phase(item: TransferItem, phase: string): void {
    this.#progress?.phase(item.from, item.size, phase);
  }

  /** A line for people on the error output, above the bars. */
  note(line: string): void {
    if (this.#options.json) return;
    this.#options.io.note(line);
  }

  /** The transfer is over. */
  hideProgress(): void {
    this.#progress?.stop();
  }

  /**
   * Leave the screen to a question; after a yes, the transfer continues. The wait does not count as the transfer's
   * time.
   */
  async pause(ask: () => Promise<boolean>): Promise<boolean> {
    const pausedAt = performance.now();
    this.#progress?.stop();
    const isAllowed = await ask();
    this.#startedAt += performance.now() - pausedAt;
    if (isAllowed) this.#progress?.resume();
    return isAllowed;
  }

  /** Print the summary. @returns the exit code of the first failure */
  async finish(result: TransferResult): Promise<number> {
    this.#progress?.stop();
    const { json, verb, isStrict } = this.#options;
    const { stored, unchanged, skipped, failed, leftOut, bytes, firstFailure } = result;
    const seconds = (performance.now() - this.#startedAt) / 1000;
    if (json) {
      this.#event("finished", {
        ...{ stored, unchanged, skipped, failed },
        ...(leftOut > 0 && { leftOut }),
        ...{ bytes, seconds: Math.round(seconds * 1000) / 1000 },
      });
    } else if (stored + unchanged + skipped + failed > 1 || leftOut > 0) {
      const parts = [
        `${verb} ${plural(stored, "file")}, ${formatBytes(bytes)} in ${seconds.toFixed(seconds < 10 ? 1 : 0)} s`,
        unchanged > 0 ? `${unchanged} unchanged` : "",
        skipped > 0 ? `${skipped} skipped` : "",
        failed > 0 ? `${failed} failed` : "",
        leftOut > 0 ? `${leftOut} left out` : "",
      ];
      await this.#lines.flush();
      this.#options.io.note(parts.filter((part) => part !== "").join(", "));
    }
    await this.#lines.flush();
    const { io } = this.#options;
    const isIncomplete = isStrict && leftOut > 0;
    if (isIncomplete && !json) {
      const text = paint(io, "red", "Incomplete: something was left out (--strict).");
      io.note(io.isShell ? text : `commserver-client: ${text}`);
    }
    const exit = firstFailure === undefined ? 0 : EXIT_OF[toCommError(inFlagWords(firstFailure)).code];
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

  #line(line: string): void {
    const { io } = this.#options;
    if (io.outIsTty && ++this.#shown > MAX_LINES) return;
    this.#lines.add(line);
  }

  #event(event: string, members: object): void {
    if (this.#options.json) this.#lines.add(toJson({ event, ...members }));
  }
}
