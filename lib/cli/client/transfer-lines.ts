import type { LeftOutThing } from "../../client/left-out.ts";
import type { TransferItem } from "../../client/transfer.ts";
import type { Done } from "../../client/transfer-job.ts";
import type { TransferResult } from "../../client/transfer-result.ts";
import type { CommError } from "../../errors.ts";
import { formatBytes } from "../../format-bytes.ts";
import { type ConsoleIo, paint } from "../console-io.ts";
import { escapeText } from "../escape.ts";
import { plural } from "../format.ts";
import type { LineWriter } from "../line-writer.ts";
import { reportError } from "../report.ts";
import { unmatchedLine } from "./filter-flags.ts";
import { describeLeftOut } from "./left-out-line.ts";
import { Progress } from "./progress.ts";
import type { FailedItem, Moving, TransferDisplay } from "./transfer-display.ts";

/** The most lines for files on a terminal; the summary counts the rest. */
const MAX_LINES = 20;

export interface LinesOptions {
  readonly io: ConsoleIo;
  /** "Fetched" or "Sent". */
  readonly verb: string;
  /** As ReportOptions.command. */
  readonly command?: string | undefined;
}

/** A transfer for people: bars while it runs, a line for each file, and a summary. */
export class TransferLines implements TransferDisplay {
  readonly #io: ConsoleIo;
  readonly #verb: string;
  readonly #command: string | undefined;
  readonly #lines: LineWriter;
  readonly #progress: Progress;
  #shown = 0;
  #shownLeftOut = 0;

  constructor({ io, verb, command }: LinesOptions, lines: LineWriter, progress = new Progress(io)) {
    this.#io = io;
    this.#verb = verb;
    this.#command = command;
    this.#lines = lines;
    this.#progress = progress;
  }

  plan({ kind, size }: TransferItem): void {
    if (kind === "file") this.#progress.plan(size);
  }

  planned(): void {
    this.#progress.planned();
  }

  start(item: TransferItem, { size, present }: Moving, before: Moving | undefined): void {
    // The plan has the size from the listing, or from when the file last began.
    this.#progress.resize(size - (before?.size ?? item.size));
    if (before !== undefined) this.#progress.undo(before.present);
    this.#progress.start(item.from, size, present);
  }

  progress({ from }: TransferItem, added: number): void {
    this.#progress.add(from, added);
  }

  restart({ from }: TransferItem, before: Moving | undefined): void {
    if (before !== undefined) this.#progress.undo(before.present);
    this.note(`${escapeText(from)} has changed: its transfer begins again.`);
  }

  done(item: TransferItem, done: Done, { place, planned }: { place: string; planned: number }): void {
    // Folders are not counted.
    if (item.kind === "folder") return;
    const { outcome, size, sha256 } = done;
    this.#progress.finish(outcome === "stored" ? planned - size : planned);
    const to = place === "" ? "" : ` as ${escapeText(place)}`;
    const name = escapeText(item.from);
    if (outcome === "unchanged") return this.#line(`Unchanged ${name}${to}`);
    if (outcome === "skipped") return this.#line(`Skipped ${name}: it exists`);
    const digest = sha256 === undefined ? "" : `  ${sha256}`;
    this.#line(`${this.#verb} ${name}${to} (${formatBytes(size)}, verified)${digest}`);
  }

  failed({ kind }: FailedItem, error: CommError, planned: number): void {
    if (kind === "file") this.#progress.finish(planned);
    reportError(error, this.#io, { program: "commserver-client", command: this.#command, json: false });
  }

  gone({ kind }: TransferItem, planned: number): void {
    if (kind === "file") this.#progress.finish(planned);
  }

  leftOut(left: LeftOutThing): void {
    const io = this.#io;
    // On a terminal the summary counts the rest.
    if (io.noteIsTty && ++this.#shownLeftOut > MAX_LINES) return;
    io.note(paint(io, "yellow", describeLeftOut(left)));
  }

  unmatched(pattern: string): void {
    this.note(unmatchedLine(pattern));
  }

  phase({ from, size }: TransferItem, phase: string): void {
    this.#progress.phase(from, size, phase);
  }

  /** On the error output, above the bars. */
  note(line: string): void {
    this.#io.note(line);
  }

  pause(): void {
    this.#progress.stop();
  }

  resume(): void {
    this.#progress.resume();
  }

  async finish(result: TransferResult, seconds: number, isIncomplete: boolean): Promise<void> {
    this.#progress.stop();
    const io = this.#io;
    await this.#lines.flush();
    const summary = summaryOf(result, this.#verb, seconds);
    if (summary !== undefined) io.note(summary);
    if (!isIncomplete) return;
    const text = paint(io, "red", "Incomplete: something was left out (--strict).");
    io.note(io.isShell ? text : `commserver-client: ${text}`);
  }

  #line(line: string): void {
    if (this.#io.outIsTty && ++this.#shown > MAX_LINES) return;
    this.#lines.add(line);
  }
}

/** Undefined for one file, whose line says it all. */
function summaryOf(result: TransferResult, verb: string, seconds: number): string | undefined {
  const { stored, unchanged, skipped, failed, leftOut, bytes } = result;
  if (stored + unchanged + skipped + failed <= 1 && leftOut === 0) return undefined;
  const parts = [
    `${verb} ${plural(stored, "file")}, ${formatBytes(bytes)} in ${seconds.toFixed(seconds < 10 ? 1 : 0)} s`,
    unchanged > 0 ? `${unchanged} unchanged` : "",
    skipped > 0 ? `${skipped} skipped` : "",
    failed > 0 ? `${failed} failed` : "",
    leftOut > 0 ? `${leftOut} left out` : "",
  ];
  return parts.filter((part) => part !== "").join(", ");
}
