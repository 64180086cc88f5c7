import type { Operator } from "../../client/operator.ts";
import type { EventRecord } from "../../protocol/methods.ts";
import { type ConsoleIo, paint } from "../console-io.ts";
import { formatTime } from "../format.ts";
import { describeError } from "../report.ts";
import { openInput } from "../terminal/open-input.ts";
import { formatEvent, isWarning } from "./event-line.ts";
import { OPERATOR_COMMANDS, obeyOperator } from "./operator-commands.ts";

/** How long writing the last events to the terminal may take. */
const LAST_WORDS_MS = 500;

export interface OperatorConsoleOptions {
  readonly operator: Operator;
  readonly io: ConsoleIo;
  /** Called at Ctrl-C, Ctrl-D, or when the terminal is gone: stop the server, or only detach from it. */
  onLeave(isGone: boolean): void;
}

/**
 * The operator's terminal: events are shown above the line that is being typed. It is the same on the server's own
 * terminal and over its socket. Returns when the session has ended.
 */
export async function runOperatorConsole({ operator, io, onLeave }: OperatorConsoleOptions): Promise<void> {
  const names = Object.keys(OPERATOR_COMMANDS);
  const input = openInput(io, {
    history: [],
    complete: (line) => [names.filter((name) => name.startsWith(line.toLowerCase())), line],
  });
  const shown = showEvents(operator, io);
  const ended = operator.client.ended.then(() => ({ kind: "ended" }) as const);
  const prompt = paint(io, "green", "server> ");
  for (;;) {
    const typed = await Promise.race([input.next(prompt), ended]);
    if (typed.kind === "ended") break;
    if (typed.kind !== "line") onLeave(typed.kind === "end" && typed.isGone === true);
    else if (typed.text.trim() !== "") await answer(operator, typed.text, io);
    if (typed.kind === "end") {
      await ended;
      break;
    }
  }
  // A terminal that nobody reads accepts nothing more.
  await Promise.race([shown, Bun.sleep(LAST_WORDS_MS)]);
  input.close();
}

/** A reader that stops reading does not end the session. */
async function say(io: ConsoleIo, text: string): Promise<void> {
  await io.out(`${text}\n`).catch(() => {});
}

/** Run a line, and show the result or the error. */
async function answer(operator: Operator, line: string, io: ConsoleIo): Promise<void> {
  try {
    await obeyOperator(operator, line, io, (text) => io.out(`${text}\n`));
  } catch (thrown) {
    await say(io, describeError(thrown));
  }
}

/** Show events until the server ends their stream, or the session has ended. */
async function showEvents(operator: Operator, io: ConsoleIo): Promise<void> {
  try {
    for await (const record of operator.events()) await say(io, paintEvent(record, io));
  } catch {
    // the session has ended, which the console notices by itself
  }
}

function paintEvent(record: EventRecord, io: ConsoleIo): string {
  const time = paint(io, "dim", formatTime(Number(record["at"] ?? Date.now())).slice(11));
  const text = formatEvent(record);
  if (isWarning(record)) return `${time} ${paint(io, "yellow", text)}`;
  return `${time} ${record.event === "message" ? paint(io, "cyan", text) : text}`;
}
