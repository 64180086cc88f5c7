import { formatBytes } from "../../format-bytes.ts";
import type { ConsoleIo } from "../console-io.ts";
import { escapeText } from "../escape.ts";
import { isInForeground } from "../terminal/foreground.ts";
import { clip, columnsOf, type Region, rowsOf } from "../terminal/screen.ts";
import { onSignals } from "../terminal/signals.ts";

/** A transfer that ends sooner shows no bar. */
const DELAY_MS = 400;
const REFRESH_MS = 100;
/** The time over which the rate is measured. */
const RATE_WINDOW_MS = 3_000;

/** Cells of a bar, fewer in a narrow window. */
const BAR_CELLS = 20;

/** How far a transfer is: whole percent, bytes a second, and the seconds that are left where they are known. */
export interface ProgressSummary {
  readonly percent: number;
  readonly rate: number;
  readonly secondsLeft: number | undefined;
}

/**
 * Two bars on a terminal, for the file that moves and for all files; none elsewhere (TERM=dumb included), and none in
 * the background. They change no mode of the terminal, so nothing must be restored however the program ends.
 */
export class Progress implements Region {
  readonly #io: Pick<ConsoleIo, "canRedraw" | "screen">;
  readonly #startedAt = performance.now();
  /** The rows that the screen shows. */
  #drawn: readonly string[] = [];
  #hide: (() => void) | undefined;
  #stopListening: () => void = () => {};
  #timer: ReturnType<typeof setInterval> | undefined;
  readonly #rate = new Rate();
  /** Counts of files and bytes: planned, moved and finished. */
  #files = 0;
  #bytes = 0;
  #filesDone = 0;
  #bytesDone = 0;
  #isPlanned = false;
  #current = { name: "", size: 0, done: 0, phase: "" };

  constructor(io: Pick<ConsoleIo, "canRedraw" | "screen">) {
    this.#io = io;
    this.resume();
  }

  /** Show the bars, also again after stop(). */
  resume(): void {
    if (!this.#io.canRedraw) return;
    this.stop();
    this.#timer = setInterval(() => this.#refresh(), REFRESH_MS);
    // While the process was stopped, the shell has written below the bars.
    this.#stopListening = onSignals(["SIGCONT"], () => {
      this.#drawn = [];
    });
  }

  /** How far all files are together. */
  get summary(): ProgressSummary {
    const rate = this.#rate.perSecond();
    const left = Math.max(0, this.#bytes - this.#bytesDone);
    return {
      percent: percentOf(Math.min(this.#bytesDone, this.#bytes), this.#bytes),
      rate,
      secondsLeft: rate > 0 && this.#isPlanned ? left / rate : undefined,
    };
  }

  /** One more file is going to move. */
  plan(bytes: number): void {
    this.#files++;
    this.#bytes += bytes;
  }

  /** A planned file has grown by `bytes`, or shrunk when they are negative. */
  resize(bytes: number): void {
    this.#bytes += bytes;
  }

  /** The plan is complete. */
  planned(): void {
    this.#isPlanned = true;
  }

  /** A file begins to move; `present` of its bytes are there already. */
  start(name: string, size: number, present: number): void {
    this.#current = { name, size, done: present, phase: "" };
    this.#bytesDone += present;
  }

  add(name: string, bytes: number): void {
    this.#bytesDone += bytes;
    if (this.#current.name === name) this.#current.done += bytes;
    this.#rate.add(bytes);
  }

  /** Bytes that moved must move again. */
  undo(bytes: number): void {
    this.#bytesDone = Math.max(0, this.#bytesDone - bytes);
  }

  /** What happens to a file while none of its bytes move. */
  phase(name: string, size: number, phase: string): void {
    this.#current = { name, size, done: 0, phase };
  }

  /** The file is settled; `unmoved` of its bytes need not, or can't, move. */
  finish(unmoved: number): void {
    this.#filesDone++;
    this.#bytes -= unmoved;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#stopListening();
    this.#hide?.();
    this.#hide = undefined;
  }

  erase(): void {
    if (this.#drawn.length === 0 || !isInForeground()) return;
    // A window that was made narrower has wrapped the rows.
    const columns = columnsOf(process.stderr);
    const rows = this.#drawn.reduce((sum, line) => sum + rowsOf(line, columns), 0);
    this.#drawn = [];
    process.stderr.write(`\r${rows > 1 ? `\u001b[${rows - 1}A` : ""}\u001b[J`);
  }

  draw(): void {
    if (!isInForeground()) return;
    const { size, done } = this.#current;
    this.#drawn = [
      this.#line(Math.min(done, size), size, this.#fileText()),
      this.#line(Math.min(this.#bytesDone, this.#bytes), this.#bytes, this.#totalText()),
    ];
    process.stderr.write(this.#drawn.join("\n"));
  }

  #refresh(): void {
    if (performance.now() - this.#startedAt < DELAY_MS) return;
    if (this.#hide === undefined) this.#hide = this.#io.screen.show(this);
    else this.#io.screen.redraw(this);
  }

  #line(done: number, total: number, text: string): string {
    const columns = columnsOf(process.stderr);
    const cells = Math.max(3, Math.min(BAR_CELLS, Math.floor(columns / 4)));
    const share = total > 0 ? done / total : 0;
    const full = Math.round(share * cells);
    const percent = `${percentOf(done, total)}%`.padStart(4);
    return clip(`${"█".repeat(full)}${"░".repeat(cells - full)}${percent}  ${text}`, columns - 1);
  }

  #fileText(): string {
    const { name, size, done, phase } = this.#current;
    const moved = phase === "" ? `${formatBytes(Math.min(done, size))} of ${formatBytes(size)}` : phase;
    return `${moved}  ${escapeText(name)}`;
  }

  #totalText(): string {
    const { rate, secondsLeft } = this.summary;
    const more = this.#isPlanned ? "" : "+";
    const time = secondsLeft === undefined ? "" : `  ${formatLeft(secondsLeft)} left`;
    return `${this.#filesDone} of ${this.#files}${more} files  ${formatBytes(this.#bytesDone)}  ${formatBytes(rate)}/s${time}`;
  }
}

/** Bytes a second over the last seconds. */
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

/** 100 % is shown only when everything is durably stored. */
function percentOf(done: number, total: number): number {
  return total > 0 ? Math.min(99, Math.floor((done / total) * 100)) : 0;
}

/** `59 s`, `2 min 3 s`, `1 h 5 min`: the time that is left. */
export function formatLeft(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
