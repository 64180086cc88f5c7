import { type CommError, RemoteError, toCommError } from "../errors.ts";
import { ForeignState } from "../state/foreign-state.ts";
import { NoDefaultServer } from "../trust/default-server.ts";
import { ChangedIdentity } from "../trust/verify.ts";
import { adviceFor } from "./advice.ts";
import { type ConsoleIo, paint } from "./console-io.ts";
import { escapeText, toJson } from "./escape.ts";
import { exitOf } from "./exit-codes.ts";
import { inFlagWords } from "./flag-words.ts";
import { completeAdvice, quoteWord } from "./shown-command.ts";
import { userName } from "./user-name.ts";

export interface ReportOptions {
  readonly program: string;
  /** The command that failed, where its advice differs from that of others. */
  readonly command?: string | undefined;
  readonly json: boolean;
}

/**
 * Report an error on standard error, to a person or with `json` to a program. The only place where an error becomes an
 * exit code.
 *
 * @returns the exit code
 */
export function reportError(thrown: unknown, io: ConsoleIo, options: ReportOptions): number {
  const error = toCommError(inFlagWords(thrown));
  const exit = exitOf(error);
  if (error.code === "OUTPUT_CLOSED") return exit;
  if (options.json) {
    void io.log(`${toJson(errorRecord(error, options.command))}\n`);
    return exit;
  }
  if (error.code === "INTERRUPTED") return exit;
  const text = paint(io, "red", describeError(error));
  io.note(io.isShell ? text : `${options.program}: ${text}`);
  const advice = adviceFrom(error, options.command, io);
  if (advice !== "") io.note(`  ${advice}`);
  return exit;
}

/** What a person can do about an error; "" when there is nothing to say. */
export function adviceFrom(thrown: unknown, command: string | undefined, io: Pick<ConsoleIo, "isShell">): string {
  const advice = adviceOn(toCommError(inFlagWords(thrown)), command);
  // A command that works only outside the shell is no help inside it.
  return io.isShell && /commserver-(?:client|server)/.test(advice) ? "" : completeAdvice(advice);
}

/** An error for programs. */
export function errorRecord(thrown: unknown, command?: string): object {
  const error = toCommError(inFlagWords(thrown));
  const { code, message } = error;
  const advice = completeAdvice(adviceOn(error, command));
  return { error: { code, message, exit: exitOf(error), ...(advice !== "" && { advice }) } };
}

function adviceOn(error: CommError, command: string | undefined): string {
  // The advice is to list the server, which does not help with a local file.
  if (error.code === "NOT_A_FILE" && !(error instanceof RemoteError)) return "";
  if (error instanceof NoDefaultServer) {
    if (!error.knowsAny) return "Join one: commserver-client join INVITE. Look for some: commserver-client find";
    return "Choose one with --server NAME, or for all later commands: commserver-client use NAME";
  }
  if (error instanceof ForeignState)
    return `Run the same command as that user: sudo -u ${quoteWord(userName(error.uid))} …`;
  const advice = adviceFor(error.code, command);
  if (!(error instanceof ChangedIdentity) || !error.isKnown) return advice;
  return `${advice} If it was given a new identity on purpose: commserver-client forget ${quoteWord(escapeText(error.server))}`;
}

/** One line, safe to show. */
export function describeError(thrown: unknown): string {
  const error = toCommError(inFlagWords(thrown));
  const text = escapeText(error.message);
  return error.code === "UNEXPECTED" ? `Unexpected: ${text}${originOf(error)}` : text;
}

/** The first frame of the stack, safe to show: enough for a report, without frightening the user. */
function originOf({ cause }: CommError): string {
  if (!(cause instanceof Error)) return "";
  // The stack begins with the message, which may look like a frame.
  const [, ...frames] = (cause.stack ?? "").split(cause.message);
  const frame = frames
    .join(cause.message)
    .split("\n")
    .find((line) => line.trimStart().startsWith("at "));
  return frame === undefined ? "" : ` (${escapeText(frame.trim())})`;
}
