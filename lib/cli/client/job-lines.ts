import { formatBytes } from "../../format-bytes.ts";
import { type ConsoleIo, paint } from "../console-io.ts";
import { escapeText } from "../escape.ts";
import { EXIT_OF } from "../exit-codes.ts";
import { formatDuration, plural } from "../format.ts";
import { describeError } from "../report.ts";
import { clip } from "../terminal/screen.ts";
import { formatLeft } from "./progress.ts";
import type { ShellJob } from "./shell-job.ts";
import { counted, inOneLine } from "./transfer-words.ts";

/** What the lines show of a job. */
export type ShownJob = Pick<ShellJob, "number" | "command" | "state" | "end" | "result" | "seconds"> & {
  readonly progress: Pick<ShellJob["progress"], "summary">;
};

type LineIo = Pick<ConsoleIo, "color" | "outColumns">;

/** Narrower than this, a job takes two lines. */
const MIN_COLUMNS = 70;
const COLORS = { asking: "yellow", failed: "red", cancelled: "yellow", done: "green" } as const;

/** The jobs, a line for each; two in a narrow window. */
export function formatJobs(jobs: readonly ShownJob[], io: LineIo): string {
  const rows = jobs.map((job) => ({ ...cellsOf(job), job }));
  const width = (cell: "number" | "state" | "doing") => Math.max(...rows.map((row) => row[cell].length));
  const [numbers, states, doings] = [width("number"), width("state"), width("doing")];
  const columns = io.outColumns ?? Number.POSITIVE_INFINITY;
  return rows
    .map(({ number, state, doing, job }) => {
      const { command, state: is } = job;
      const shown = is === "waiting" || is === "running" ? state : paint(io, COLORS[is], state);
      const head = `${number.padStart(numbers)} ${shown}`;
      const typed = escapeText(command);
      if (columns < MIN_COLUMNS) {
        const below = doing === "" ? "" : `\n${" ".repeat(numbers)} ${doing}`;
        return `${head}  ${clip(typed, columns - numbers - state.length - 4)}${below}`;
      }
      const front = `${head}${" ".repeat(states - state.length)}  ${doing.padEnd(doings)}  `;
      const room = columns - numbers - states - doings - 6;
      return `${front}${clip(typed, room)}`;
    })
    .join("\n");
}

function cellsOf(job: ShownJob): { number: string; state: string; doing: string } {
  return { number: `[${job.number}]`, state: job.state, doing: doingOf(job) };
}

/** `34%  1.2 MB/s  2 min 3 s left`, or what it came to. */
function doingOf(job: ShownJob): string {
  const { state, progress, end } = job;
  if (state === "running") {
    const { percent, rate, secondsLeft } = progress.summary;
    const left = secondsLeft === undefined ? "" : `  ${formatLeft(secondsLeft)} left`;
    return `${percent}%  ${formatBytes(rate)}/s${left}`;
  }
  if (state === "asking") return `fg ${job.number}`;
  if (state === "failed" && end !== undefined)
    return `code ${end.error === undefined ? end.exit : EXIT_OF[end.error.code]}`;
  return state === "done" ? moved(job) : "";
}

/** `3 files, 12 MB, 2 left out`. */
function moved({ result }: Pick<ShownJob, "result">): string {
  if (result === undefined) return "";
  const { stored, unchanged, skipped, leftOut, bytes } = result;
  return inOneLine([
    stored > 0 || unchanged + skipped === 0 ? `${plural(stored, "file")}, ${formatBytes(bytes)}` : "",
    counted(unchanged, "unchanged"),
    counted(skipped, "skipped"),
    counted(leftOut, "left out"),
  ]);
}

/** One line about a job that has ended in the background. */
export function endLine(job: ShownJob, io: LineIo): string {
  const { number, command, state, end, result, seconds } = job;
  const head = `[${number}] ${state}: ${escapeText(command)}`;
  if (state === "cancelled") return `${paint(io, "yellow", head)} (what has arrived is kept)`;
  if (state === "done") {
    const what = moved(job);
    return `${paint(io, "green", head)}${what === "" ? "" : ` (${what} in ${formatDuration(seconds * 1000)})`}`;
  }
  const failure = end?.error ?? result?.firstFailure;
  const why = failure === undefined ? "Something was left out (--strict)." : describeError(failure);
  const failed = result?.failed ?? 0;
  const others = failed > 1 ? ` ${failed} files failed; see: fg ${number}` : "";
  return `${paint(io, "red", head)}: ${why}${others}`;
}

/** One line about a question that waits. */
export function questionLine(
  { number, command }: Pick<ShownJob, "number" | "command">,
  question: string,
  io: LineIo,
): string {
  return `${paint(io, "yellow", `[${number}] asks: ${escapeText(command)}`)}: ${question} Answer with: fg ${number}`;
}
