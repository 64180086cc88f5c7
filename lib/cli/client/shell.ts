import type { Client } from "../../client/client.ts";
import type { Connection } from "../../client/connection.ts";
import { endsSession, toCommError } from "../../errors.ts";
import type { MessageParams } from "../../protocol/methods.ts";
import { privatePlaces } from "../../state/private.ts";
import type { PrivatePlaces } from "../../storage/local/private/private-places.ts";
import { type ConsoleIo, paint } from "../console-io.ts";
import { escapeLines, escapeText } from "../escape.ts";
import { EXIT, exitOf } from "../exit-codes.ts";
import { formatTime } from "../format.ts";
import { describeError } from "../report.ts";
import { shownName } from "../shown-name.ts";
import { askYesNo } from "../terminal/ask-yes-no.ts";
import { LineEditor } from "../terminal/line-editor.ts";
import type { Input, LineInput } from "../terminal/line-input.ts";
import { openInput } from "../terminal/open-input.ts";
import { onSignals } from "../terminal/signals.ts";
import { linesOf } from "../terminal/typed-block.ts";
import { CLEAN_UP_MS, unlessAborted } from "../unless-aborted.ts";
import type { ConnectSettings } from "./connect-settings.ts";
import { showKept } from "./messages-command.ts";
import { InterruptedTransfer } from "./run-job.ts";
import { isExit, runLine, SHELL_COMMANDS } from "./shell-commands.ts";
import { completeLine } from "./shell-completion.ts";
import { fromRoot, ShellFolder } from "./shell-folder.ts";
import { hintFor } from "./shell-hints.ts";
import { ShellHistory } from "./shell-history.ts";
import { ShellJobs } from "./shell-jobs.ts";
import { parseShellLine, type ShellLine } from "./shell-line.ts";
import { ShellPrompt } from "./shell-prompt.ts";
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

