/*
 * The application behind a page
 *
 *   page ── questions and events, JSON ── App ─┬─ SessionLink   the session with the server
 *                                              ├─ FileSide ×2   what a page browses, here and there
 *                                              ├─ Jobs          transfers
 *                                              └─ Conversation  messages
 *
 * A page only shows. It may be closed, and opened again, or several may be open: the application goes on. It runs in
 * the client's process, whose pages ask over a WebSocket (cli/gui), and in a browser as it is: a root gives it its
 * connection, its own files and the transfers between both.
 */

import type { Digest64 } from "../block.ts";
import type { Connection } from "../client/connection.ts";
import type { TransferItem } from "../client/transfer.ts";
import type { TransferJob } from "../client/transfer-job.ts";
import type { CommError } from "../errors.ts";
import type { Clock } from "../session/clock.ts";
import type { Side } from "./asks.ts";
import { Conversation } from "./conversation.ts";
import type { AppEvent } from "./events.ts";
import type { FileSide } from "./file-side.ts";
import type { JobRequest, RunTerms } from "./job.ts";
import { Jobs } from "./jobs.ts";
import { RepositorySide } from "./repository-side.ts";
import { SessionLink, type SessionLinkParts } from "./session-link.ts";

export interface AppParts {
  readonly clock: Clock;
  readonly digest64: Digest64;
  /** The files of the machine that the page belongs to. */
  readonly here: FileSide;
  /** Names for people; "" for one that is not known. */
  names(): { readonly server: string; readonly here: string };
  /** As SessionLinkParts. */
  open: SessionLinkParts["open"];
  /** The transfer between both sides. @throws CommError */
  transfer(
    connection: Connection,
    request: JobRequest,
    terms: RunTerms,
  ): Promise<Pick<TransferJob<TransferItem>, "run">>;
}

/** A page that is open. */
export type Subscriber = (event: AppEvent) => void;

/** The application behind a page. Answers: answers.ts. */
export class App {
  readonly #subscribers = new Set<Subscriber>();
  readonly #abort = new AbortController();
  readonly parts: AppParts;
  readonly link: SessionLink;
  readonly jobs: Jobs;
  readonly conversation: Conversation;

  constructor(parts: AppParts) {
    this.parts = parts;
    const { clock } = parts;
    this.conversation = new Conversation({ clock, onMessage: (message) => this.#tell({ event: "message", message }) });
    this.link = new SessionLink({
      open: (events, signal) => parts.open(events, signal),
      onMessage: (message) => this.conversation.receive(message),
      onLink: (link) => this.#tell({ event: "link", link }),
      onUp: () => this.jobs.resumeAll(),
    });
    this.jobs = new Jobs({
      clock,
      transfer: (request, terms) => parts.transfer(this.link.connection, request, terms),
      onJob: (job) => this.#tell({ event: "job", job }),
      onDismissed: (job) => this.#tell({ event: "dismissed", job }),
    });
  }

  /** As SessionLink.run(). */
  run(): Promise<CommError | undefined> {
    return this.link.run();
  }

  /** Open a page: `subscriber` gets all that happens from now on. @returns the function that closes it */
  subscribe(subscriber: Subscriber): () => void {
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  }

  /** The repository. @throws CommError CANNOT_CONNECT before the first link was there */
  get there(): RepositorySide {
    const { clock, digest64 } = this.parts;
    return new RepositorySide({ connection: this.link.connection, clock, digest64, signal: this.#abort.signal });
  }

  /** @throws as `there` */
  side(side: Side): FileSide {
    return side === "here" ? this.parts.here : this.there;
  }

  /** End everything. What transfers have moved is kept. */
  async close(): Promise<void> {
    this.#abort.abort();
    await this.jobs.close();
    await this.link.close();
  }

  #tell(event: AppEvent): number {
    for (const subscriber of this.#subscribers) subscriber(event);
    return this.#subscribers.size;
  }
}
