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
  /** A session has begun: the first, or that after a lost link. */
  onClient(client: Client): void;
}

/**
 * The prompt of the shell: takes the user's lines, shows the state of the link, and reconnects when it is lost. Lines
 * are taken meanwhile, too.
 */
export class ShellPrompt {
  readonly #options: ShellPromptOptions;
  /** Wakes next() when the user has typed, or the state of the link has changed. */
  readonly #wakeup = new Wakeup();
  #watched: Client | undefined;
  #ended: { readonly client: Client; readonly end: SessionEnd } | undefined;
  /** The attempts to reconnect; never rejects. */
  #recovery: Promise<void> | undefined;
  /** Why the session has ended for good. */
  #failure: { readonly error: unknown } | undefined;
  /** The prompt is on the screen. */
  #isAsking = false;

  constructor(options: ShellPromptOptions) {
    this.#options = options;
  }

  /** True when the present session has ended, and the next one has not begun. */
  get isLost(): boolean {
    return this.#ended?.client === this.#options.connection.client;
  }

  /**
   * The user's next input; reconnects when the link is lost meanwhile.
   *
   * @throws the error that ends the session for good
   */
  async next(): Promise<Input> {
    const { lines, connection } = this.#options;
    this.#check();
    let input: Input | undefined;
    this.#isAsking = true;
    void lines.next(this.#text()).then((typed) => {
      input = typed;
      this.#isAsking = false;
      this.#wakeup.notify();
    });
    for (;;) {
      this.#watch(connection.client);
      this.#recoverIfLost();
      await this.#wakeup.wait();
      if (input !== undefined) return input;
      this.#check();
    }
  }

  /** Wait until there is a link. @throws the error that ends the session for good */
  async online(): Promise<void> {
    while (this.isLost) {
      this.#recoverIfLost();
      await this.#recovery;
      this.#check();
    }
  }

  #check(): void {
    if (this.#failure === undefined) return;
    // The prompt may be on the screen when the server goes away.
    this.#options.lines.close();
    throw this.#failure.error;
  }

  #recoverIfLost(): void {
    if (this.#ended === undefined || !this.isLost || this.#failure !== undefined) return;
    this.#recovery ??= this.#recover(this.#ended.end)
      .catch((error) => {
        this.#failure = { error };
      })
      .finally(() => {
        this.#recovery = undefined;
        this.#wakeup.notify();
      });
  }

  async #recover(end: SessionEnd): Promise<void> {
    const { connection } = this.#options;
    // A client that the server has dismissed does not reconnect by itself. A server that stops may come back.
    const mayReturn = end.by === "lost" || end.code === "HEARTBEAT_TIMEOUT" || end.code === "SHUTDOWN";
    if (!mayReturn) throw errorOf(end);
    connection.noteHeld();
    this.#reprompt();
    await connection.recover(errorOf(end));
    this.#watch(connection.client);
    this.#reprompt();
  }

  #reprompt(): void {
    if (this.#isAsking) this.#options.lines.reprompt(this.#text());
  }

  /** `bob (Client07) /docs> `, and at once when the link is lost: `bob (Client07) offline> `. */
  #text(): string {
    const { io, folder, connection } = this.#options;
    const place = folder.path === "" ? "" : ` ${escapeText(folder.shown)}`;
    const link = this.isLost ? ` ${paint(io, "yellow", "offline")}` : "";
    return `${paint(io, "green", shownName(connection.client))}${place}${link}> `;
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
