import type { LeftOutThing } from "../../client/left-out.ts";
import type { TransferItem } from "../../client/transfer.ts";
import type { Done, TransferResult } from "../../client/transfer-result.ts";
import type { CommError } from "../../errors.ts";
import { type ConsoleIo, paint } from "../console-io.ts";
import { escapeText } from "../escape.ts";
import type { LineWriter } from "../line-writer.ts";
import { reportError } from "../report.ts";
import { unmatchedLine } from "./filter-flags.ts";
import { describeLeftOut } from "./left-out-line.ts";
import { Progress } from "./progress.ts";
import type { FailedItem, Moving, TransferDisplay } from "./transfer-display.ts";
import type { TransferWords } from "./transfer-words.ts";

/** The most lines on a terminal for what is left out; the summary counts the rest. */
const MAX_LEFT_OUT = 20;

export interface LinesOptions {
  readonly io: ConsoleIo;
  readonly words: TransferWords;
  /** As ReportOptions.command. */
  readonly command?: string | undefined;
}

/** A transfer for people: bars while it runs, a line for each file, and a summary. */
export class TransferLines implements TransferDisplay {
  readonly #io: ConsoleIo;
  readonly #words: TransferWords;
  readonly #command: string | undefined;
  readonly #lines: LineWriter;
  readonly #progress: Progress;
  #shown = 0;
  #shownLeftOut = 0;

  constructor({ io, words, command }: LinesOptions, lines: LineWriter, progress = new Progress(io)) {
    this.#io = io;
    this.#words = words;
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
    const { outcome, size } = done;
    if (item.kind === "file") this.#progress.finish(outcome === "stored" ? planned - size : planned);
    this.say(this.#words.line(item, done, place));
  }

  failed({ kind }: FailedItem, error: CommError, planned: number): void {
    if (kind === "file") this.#progress.finish(planned);
    this.refused(error);
  }

  refused(error: CommError): void {
    reportError(error, this.#io, { program: "commserver-client", command: this.#command, json: false });
  }

  gone({ kind }: TransferItem, planned: number): void {
    if (kind === "file") this.#progress.finish(planned);
  }

  leftOut(left: LeftOutThing): void {
    const io = this.#io;
    // On a terminal the summary counts the rest.
    if (io.noteIsTty && ++this.#shownLeftOut > MAX_LEFT_OUT) return;
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
    const summary = this.#words.summary(result, seconds);
    if (summary !== undefined) io.note(summary);
    if (!isIncomplete) return;
    const text = paint(io, "red", "Incomplete: something was left out (--strict).");
    io.note(io.isShell ? text : `commserver-client: ${text}`);
  }

  say(line: string | undefined): void {
    if (line === undefined) return;
    if (this.#io.outIsTty && ++this.#shown > this.#words.maxLines) return;
    this.#lines.add(line);
  }
}
