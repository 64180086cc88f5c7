import type { Operator } from "../../client/operator.ts";
import type { EventRecord } from "../../protocol/methods.ts";
import { type ConsoleIo, paint } from "../console-io.ts";
import { formatTime } from "../format.ts";
import { LineEditor } from "../line-editor.ts";
import { formatEvent, isWarning } from "./event-line.ts";
import { answerOperator, OPERATOR_COMMANDS } from "./operator-commands.ts";

export interface OperatorConsoleOptions {
  readonly operator: Operator;
  readonly io: ConsoleIo;
  /** Ctrl-C and Ctrl-D: stop the server, or only leave it. */
  onLeave(): void;
}

/**
 * The operator's terminal: what happens is shown above the line that is being typed. The same over the
 * server's own terminal and over its socket. Returns when the session has ended.
 */
export async function runOperatorConsole({ operator, io, onLeave }: OperatorConsoleOptions): Promise<void> {
  const editor = new LineEditor({
    input: process.stdin,
    output: process.stdout,
    history: [],
    complete: (line) => [Object.keys(OPERATOR_COMMANDS).filter((name) => name.startsWith(line.toLowerCase())), line],
  });
  const shown = showEvents(operator, editor, io);
  const ended = operator.client.ended.then(() => ({ kind: "ended" }) as const);
  const prompt = paint(io, "green", "server> ");
  for (;;) {
    const input = await Promise.race([editor.next(prompt), ended]);
    if (input.kind === "ended") break;
    if (input.kind !== "line") onLeave();
    else if (input.text.trim() !== "") editor.print(await answerOperator(operator, input.text, io));
    if (input.kind === "end") {
      await ended;
      break;
    }
  }
  await shown;
  editor.close();
}

/** Until the server ends the stream of events, or the session is gone. */
async function showEvents(operator: Operator, editor: LineEditor, io: ConsoleIo): Promise<void> {
  try {
    for await (const record of operator.events()) editor.print(paintEvent(record, io));
  } catch {
    // the session has ended, which the console sees for itself
  }
}

function paintEvent(record: EventRecord, io: ConsoleIo): string {
  const time = paint(io, "dim", formatTime(Number(record["at"] ?? Date.now())).slice(11));
  const text = formatEvent(record);
  if (isWarning(record)) return `${time} ${paint(io, "yellow", text)}`;
  return `${time} ${record.event === "message" ? paint(io, "cyan", text) : text}`;
}
