import type { Client } from "../../client/client.ts";
import type { Connection } from "../../client/connection.ts";
import { toCommError } from "../../errors.ts";
import type { MessageParams } from "../../protocol/methods.ts";
import { secretIn } from "../../protocol/secret-text.ts";
import { privatePlaces } from "../../state/private.ts";
import type { PrivatePlaces } from "../../storage/local/private/private-places.ts";
import { type ConsoleIo, paint } from "../console-io.ts";
import { escapeLines, escapeText } from "../escape.ts";
import { EXIT } from "../exit-codes.ts";
import { formatTime, plural } from "../format.ts";
import { shownName } from "../shown-name.ts";
import type { Input, LineInput } from "../terminal/line-input.ts";
import { openInput } from "../terminal/open-input.ts";
import { onSignals } from "../terminal/signals.ts";
import { linesOf } from "../terminal/typed-block.ts";
import type { ConnectSettings } from "./connect-settings.ts";
import { LineRunner } from "./line-runner.ts";
import { showKept } from "./messages-command.ts";
import { RESUMES } from "./run-job.ts";
import { isExit } from "./shell-commands.ts";
import { completeLine } from "./shell-completion.ts";
import { fromRoot, ShellFolder } from "./shell-folder.ts";
import { ShellHistory } from "./shell-history.ts";
import { ShellJobs } from "./shell-jobs.ts";
import { ShellPrompt } from "./shell-prompt.ts";
import { createConnector, formatMessage, leave, openConnection } from "./with-connection.ts";

/**
 * Talk to the server until the user leaves.
 *
 * @param outside the names of the commands outside of the shell
 * @returns the exit code
 */
export function runShell(given: ConnectSettings, io: ConsoleIo, outside: readonly string[]): Promise<number> {
  const settings = fromRoot(given);
  const places = privatePlaces(settings.stateDir, settings.secretFiles);
  const history = new ShellHistory(settings.stateDir, io.inIsTty);
  return new Shell(settings, { places, history, io, outside }).run();
}

interface ShellParts {
  readonly places: PrivatePlaces;
  readonly history: ShellHistory;
  readonly io: ConsoleIo;
  readonly outside: readonly string[];
}

const UNFINISHED = `${RESUMES} To leave: "exit" again.`;

/** The interactive client. */
class Shell {
  readonly #settings: ConnectSettings;
  readonly #io: ConsoleIo;
  readonly #outside: readonly string[];
  readonly #history: ShellHistory;
  readonly #places: PrivatePlaces;
  readonly #folder = new ShellFolder();
  #input: LineInput | undefined;
  /** Ends the first connect, and then the line under way. */
  #abort = () => {};
  /** Ends the attempts to reconnect. */
  readonly #leaving = new AbortController();
  #terminated = false;
  readonly #jobs: ShellJobs;
  /** The exit code of the last job that failed in the background. */
  #failed = 0;
  /** How a message is made safe: its lines stay lines for a person, and a script gets one. */
  readonly #shown: (text: string) => string;

  constructor(settings: ConnectSettings, { places, history, io, outside }: ShellParts) {
    this.#settings = settings;
    this.#outside = outside;
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
    const [io, connecting] = [this.#io, new AbortController()];
    this.#abort = () => connecting.abort();
    const onInterrupt = () => (this.#input === undefined ? connecting.abort() : this.#input.interrupt());
    const onTerminate = () => {
      this.#terminated = true;
      this.#abort();
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
      } catch (thrown) {
        if (this.#jobs.active.length > 0) io.note(`${this.#jobs.runningWords} ${RESUMES}`);
        throw thrown;
      } finally {
        this.#leaving.abort();
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
    const [io, folder, jobs] = [this.#io, this.#folder, this.#jobs];
    const onClient = (client: Client) => void showKept(client, io, (line) => this.#print(paint(io, "dim", line)));
    const prompt = new ShellPrompt({ connection, lines, folder, io, onClient });
    const print = (text: string) => this.#print(text);
    const [places, outside] = [this.#places, this.#outside];
    const own = { io, places, folder, jobs, outside, print };
    const runner = new LineRunner({ connection, input: lines, prompt, ...own });
    this.#abort = () => runner.abort();

    let exit = 0;
    /** What the user was told about leaving; the same again leaves. */
    let warned = "";
    /** Lines of a pasted block that are still to run. */
    let block: readonly string[] = [];
    for (;;) {
      const [line, ...others] = block;
      const typed: Input = line === undefined ? await prompt.next() : { kind: "line", text: line };
      const text = typed.kind === "line" ? typed.text : "";
      if (line === undefined && secretIn(text) === undefined) this.#history.add(text);
      if (line !== undefined) await this.#print(paint(io, "dim", `> ${escapeText(line)}`));
      block = others;
      if (typed.kind === "end" || isExit(text)) {
        this.#terminated ||= typed.kind === "end" && typed.isGone === true;
        if (this.#terminated) return EXIT.INTERRUPTED;
        if (!this.#io.inIsTty) return this.#finishJobs(runner, exit);
        if (this.#jobs.active.length === 0 || warned === "jobs") return exit;
        warned = "jobs";
        block = [];
        void this.#print(`${this.#jobs.runningWords}\n${UNFINISHED}`);
        continue;
      }
      if (typed.kind === "interrupt") {
        // Without a link and without jobs there is nothing to lose.
        const isWarned = warned !== "" || (prompt.isLost && jobs.active.length === 0);
        if (!io.inIsTty || (typed.text === "" && isWarned)) return EXIT.INTERRUPTED;
        warned = typed.text === "" ? "interrupt" : "";
        const unfinished = jobs.active.length === 0 ? "" : `${jobs.runningWords}\n${RESUMES}\n`;
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
      const outcome = await runner.run(text);
      if (client.answers > answers && connection.client === client && !prompt.isLost) connection.noteProgress();
      if (block.length > 0 && (outcome === EXIT.INTERRUPTED || prompt.isLost)) {
        void this.#print(`Not run: the other ${plural(block.length, "line")}.`);
        block = [];
      }
      if (outcome === 0 || this.#io.inIsTty) continue;
      // Ctrl-C ends a script as a whole: its next lines may rely on the interrupted one.
      if (outcome === EXIT.INTERRUPTED) return outcome;
      // A piped script exits with the code of its last failure; a person has seen it.
      exit = outcome;
    }
  }

  /** The end of a script: its jobs come to the foreground one by one. @returns the exit code of the script */
  async #finishJobs(runner: LineRunner, before: number): Promise<number> {
    let exit = before;
    for (let [job] = this.#jobs.active; job !== undefined; [job] = this.#jobs.active) {
      const outcome = await runner.run(`fg ${job.number}`);
      if (outcome === EXIT.INTERRUPTED) return outcome;
      exit = outcome || exit;
    }
    return exit || this.#failed;
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
