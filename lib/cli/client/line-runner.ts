import type { Connection } from "../../client/connection.ts";
import { endsSession, toCommError } from "../../errors.ts";
import type { PrivatePlaces } from "../../storage/local/private/private-places.ts";
import { type ConsoleIo, paint } from "../console-io.ts";
import { escapeText } from "../escape.ts";
import { EXIT, exitOf } from "../exit-codes.ts";
import { adviceFrom, describeError } from "../report.ts";
import { askYesNo } from "../terminal/ask-yes-no.ts";
import { LineEditor } from "../terminal/line-editor.ts";
import type { LineInput } from "../terminal/line-input.ts";
import { CLEAN_UP_MS, unlessAborted } from "../unless-aborted.ts";
import { InterruptedTransfer } from "./run-job.ts";
import { needsLink, runLine, SHELL_COMMANDS, type SpokenLine } from "./shell-commands.ts";
import type { ShellFolder } from "./shell-folder.ts";
import { hintFor } from "./shell-hints.ts";
import type { ShellJobs } from "./shell-jobs.ts";
import { parseShellLine, type ShellLine } from "./shell-line.ts";
import type { ShellPrompt } from "./shell-prompt.ts";

export interface LineRunnerOptions {
  readonly connection: Connection;
  readonly input: LineInput;
  readonly prompt: Pick<ShellPrompt, "isLost" | "online">;
  readonly io: ConsoleIo;
  readonly places: PrivatePlaces;
  readonly folder: ShellFolder;
  readonly jobs: ShellJobs;
  /** As hintFor(). */
  readonly outside: readonly string[];
  /** Show a line to the user. */
  print(text: string): Promise<void>;
}

/** Runs the lines of the shell, one after the other. */
export class LineRunner {
  readonly #options: LineRunnerOptions;
  #abort = new AbortController();

  constructor(options: LineRunnerOptions) {
    this.#options = options;
  }

  /** End the line under way. */
  abort(): void {
    this.#abort.abort();
  }

  /** Run one line; one that needs the link waits for it. @returns the exit code it would have as a command */
  async run(text: string): Promise<number> {
    const { input, print, io } = this.#options;
    const abort = new AbortController();
    this.#abort = abort;
    try {
      const line = parseShellLine(text, SHELL_COMMANDS);
      if (line.kind === "nothing") return EXIT.DONE;
      const exit = (await input.during(() => abort.abort(), this.#obey(line, text, abort.signal))) ?? EXIT.DONE;
      this.#hint(line, exit);
      return exit;
    } catch (thrown) {
      const error = toCommError(thrown);
      if (error.code === "INTERRUPTED") {
        if (!(error instanceof InterruptedTransfer)) void print(error.message);
        return EXIT.INTERRUPTED;
      }
      // The prompt reports the end of the session, once.
      if (endsSession(error)) return exitOf(error);
      void print(paint(io, "red", describeError(error)));
      const advice = io.outIsTty ? adviceFrom(error, commandOf(text), { isShell: true }) : "";
      if (advice !== "") io.note(`  ${advice}`);
      this.#hint(text, exitOf(error));
      return exitOf(error);
    }
  }

  async #obey(line: SpokenLine, text: string, signal: AbortSignal): Promise<number | undefined> {
    const { connection, input, io, places, folder, jobs } = this.#options;
    if (needsLink(line)) await this.#online(text, signal);
    const work = runLine(line, {
      connection,
      io: { ...io, isShell: true },
      signal,
      places,
      folder,
      jobs,
      ...(input instanceof LineEditor && {
        ask: (question: string) => askYesNo(input, question),
        onDetach: (handler: () => void) => input.onDetach(handler),
      }),
    });
    return unlessAborted(work, signal, CLEAN_UP_MS);
  }

  /** @throws CommError INTERRUPTED; the error that ends the session for good */
  async #online(text: string, signal: AbortSignal): Promise<void> {
    const { prompt, io } = this.#options;
    if (!prompt.isLost) return;
    if (io.inIsTty) io.note(paint(io, "dim", "This line waits until the link is back. Ctrl-C drops it."));
    try {
      await unlessAborted(prompt.online(), signal);
    } catch (thrown) {
      if (!signal.aborted) io.note(`Not run: ${escapeText(text)}`);
      throw thrown;
    }
  }

  /** What a person may have meant. */
  #hint(line: ShellLine | string, exit: number): void {
    const { io, outside } = this.#options;
    const hint = hintFor(line, exit, SHELL_COMMANDS, outside);
    if (hint !== undefined) io.note(paint(io, "dim", escapeText(hint)));
  }
}

/** The command of a line by the name that it has outside the shell. */
function commandOf(text: string): string {
  const name = text.trim().split(/\s+/)[0]?.toLowerCase() ?? "";
  return ({ mv: "rename", rm: "remove" } as Record<string, string | undefined>)[name] ?? name;
}
