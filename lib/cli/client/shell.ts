import type { Client } from "../../client/client.ts";
import type { Connection } from "../../client/connection.ts";
import { endsSession, toCommError } from "../../errors.ts";
import type { MessageParams } from "../../protocol/methods.ts";
import { errorOf, type SessionEnd } from "../../session/session-end.ts";
import { Wakeup } from "../../session/wakeup.ts";
import { privatePlaces } from "../../state/private.ts";
import type { PrivatePlaces } from "../../storage/local/private/private-places.ts";
import { type ConsoleIo, paint } from "../console-io.ts";
import { escapeText } from "../escape.ts";
import { EXIT, exitOf } from "../exit-codes.ts";
import { formatTime } from "../format.ts";
import { describeError } from "../report.ts";
import { shownName } from "../shown-name.ts";
import { askYesNo } from "../terminal/ask-yes-no.ts";
import { LineEditor } from "../terminal/line-editor.ts";
import type { Input, LineInput } from "../terminal/line-input.ts";
import { openInput } from "../terminal/open-input.ts";
import { onSignals } from "../terminal/signals.ts";
import { CLEAN_UP_MS, unlessAborted } from "../unless-aborted.ts";
import type { ConnectSettings } from "./connect-settings.ts";
import { InterruptedTransfer } from "./run-job.ts";
import { LEAVING, runLine, SHELL_COMMANDS } from "./shell-commands.ts";
import { completeLine } from "./shell-completion.ts";
import { fromRoot, ShellFolder } from "./shell-folder.ts";
import { hintFor } from "./shell-hints.ts";
import { ShellHistory } from "./shell-history.ts";
import { parseShellLine, type ShellLine } from "./shell-line.ts";
import { createConnector, formatMessage, leave, openConnection } from "./with-connection.ts";

/** Talk to the server until the user leaves. @returns the exit code */
export function runShell(given: ConnectSettings, io: ConsoleIo): Promise<number> {
  const settings = fromRoot(given);
  const places = privatePlaces(settings.stateDir, settings.secretFiles);
  const history = new ShellHistory(settings.stateDir, io.inIsTty);
  return new Shell(settings, { places, history, io }).run();
}

interface ShellParts {
  readonly places: PrivatePlaces;
  readonly history: ShellHistory;
  readonly io: ConsoleIo;
}

/** The interactive client. */
class Shell {
  readonly #settings: ConnectSettings;
  readonly #io: ConsoleIo;
  readonly #history: ShellHistory;
  readonly #places: PrivatePlaces;
  readonly #folder = new ShellFolder();
  #input: LineInput | undefined;
  /** Ends the command under way. */
  #abort = new AbortController();
  /** Ends the attempts to reconnect. */
  readonly #leaving = new AbortController();
  #terminated = false;
  /** Wakes the loop when the user has typed, or the session has ended. */
  readonly #wakeup = new Wakeup();
  #watched: Client | undefined;
  #ended: SessionEnd | undefined;

  constructor(settings: ConnectSettings, { places, history, io }: ShellParts) {
    this.#settings = settings;
    this.#io = io;
    this.#places = places;
    this.#history = history;
  }

