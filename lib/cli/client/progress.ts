import { Format, MultiBar, type Options, type Params, type SingleBar } from "cli-progress";
import type { ConsoleIo } from "../console-io.ts";
import { escapeText } from "../escape.ts";
import { formatBytes } from "../format.ts";

/** Shown when a transfer takes longer: what is over sooner needs no bar. */
const DELAY_MS = 400;
const REFRESH_MS = 100;
/** The rate is that of about the last seconds. */
const RATE_WINDOW_MS = 3_000;

const OPTIONS: Options = {
  clearOnComplete: true,
  hideCursor: true,
  barsize: 20,
  barCompleteChar: "█",
  barIncompleteChar: "░",
  linewrap: null,
  emptyOnZero: true,
  stopOnComplete: false,
};

/** Two bars on a terminal, for the file that moves and for all; elsewhere nothing. */
export class Progress {
  readonly #io: Pick<ConsoleIo, "noteIsTty" | "divertNotes">;
  readonly #startedAt = performance.now();
  #bars: MultiBar | undefined;
  #file: SingleBar | undefined;
  #total: SingleBar | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  readonly #rate = new Rate();
  /** What is planned, what has moved, what is finished. */
  #files = 0;
  #bytes = 0;
  #filesDone = 0;
  #bytesDone = 0;
  #isPlanned = false;
  #current = { name: "", size: 0, done: 0, phase: "" };

  constructor(io: Pick<ConsoleIo, "noteIsTty" | "divertNotes">) {
    this.#io = io;
    if (io.noteIsTty) this.#timer = setInterval(() => this.#refresh(), REFRESH_MS);
  }

  /** One more file is going to move. */
  plan(bytes: number): void {
    this.#files++;
    this.#bytes += bytes;
  }

  /** The plan is complete. */
  planned(): void {
    this.#isPlanned = true;
  }

  /** `present` bytes of the file are there already. */
  start(name: string, size: number, present: number): void {
    this.#current = { name, size, done: present, phase: "" };
    this.#bytesDone += present;
  }

  add(name: string, bytes: number): void {
    this.#bytesDone += bytes;
    if (this.#current.name === name) this.#current.done += bytes;
    this.#rate.add(bytes);
  }

  /** Bytes that moved are worth nothing any more. */
  undo(bytes: number): void {
    this.#bytesDone = Math.max(0, this.#bytesDone - bytes);
  }

  /** What is done with the file now, when it is not moving. */
  phase(name: string, size: number, phase: string): void {
    this.#current = { name, size, done: 0, phase };
  }

  /** The file is settled; `unmoved` are those of its bytes that need not, or can't, move. */
  finish(unmoved: number): void {
    this.#filesDone++;
    this.#bytes -= unmoved;
  }

  /** Print above the bars. */
  print(text: string): boolean {
    if (this.#bars === undefined) return false;
    // What stood there of the bar is longer than the line.
    this.#bars.log(text.replace(/\n$/, "\u001b[K\n"));
    return true;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#io.divertNotes(undefined);
    this.#bars?.update(); // what was printed and is not shown yet
    this.#bars?.stop();
    this.#bars = undefined;
  }

  #refresh(): void {
    if (performance.now() - this.#startedAt < DELAY_MS) return;
    if (this.#bars === undefined) {
      this.#bars = new MultiBar({ ...OPTIONS, stream: process.stderr, format: (...all) => this.#format(...all) });
      this.#io.divertNotes((line) => this.print(`${line}\n`));
      this.#file = this.#bars.create(1, 0, { isFile: true });
      this.#total = this.#bars.create(1, 0, { isFile: false });
    }
    const { size, done } = this.#current;
    this.#file?.setTotal(Math.max(1, size));
    this.#file?.update(Math.min(done, size));
    this.#total?.setTotal(Math.max(1, this.#bytes));
    this.#total?.update(Math.min(this.#bytesDone, this.#bytes));
  }

  #format(options: Options, { progress }: Params, { isFile }: { isFile: boolean }): string {
    // The last hundredth is for the moment when it is durably stored.
    const percent = `${Math.min(99, Math.floor(progress * 100))}%`.padStart(4);
    const bar = Format.BarFormat(progress, options as Required<Options>);
    const columns = process.stderr.columns || 80;
    const text = isFile ? this.#fileText() : this.#totalText();
    return clip(`${bar}${percent}  ${text}`, columns - 1);
  }

  #fileText(): string {
    const { name, size, done, phase } = this.#current;
    const moved = phase === "" ? `${formatBytes(Math.min(done, size))} of ${formatBytes(size)}` : phase;
    return `${moved}  ${escapeText(name)}`;
  }

  #totalText(): string {
    const rate = this.#rate.perSecond();
    const more = this.#isPlanned ? "" : "+";
    const left = Math.max(0, this.#bytes - this.#bytesDone);
    const time = rate > 0 && this.#isPlanned ? `  ${formatLeft(left / rate)} left` : "";
    return `${this.#filesDone} of ${this.#files}${more} files  ${formatBytes(this.#bytesDone)}  ${formatBytes(rate)}/s${time}`;
  }
}

/** Bytes a second over the last while. */
class Rate {
  #samples: { at: number; bytes: number }[] = [];

  add(bytes: number): void {
    const at = performance.now();
    const last = this.#samples.at(-1);
    if (last !== undefined && at - last.at < REFRESH_MS) last.bytes += bytes;
    else this.#samples.push({ at, bytes });
  }

  perSecond(): number {
    const now = performance.now();
    this.#samples = this.#samples.filter(({ at }) => now - at < RATE_WINDOW_MS);
    const first = this.#samples[0];
    if (first === undefined) return 0;
    const bytes = this.#samples.reduce((sum, sample) => sum + sample.bytes, 0);
    return (bytes * 1000) / Math.max(REFRESH_MS, now - first.at);
  }
}

function formatLeft(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** The terminal would wrap a longer line, and the bars would climb. */
function clip(text: string, columns: number): string {
  return Bun.stringWidth(text) <= columns ? text : `${[...text].slice(0, columns - 1).join("")}…`;
}
