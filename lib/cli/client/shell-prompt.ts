import type { Client } from "../../client/client.ts";
import type { Connection } from "../../client/connection.ts";
import { errorOf, type SessionEnd } from "../../session/session-end.ts";
import { Wakeup } from "../../session/wakeup.ts";
import { type ConsoleIo, paint } from "../console-io.ts";
import { escapeText } from "../escape.ts";
import { shownName } from "../shown-name.ts";
import type { Input, LineInput } from "../terminal/line-input.ts";
import type { ShellFolder } from "./shell-folder.ts";

export interface ShellPromptOptions {
  readonly connection: Connection;
  readonly lines: LineInput;
  readonly folder: ShellFolder;
  readonly io: ConsoleIo;
  /** Ends the attempts to reconnect. */
  readonly leaving: AbortController;
  /** A session has begun: the first, or that after a lost link. */
  onClient(client: Client): void;
  /** Whether jobs need the link after the end of the input. */
  needsLink(): boolean;
}

/** The prompt of the shell: takes the user's lines, shows the state of the link, and reconnects when it is lost. */
export class ShellPrompt {
  readonly #options: ShellPromptOptions;
  /** Wakes next() when the user has typed, or the session has ended. */
  readonly #wakeup = new Wakeup();
  #watched: Client | undefined;
  #ended: { readonly client: Client; readonly end: SessionEnd } | undefined;
  #isOffline = false;

  constructor(options: ShellPromptOptions) {
    this.#options = options;
  }

  /** True when the present session has ended, and next() will reconnect. */
  get isLost(): boolean {
    return this.#ended?.client === this.#options.connection.client;
  }

  /**
   * The user's next input; reconnects when the link is lost meanwhile.
   *
   * @throws the error that ends the session for good
   */
  async next(): Promise<Input> {
    const { lines, connection, leaving, io, needsLink } = this.#options;
    let input: Input | undefined;
    void lines.next(this.#text(connection.client)).then((typed) => {
      input = typed;
      const ends = typed.kind === "end" && (typed.isGone || !needsLink() || (this.#isOffline && io.inIsTty));
      if (ends) leaving.abort();
      this.#wakeup.notify();
    });
    try {
      for (;;) {
        this.#watch(connection.client);
        await this.#wakeup.wait();
        if (input !== undefined) return input;
        const ended = this.#ended;
        this.#ended = undefined;
        // A job may have reconnected already.
        if (ended === undefined || ended.client !== connection.client) continue;
        await this.#recover(ended.end);
      }
    } catch (error) {
      if (input?.kind === "end") return input;
      // The prompt is on the screen when the server goes away.
      lines.close();
      throw error;
    }
  }

  async #recover(end: SessionEnd): Promise<void> {
    const { lines, connection, leaving } = this.#options;
    // A client that the server has dismissed does not reconnect by itself. A server that stops may come back.
    const mayReturn = end.by === "lost" || end.code === "HEARTBEAT_TIMEOUT" || end.code === "SHUTDOWN";
    if (!mayReturn) throw errorOf(end);
    connection.noteHeld();
    this.#isOffline = true;
    lines.reprompt(this.#text(connection.client, "offline"));
    await lines.during(() => leaving.abort(), connection.recover(errorOf(end)));
    this.#isOffline = false;
    lines.reprompt(this.#text(connection.client));
  }

  /** `bob (Client07) /docs> `, and at once when the link is lost: `bob (Client07) offline> `. */
  #text(client: Client, state = ""): string {
    const { io, folder } = this.#options;
    const place = folder.path === "" ? "" : ` ${escapeText(folder.shown)}`;
    const link = state === "" ? "" : ` ${paint(io, "yellow", state)}`;
    return `${paint(io, "green", shownName(client))}${place}${link}> `;
  }

  /** Once for each client: a promise keeps every callback until it settles. */
  #watch(client: Client): void {
    if (this.#watched === client) return;
    this.#watched = client;
    this.#options.onClient(client);
    void client.ended.then((end) => {
      if (this.#watched !== client) return;
      this.#ended = { client, end };
      this.#wakeup.notify();
    });
  }
}