  async run(): Promise<number> {
    const connecting = this.#abort;
    const onInterrupt = () => (this.#input === undefined ? connecting.abort() : this.#input.interrupt());
    const onTerminate = () => {
      this.#terminated = true;
      this.#abort.abort();
      this.#leaving.abort();
      this.#input?.close();
    };
    const offs = [onSignals(["SIGINT"], onInterrupt), onSignals(["SIGTERM", "SIGHUP", "SIGQUIT"], onTerminate)];
    try {
      const onMessage = (message: MessageParams) => this.#print(this.#stamped(formatMessage(message)));
      const connection = await openConnection(createConnector(this.#settings, this.#io, onMessage), this.#settings, {
        signal: this.#leaving.signal,
        connecting: connecting.signal,
        note: (line) => this.#print(line),
      });
      try {
        return await this.#talk(connection);
      } finally {
        await leave(connection.client, this.#terminated);
      }
    } finally {
      this.#input?.close();
      for (const off of offs) off();
    }
  }

  async #talk(connection: Connection): Promise<number> {
    const input = openInput(this.#io, {
      history: this.#history.read(),
      complete: (line) => completeLine(connection.client, this.#folder, line),
    });
    this.#input = input;
    void this.#print(`Connected as ${paint(this.#io, "bold", shownName(connection.client))}.`);
    if (this.#io.inIsTty) void this.#print(paint(this.#io, "dim", 'Type a message, or "help".'));

    let exit = 0;
    let warned = false;
    for (;;) {
      const typed = await this.#nextInput(input, connection);
      if (typed.kind === "end") {
        this.#terminated ||= typed.isGone === true;
        return this.#terminated ? EXIT.INTERRUPTED : exit;
      }
      if (typed.kind === "interrupt") {
        if (!this.#io.inIsTty || (typed.text === "" && warned)) return EXIT.INTERRUPTED;
        warned = typed.text === "";
        if (warned) void this.#print('To leave, type "exit" or press Ctrl-C again.');
        continue;
      }
      warned = false;
      this.#history.add(typed.text);
      // A person may try for as long as they like; for a piped script, only an answer of the server is progress.
      if (this.#io.inIsTty) connection.noteProgress();
      const { client } = connection;
      const answers = client.answers;
      const outcome = await this.#obey(connection, input, typed.text);
      if (client.answers > answers && connection.client === client && this.#ended === undefined) {
        connection.noteProgress();
      }
      if (outcome === "exit") return exit;
      if (outcome === 0 || this.#io.inIsTty) continue;
      // Ctrl-C ends a script as a whole: its next lines may rely on the interrupted one.
      if (outcome === EXIT.INTERRUPTED) return outcome;
      // A piped script exits with the code of its last failure; a person has seen it.
      exit = outcome;
    }
  }

  /**
   * The user's next input; reconnects when the link is lost meanwhile.
   *
   * @throws the error that ends the session for good
   */
  async #nextInput(lines: LineInput, connection: Connection): Promise<Input> {
    let input: Input | undefined;
    void lines.next(this.#prompt(connection.client)).then((typed) => {
      input = typed;
      if (typed.kind === "end") this.#leaving.abort();
      this.#wakeup.notify();
    });
    try {
      for (;;) {
        this.#watch(connection.client);
        await this.#wakeup.wait();
        if (input !== undefined) return input;
        const ended = this.#ended;
        this.#ended = undefined;
        if (ended === undefined) continue;
        // A client that the server has dismissed does not reconnect by itself.
        if (ended.by !== "lost" && ended.code !== "HEARTBEAT_TIMEOUT") throw errorOf(ended);
        connection.noteHeld();
        lines.reprompt(this.#prompt(connection.client, "offline"));
        await lines.during(() => this.#leaving.abort(), connection.recover(errorOf(ended)));
        lines.reprompt(this.#prompt(connection.client));
      }
    } catch (error) {
      if (input?.kind === "end") return input;
      // The prompt is on the screen when the server goes away.
      lines.close();
      throw error;
    }
  }

  /** `bob (Client07) /docs> `, and at once when the link is lost: `bob (Client07) offline> `. */
  #prompt(client: Client, state = ""): string {
    const place = this.#folder.path === "" ? "" : ` ${escapeText(this.#folder.shown)}`;
    const link = state === "" ? "" : ` ${paint(this.#io, "yellow", state)}`;
    return `${paint(this.#io, "green", shownName(client))}${place}${link}> `;
  }

  /** Once for each client: a promise keeps every callback until it settles. */
  #watch(client: Client): void {
    if (this.#watched === client) return;
    this.#watched = client;
    void client.ended.then((end) => {
      if (this.#watched !== client) return;
      this.#ended = end;
      this.#wakeup.notify();
    });
  }

  /** Run one line. @returns the exit code it would have as a command, or "exit" */
  async #obey(connection: Connection, input: LineInput, text: string): Promise<number | "exit"> {
    const abort = new AbortController();
    this.#abort = abort;
    try {
      const line = parseShellLine(text, SHELL_COMMANDS);
      if (line.kind === "nothing") return 0;
      if (line.kind === "command" && LEAVING.includes(line.name) && line.rest === "") return "exit";
      const work = runLine(line, {
        connection,
        io: { ...this.#io, isShell: true },
        signal: abort.signal,
        places: this.#places,
        folder: this.#folder,
        ...(input instanceof LineEditor && { ask: (question: string) => askYesNo(input, question) }),
      });
      const exit = (await input.during(() => abort.abort(), unlessAborted(work, abort.signal, CLEAN_UP_MS))) ?? 0;
      this.#hint(line, exit);
      return exit;
    } catch (thrown) {
      const error = toCommError(thrown);
      if (error.code === "INTERRUPTED") {
        if (!(error instanceof InterruptedTransfer)) void this.#print(error.message);
        return EXIT.INTERRUPTED;
      }
      // The loop reports the end of the session, once.
      if (endsSession(error)) return exitOf(error);
      void this.#print(paint(this.#io, "red", describeError(error)));
      this.#hint(text, exitOf(error));
      return exitOf(error);
    }
  }

  /** What a person may have meant. */
  #hint(line: ShellLine | string, exit: number): void {
    const hint = hintFor(line, exit, SHELL_COMMANDS);
    if (hint !== undefined) this.#io.note(paint(this.#io, "dim", escapeText(hint)));
  }

  /** A message for a person has the time of day; piped scripts get it as it is. */
  #stamped(message: string): string {
    const text = paint(this.#io, "cyan", message);
    return this.#io.outIsTty ? `${paint(this.#io, "dim", formatTime(Date.now()).slice(11, 16))} ${text}` : text;
  }

  /** Results and messages go to standard output, for piped scripts; before there is a session, to standard error. */
  async #print(text: string): Promise<void> {
    if (this.#input === undefined) return this.#io.log(`${text}\n`);
    try {
      await this.#io.out(`${text}\n`);
    } catch (thrown) {
      // When nobody reads the output any more, the input ends too.
      if (toCommError(thrown).code !== "OUTPUT_CLOSED") this.#io.note(text);
    }
  }
}