const UNFINISHED = 'What has arrived is kept: the same command resumes it. To leave: "exit" again.';

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
  readonly #jobs: ShellJobs;
  /** The exit code of the last job that failed in the background. */
  #failed = 0;
  /** How a message is made safe: its lines stay lines for a person, and a script gets one. */
  readonly #shown: (text: string) => string;

  constructor(settings: ConnectSettings, { places, history, io }: ShellParts) {
    this.#settings = settings;
    this.#io = io;
    this.#shown = io.outIsTty ? escapeLines : escapeText;
    this.#places = places;
    this.#history = history;
    this.#jobs = new ShellJobs({
      io: { ...io, isShell: true },
      say: (line) => this.#io.note(this.#stamped(line)),
      onEnd: (exit) => {
        this.#failed = exit || this.#failed;
      },
    });
  }

  async run(): Promise<number> {
    const [io, connecting] = [this.#io, this.#abort];
    const onInterrupt = () => (this.#input === undefined ? connecting.abort() : this.#input.interrupt());
    const onTerminate = () => {
      this.#terminated = true;
      this.#abort.abort();
      this.#leaving.abort();
      this.#input?.close();
    };
    const offs = [onSignals(["SIGINT"], onInterrupt), onSignals(["SIGTERM", "SIGHUP", "SIGQUIT"], onTerminate)];
    try {
      const onMessage = (message: MessageParams) => {
        const text = formatMessage(message, this.#shown);
        const line = message.sentAt === undefined ? this.#stamped(text) : paint(io, "cyan", text);
        // What could not be shown is not accepted: the sender learns it, or the server keeps it.
        return io.show(`${line}\n`, this.#input === undefined ? "note" : "out");
      };
      const connection = await openConnection(createConnector(this.#settings, io, onMessage), this.#settings, {
        signal: this.#leaving.signal,
        connecting: connecting.signal,
        note: (line) => this.#print(line),
      });
      try {
        return await this.#talk(connection);
      } finally {
        await this.#jobs.close();
        await leave(connection.client, this.#terminated);
      }
    } finally {
      this.#input?.close();
      for (const off of offs) off();
    }
  }

  async #talk(connection: Connection): Promise<number> {
    const lines = openInput(this.#io, {
      history: this.#history.read(),
      complete: (line) => completeLine(connection.client, this.#folder, line),
    });
    this.#input = lines;
    void this.#print(`Connected as ${paint(this.#io, "bold", shownName(connection.client))}.`);
    if (this.#io.inIsTty) void this.#print(paint(this.#io, "dim", 'Type a message, or "help".'));
    const [io, leaving] = [this.#io, this.#leaving];
    const needsLink = () => this.#jobs.active.length > 0;
    const onClient = (client: Client) => void showKept(client, io, (line) => this.#print(paint(io, "dim", line)));
    const prompt = new ShellPrompt({ connection, lines, folder: this.#folder, io, leaving, onClient, needsLink });

    let exit = 0;
    /** What the user was told about leaving; the same again leaves. */
    let warned = "";
    /** Lines of a pasted block that are still to run. */
    let block: readonly string[] = [];
    for (;;) {
      const [line, ...others] = block;
      const typed: Input = line === undefined ? await prompt.next() : { kind: "line", text: line };
      const text = typed.kind === "line" ? typed.text : "";
      if (line === undefined) this.#history.add(text);
      else await this.#print(paint(io, "dim", `> ${escapeText(line)}`));
      block = others;
      if (typed.kind === "end" || isExit(text)) {
        this.#terminated ||= typed.kind === "end" && typed.isGone === true;
        if (this.#terminated) return EXIT.INTERRUPTED;
        if (!this.#io.inIsTty) return this.#finishJobs(connection, lines, exit);
        if (this.#jobs.active.length === 0 || warned === "jobs") return exit;
        warned = "jobs";
        block = [];
        void this.#print(`${this.#jobs.runningWords}\n${UNFINISHED}`);
        continue;
      }
      if (typed.kind === "interrupt") {
        if (!this.#io.inIsTty || (typed.text === "" && warned !== "")) return EXIT.INTERRUPTED;
        warned = typed.text === "" ? "interrupt" : "";
        const unfinished = this.#jobs.active.length === 0 ? "" : `${this.#jobs.runningWords}\n`;
        if (warned !== "") void this.#print(`${unfinished}To leave, type "exit" or press Ctrl-C again.`);
        continue;
      }
      warned = "";
      const meant = await linesOf(typed, lines);
      if (meant.length !== 1) {
        block = meant;
        continue;
      }
      // A person may try for as long as they like; for a piped script, only an answer of the server is progress.
      if (this.#io.inIsTty) connection.noteProgress();
      const { client } = connection;
      const answers = client.answers;
      const outcome = await this.#obey(connection, lines, text);
      if (client.answers > answers && connection.client === client && !prompt.isLost) connection.noteProgress();
      if (outcome === EXIT.INTERRUPTED || prompt.isLost) block = [];
      if (outcome === 0 || this.#io.inIsTty) continue;
      // Ctrl-C ends a script as a whole: its next lines may rely on the interrupted one.
      if (outcome === EXIT.INTERRUPTED) return outcome;
      // A piped script exits with the code of its last failure; a person has seen it.
      exit = outcome;
    }
  }

  /** The end of a script: its jobs come to the foreground one by one. @returns the exit code of the script */
  async #finishJobs(connection: Connection, lines: LineInput, before: number): Promise<number> {
    let exit = before;
    for (let [job] = this.#jobs.active; job !== undefined; [job] = this.#jobs.active) {
      const outcome = await this.#obey(connection, lines, `fg ${job.number}`);
      if (outcome === EXIT.INTERRUPTED) return outcome;
      exit = outcome || exit;
    }
    return exit || this.#failed;
  }

  /** Run one line. @returns the exit code it would have as a command */
  async #obey(connection: Connection, input: LineInput, text: string): Promise<number> {
    const abort = new AbortController();
    this.#abort = abort;
    try {
      const line = parseShellLine(text, SHELL_COMMANDS);
      if (line.kind === "nothing") return 0;
      const work = runLine(line, {
        connection,
        io: { ...this.#io, isShell: true },
        signal: abort.signal,
        places: this.#places,
        folder: this.#folder,
        jobs: this.#jobs,
        ...(input instanceof LineEditor && {
          ask: (question: string) => askYesNo(input, question),
          onDetach: (handler: () => void) => input.onDetach(handler),
        }),
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
  #write(text: string): Promise<void> {
    return this.#input === undefined ? this.#io.log(`${text}\n`) : this.#io.out(`${text}\n`);
  }

  /** As #write(). When nobody reads the output any more, the input ends too. */
  #print(text: string): Promise<void> {
    return this.#write(text).catch((thrown) => {
      if (toCommError(thrown).code !== "OUTPUT_CLOSED") this.#io.note(text);
    });
  }
}
