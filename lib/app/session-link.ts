import type { Client } from "../client/client.ts";
import type { Connection } from "../client/connection.ts";
import { collectKept, hasMailbox } from "../client/kept-messages.ts";
import { CommError, ERRORS, toCommError } from "../errors.ts";
import type { MessageParams } from "../protocol/methods.ts";
import { errorOf } from "../session/session-end.ts";
import { errorFacts } from "./error-facts.ts";
import type { LinkFacts } from "./events.ts";

/** Reports of a connection that is being made or kept. */
export interface LinkEvents {
  onQueued(position: number): void;
  onMessage(message: MessageParams): void;
  /** An attempt has failed, and others follow. */
  onLost(error: CommError): void;
  onBack(client: Client): void;
}

export interface SessionLinkParts {
  /**
   * Open a connection that tries as long as it takes.
   *
   * @throws CommError when no attempt will ever help
   */
  open(events: LinkEvents, signal: AbortSignal): Promise<Connection>;
  onMessage(message: MessageParams): void;
  onLink(facts: LinkFacts): void;
  /** The link is there, for the first time or again. */
  onUp(): void;
}

/** The session with the server, as a page sees it: it is made, waits for a seat, is lost, and comes back. */
export class SessionLink {
  readonly #parts: SessionLinkParts;
  readonly #end = new AbortController();
  #facts: LinkFacts = { state: "connecting" };
  #connection: Connection | undefined;

  constructor(parts: SessionLinkParts) {
    this.#parts = parts;
  }

  get facts(): LinkFacts {
    return this.#facts;
  }

  /** @throws CommError CANNOT_CONNECT before the first link was there; the error that ended it */
  get connection(): Connection {
    if (this.#connection !== undefined) return this.#connection;
    throw new CommError("CANNOT_CONNECT", this.#facts.error?.message ?? "The server has not answered yet.");
  }

  /** Connect, and keep connected until close(). Never rejects. @returns what ended it; undefined after close() */
  async run(): Promise<CommError | undefined> {
    const { signal } = this.#end;
    try {
      const connection = await this.#parts.open(this.#events, signal);
      this.#connection = connection;
      for (;;) {
        const { client } = connection;
        this.#up(client);
        const end = await client.ended;
        if (signal.aborted) return undefined;
        if (connection.client !== client) continue;
        const error = errorOf(end);
        // A client that the server has dismissed does not come back by itself.
        if (end.by !== "lost" && !isPassing(error)) throw error;
        this.#tell({ state: "lost", error: errorFacts(error) });
        connection.noteHeld();
        await connection.recover(end.by === "lost" ? error : new CommError("LOST", error.message));
      }
    } catch (thrown) {
      if (signal.aborted) return undefined;
      this.#tell({ state: "over", error: errorFacts(thrown) });
      return toCommError(thrown);
    }
  }

  /** Leave the server. */
  async close(): Promise<void> {
    this.#end.abort();
    await this.#connection?.client.close(0);
  }

  get #events(): LinkEvents {
    return {
      onQueued: (position) => this.#tell({ state: "queued", position }),
      onMessage: (message) => this.#parts.onMessage(message),
      onLost: (error) =>
        this.#tell({ state: this.#connection === undefined ? "connecting" : "lost", error: errorFacts(error) }),
      onBack: (client) => this.#up(client),
    };
  }

  #up(client: Client): void {
    const { name, token, role } = client;
    const isNew = this.#facts.state !== "up" || this.#facts.name !== name;
    this.#tell({ state: "up", name, token, role });
    if (!isNew) return;
    this.#parts.onUp();
    if (hasMailbox(client)) collectKept(client).catch(() => {}); // What is left comes again.
  }

  #tell(facts: LinkFacts): void {
    this.#facts = facts;
    this.#parts.onLink(facts);
  }
}

/** A goodbye after which the server may be back soon. */
function isPassing(error: CommError): boolean {
  return ERRORS[error.code].retryable && error.code !== "TOO_MANY_SESSIONS";
}
