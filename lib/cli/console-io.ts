import { CommError } from "../errors.ts";

/** Where a command reads and writes. Results go to `out`, all else to `note`. */
export interface ConsoleIo {
  /** Write to standard output; resolves when it was taken, so that a slow reader slows the command. */
  out(text: string | Uint8Array): Promise<void>;
  /** A line on standard error. */
  note(line: string): void;
  /** While something moves at the bottom of the screen, notes go through `print`; undefined: as always. */
  divertNotes(print: ((line: string) => void) | undefined): void;
  /** Resolves when the notes have left, or can't. */
  flush(): Promise<void>;
  readonly outIsTty: boolean;
  readonly noteIsTty: boolean;
  readonly inIsTty: boolean;
  readonly color: boolean;
}

/** The process's own streams. */
export function processIo(): ConsoleIo {
  const { stdout, stderr, stdin, env } = process;
  let divert: ((line: string) => void) | undefined;
  // A failed write is told to who wrote; without a listener the stream would end the program besides.
  for (const stream of [stdout, stderr]) stream.on("error", () => {});
  return {
    out: (text) =>
      new Promise((resolve, reject) => {
        stdout.write(text, (error) => (error ? reject(outputError(error)) : resolve()));
      }),
    note: (line) => {
      if (divert === undefined) stderr.write(`${line}\n`);
      else divert(line);
    },
    divertNotes: (print) => {
      divert = print;
    },
    flush: () => new Promise((resolve) => stderr.write("", () => resolve())),
    outIsTty: stdout.isTTY === true,
    noteIsTty: stderr.isTTY === true,
    inIsTty: stdin.isTTY === true,
    color: stderr.isTTY === true && !env["NO_COLOR"] && env["TERM"] !== "dumb",
  };
}

/** Who stops reading our output has what they wanted (`list | head`); any other failure is a full disk or worse. */
function outputError(cause: Error): CommError {
  if ("code" in cause && cause.code === "EPIPE") return new CommError("OUTPUT_CLOSED", "Nobody reads the output.");
  return new CommError("DISK_FAILED", `Cannot write the output: ${cause.message}.`, { cause });
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
