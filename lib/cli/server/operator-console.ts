import type { Operator } from "../../client/operator.ts";
import { toCommError } from "../../errors.ts";
import type { EventRecord } from "../../protocol/methods.ts";
import { type ConsoleIo, paint } from "../console-io.ts";
import { toJson } from "../escape.ts";
import { exitOf } from "../exit-codes.ts";
import { formatTime } from "../format.ts";
import { describeError, errorRecord } from "../report.ts";
import { askYesNo } from "../terminal/ask-yes-no.ts";
import type { Input, LineInput } from "../terminal/line-input.ts";
import { openInput } from "../terminal/open-input.ts";
import { commandsOf } from "../terminal/typed-block.ts";
import { formatEvent, isWarning } from "./event-line.ts";
import { answerRecord, obeyOperator } from "./operator-commands.ts";
import { completeOperatorLine } from "./operator-completion.ts";
import { whoIsConnected } from "./stop-command.ts";

/** How long writing the last events to the terminal may take. */
const LAST_WORDS_MS = 500;
const STOP_QUESTION = "Stop the server?";

export interface OperatorConsoleOptions {
  readonly operator: Operator;
  readonly io: ConsoleIo;
  /** Called at `exit` and Ctrl-D, or when the terminal is gone. */
  onLeave(isGone: boolean): void;
  /** Called when Ctrl-C is to stop the server. Absent for an attached console: there, Ctrl-C leaves. */
  onStop?(): void;
}

/**
 * The operator's terminal: events are shown above the line that is being typed. It is the same on the server's own
 * terminal and over its socket. Returns when the session has ended, with the exit code of the last line that failed; 0
 * when none did.
 */
export function runOperatorConsole(options: OperatorConsoleOptions): Promise<number> {
  return new OperatorConsole(options).run();
}

class OperatorConsole {
  readonly #operator: Operator;
  readonly #io: ConsoleIo;
  readonly #onLeave: (isGone: boolean) => void;
  readonly #onStop: (() => void) | undefined;
  readonly #input: LineInput;
  readonly #ended: Promise<{ kind: "ended" }>;
  #isLeft = false;
  #exit = 0;

  constructor({ operator, io, onLeave, onStop }: OperatorConsoleOptions) {
    this.#operator = operator;
    this.#io = io;
    this.#onLeave = onLeave;
    this.#onStop = onStop;
    this.#input = openInput(io, { history: [], complete: (line) => completeOperatorLine(operator.client, line) });
    this.#ended = operator.client.ended.then(() => ({ kind: "ended" }));
  }

  async run(): Promise<number> {
    const shown = this.#showEvents();
    const prompt = paint(this.#io, "green", "server> ");
    while (!this.#isLeft) {
      const typed = await Promise.race([this.#input.next(prompt), this.#ended]);
      if (typed.kind === "ended") break;
      await this.#take(typed);
    }
    if (this.#isLeft) {
      this.#input.close();
      await this.#ended;
    }
    // A terminal that nobody reads accepts nothing more.
    await Promise.race([shown, Bun.sleep(LAST_WORDS_MS)]);
    this.#input.close();
    return this.#exit;
  }

  async #take(typed: Input): Promise<void> {
    if (typed.kind === "line") {
      const asked = commandsOf(typed, this.#input).catch(() => []);
      for (const line of await Promise.race([asked, this.#ended.then(() => [])])) {
        if (line.trim() !== "") await this.#answer(line);
      }
    } else if (typed.kind === "end") this.#leave(typed.isGone === true);
    else if (typed.text.trim() !== "")
      return; // Ctrl-C has cleared the line
    else if (this.#onStop === undefined) this.#leave(false);
    else if (await this.#confirmInterrupt()) this.#onStop();
  }

  #leave(isGone: boolean): void {
    this.#isLeft = true;
    this.#onLeave(isGone);
  }

  /** Run a line, and show the result or the error. */
  async #answer(line: string): Promise<void> {
    const io = this.#io;
    try {
      const { color, outColumns } = io;
      const asks = io.inIsTty && io.outIsTty && { confirmStop: (connected: string) => this.#confirmStop(connected) };
      const room = { color, outColumns, ...asks, leave: () => this.#leave(false) };
      await obeyOperator(this.#operator, line, room, async (answer, isJson) => {
        if (isJson) await io.out(`${toJson(answerRecord(answer))}\n`);
        else if (answer.text !== "") await io.out(`${answer.text}\n`);
      });
    } catch (thrown) {
      this.#exit = exitOf(toCommError(thrown));
      await this.#say(/\s--json(?:\s|$)/.test(line) ? toJson(errorRecord(thrown)) : describeError(thrown));
    }
  }

  async #confirmStop(connected: string): Promise<boolean> {
    await this.#say(connected);
    const answer = askYesNo(this.#input, STOP_QUESTION).catch(() => false);
    return Promise.race([answer, this.#ended.then(() => false)]);
  }

  /** At Ctrl-C on an empty line; a second one means yes. */
  async #confirmInterrupt(): Promise<boolean> {
    const connected = whoIsConnected(this.#operator.client).catch(() => undefined);
    await this.#say(`${(await connected) ?? "Nobody is connected."} Ctrl-C again stops the server.`);
    const answer = askYesNo(this.#input, STOP_QUESTION).catch(() => true);
    return Promise.race([answer, this.#ended.then(() => false)]);
  }

  /** A reader that stops reading does not end the session. */
  async #say(text: string): Promise<void> {
    await this.#io.out(`${text}\n`).catch(() => {});
  }

  /** Show events until the server ends their stream, or the session has ended. */
  async #showEvents(): Promise<void> {
    try {
      for await (const record of this.#operator.events()) await this.#say(paintEvent(record, this.#io));
    } catch {
      // the session has ended, which the console notices by itself
    }
  }
}

function paintEvent(record: EventRecord, io: ConsoleIo): string {
  const time = paint(io, "dim", formatTime(Number(record["at"] ?? Date.now())).slice(11));
  const text = formatEvent(record);
  if (isWarning(record)) return `${time} ${paint(io, "yellow", text)}`;
  return `${time} ${record.event === "message" ? paint(io, "cyan", text) : text}`;
}
