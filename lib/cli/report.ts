import { type CommError, RemoteError, toCommError } from "../errors.ts";
import { ChangedIdentity } from "../trust/verify.ts";
import { ADVICE } from "./advice.ts";
import { type ConsoleIo, paint } from "./console-io.ts";
import { escapeText, toJson } from "./escape.ts";
import { EXIT_OF } from "./exit-codes.ts";
import { inFlagWords } from "./flag-words.ts";
import { completeAdvice, quoteWord } from "./shown-command.ts";

/**
 * Tell a person, or with `json` a program, what went wrong, on standard error. The only place where an error
 * becomes an exit code.
 *
 * @returns the exit code
 */
export function reportError(thrown: unknown, io: ConsoleIo, options: { program: string; json: boolean }): number {
  const error = toCommError(inFlagWords(thrown));
  const exit = EXIT_OF[error.code];
  if (error.code === "OUTPUT_CLOSED") return exit;
  if (options.json) {
    io.note(toJson({ error: { code: error.code, message: error.message, exit } }));
    return exit;
  }
  if (error.code === "INTERRUPTED") return exit;
  const text = paint(io, "red", describeError(error));
  io.note(io.isShell ? text : `${options.program}: ${text}`);
  const advice = adviceFor(error);
  // A command to type elsewhere is of no help in the shell.
  const isOfUse = advice !== "" && !(io.isShell && advice.includes(options.program));
  if (isOfUse) io.note(`  ${completeAdvice(advice)}`);
  return exit;
}

function adviceFor(error: CommError): string {
  // What the server's list holds says nothing about a file of this machine.
  if (error.code === "NOT_A_FILE" && !(error instanceof RemoteError)) return "";
  const advice = ADVICE[error.code];
  if (!(error instanceof ChangedIdentity) || !error.isKnown) return advice;
  return `${advice} If it was given a new one on purpose: commserver-client forget ${quoteWord(escapeText(error.server))}`;
}

/** One line, safe to show. */
export function describeError(thrown: unknown): string {
  const error = toCommError(inFlagWords(thrown));
  const text = escapeText(error.message);
  return error.code === "UNEXPECTED" ? `Unexpected: ${text}${originOf(error)}` : text;
}

/** The first line of the stack, safe to show: enough for a report, not enough to frighten. */
function originOf({ cause }: CommError): string {
  if (!(cause instanceof Error)) return "";
  // The stack begins with the message, which may look like a part of it.
  const [, ...frames] = (cause.stack ?? "").split(cause.message);
  const frame = frames
    .join(cause.message)
    .split("\n")
    .find((line) => line.trimStart().startsWith("at "));
  return frame === undefined ? "" : ` (${escapeText(frame.trim())})`;
}
