import { errnoOf } from "../errno.ts";
import { CommError } from "../errors.ts";
import { fitColumns } from "./line-breaks.ts";
import { isTerminal, StandardOutput } from "./standard-output.ts";
import { isInForeground } from "./terminal/foreground.ts";
import { columnsOf, isDumb, Screen } from "./terminal/screen.ts";

/** How long a program waits at its end for its notes to be written: a closed terminal never takes them. */
const FLUSH_MS = 500;

/** The console of a command. Results go to `out`, everything else to `note`. */
export interface ConsoleIo {
  /** Write to standard output; resolves when it was written, so that a slow reader slows the command. */
  out(text: string | Uint8Array): Promise<void>;
  /** Write a line to standard error; a terminal gets it broken between words. */
  note(line: string): void;
  /** Write lines, with their line feeds, to standard error; resolves when they were written, or can't be. */
  log(lines: string): Promise<void>;
  /**
   * Write lines of which others are told that they were shown, such as messages.
   *
   * @throws CommError OUTPUT_CLOSED when nobody can see them; DISK_FAILED
   */
  show(lines: string, to: "out" | "note"): Promise<void>;
  /** Keeps a prompt or bars at the bottom of the terminal, below everything written. */
  readonly screen: Screen;
  /** Resolves when the notes were written, or can't be. */
  flush(): Promise<void>;
  readonly outIsTty: boolean;
  /** The columns of standard output's terminal; undefined when lines need no wrapping. */
  readonly outColumns?: number | undefined;
  readonly noteIsTty: boolean;
  /** Standard error is a terminal that can be redrawn. */
  readonly canRedraw: boolean;
  /** A person can answer: the input is a terminal, and this program runs in its foreground. */
  readonly inIsTty: boolean;
  readonly color: boolean;
  /**
   * Errors follow the line that caused them, so they need neither the program's name nor commands to type elsewhere.
   */
  readonly isShell?: boolean;
}

/** The process's own streams. */
export function processIo(): ConsoleIo {
  const screen = new Screen();
  const [output, notes] = [new StandardOutput(1), new StandardOutput(2)];
  const write = (stream: StandardOutput, text: string | Uint8Array) =>
    onScreen(stream, () =>
      stream.write(text).catch((cause) => {
        throw outputError(cause);
      }),
    );
  const onScreen = <T>({ isTty }: StandardOutput, write: () => T): T => (isTty ? screen.print(write) : write());
  return {
    out: (text) => write(output, text),
    note: (line) =>
      onScreen(notes, () => notes.say(`${notes.isTty ? fitColumns(line, columnsOf(notes.stream)) : line}\n`)),
    log: (lines) => onScreen(notes, () => notes.write(lines).catch(() => {})),
    show: async (lines, to) => {
      const stream = to === "out" ? output : notes;
      if (stream.isVoid) throw new CommError("OUTPUT_CLOSED", "Nobody reads the output.");
      await write(stream, lines);
    },
    screen,
    flush: async () => {
      const ends = [notes, ...(output.isTty ? [output] : [])].map((each) => each.flush());
      await Promise.race([Promise.all(ends), Bun.sleep(FLUSH_MS)]);
    },
    outIsTty: output.isTty,
    get outColumns() {
      return output.isTty ? columnsOf(output.stream) : undefined;
    },
    noteIsTty: notes.isTty,
    canRedraw: notes.isTty && !isDumb(),
    inIsTty: isTerminal(0) && isInForeground(),
    // Lines of both streams are painted: a file gets no colours because the errors have a terminal.
    color: output.isTty && notes.isTty && !process.env["NO_COLOR"] && !isDumb(),
  };
}

/** A reader that stops reading has what it wanted (`list | head`); any other failure is a full disk or worse. */
export function outputError(cause: unknown, name = "the output"): CommError {
  if (errnoOf(cause) === "EPIPE") return new CommError("OUTPUT_CLOSED", `Nobody reads ${name}.`);
  const why = cause instanceof Error ? cause.message : String(cause);
  return new CommError("DISK_FAILED", `Cannot write ${name}: ${why}.`, { cause });
}

type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";
const STYLES: Record<Style, [number, number]> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
};

/** `text` in a style where the terminal shows it. */
export function paint(io: Pick<ConsoleIo, "color">, style: Style, text: string): string {
  if (!io.color) return text;
  const [on, off] = STYLES[style];
  return `\u001b[${on}m${text}\u001b[${off}m`;
}
