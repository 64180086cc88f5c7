import { App } from "../../lib/app/app.ts";
import type { EntryFacts, Listing } from "../../lib/app/events.ts";
import type { FileSide } from "../../lib/app/file-side.ts";
import { PagePort, type ToPage } from "../../lib/app/page-port.ts";
import type { LinkEvents } from "../../lib/app/session-link.ts";
import { Client } from "../../lib/client/client.ts";
import { Connection } from "../../lib/client/connection.ts";
import { fetchJob } from "../../lib/client/fetch-job.ts";
import { CommError } from "../../lib/errors.ts";
import type { Clock } from "../../lib/session/clock.ts";
import type { Transport } from "../../lib/session/transport.ts";
import { digest64 } from "../../lib/storage/digest64.ts";
import { MemoryStorage } from "../../lib/storage/memory-storage.ts";
import { memoryPair } from "../../lib/transport/memory-transport.ts";
import { TestServer } from "./test-server.ts";
import { hastyClock } from "./transfers.ts";

/** Files of the machine of a page, in memory, all in one folder. */
class MemorySide implements FileSide {
  readonly storage: MemoryStorage;

  constructor(storage: MemoryStorage) {
    this.storage = storage;
  }

  async *list(path: string): AsyncGenerator<EntryFacts[], Listing> {
    let entries = 0;
    for await (const batch of this.storage.list("", { enter: () => false })) {
      entries += batch.length;
      yield batch.map(({ path: name, kind, size, modifiedAt }) => ({ name, kind, size, modifiedAt }));
    }
    return { path, entries, leftOut: 0 };
  }

  async makeFolder(path: string): Promise<void> {
    await this.storage.makeFolder(path);
  }

  rename(from: string, to: string): Promise<void> {
    return this.storage.rename(from, to, { overwrite: false });
  }

  remove(path: string): Promise<void> {
    return this.storage.remove(path, { recursive: true });
  }

  digest(): Promise<string> {
    throw new CommError("NOT_FOUND", "There is none.");
  }

  follow(): () => void {
    return () => {};
  }
}

/** A page as a test sees it: what it asked, and what it was told. */
export class TestPage {
  readonly told: ToPage[] = [];
  readonly port: PagePort;
  #last = 0;

  constructor(app: App) {
    this.port = new PagePort(app, (message) => void this.told.push(message));
  }

  /** @returns the parts and the result of the answer @throws Error with the code of a refusal */
  async ask(question: Record<string, unknown>): Promise<{ parts: any[]; result: any }> {
    const id = ++this.#last;
    await this.port.take({ id, ...question });
    const answers = this.told.filter((message) => "id" in message && message.id === id);
    const end = answers.at(-1) as { result?: unknown; error?: { code: string; message: string } };
    if (end.error !== undefined) throw Object.assign(new Error(end.error.message), { code: end.error.code });
    return { parts: answers.flatMap((answer) => ("part" in answer ? (answer.part as any[]) : [])), result: end.result };
  }

  events(kind: string): any[] {
    return this.told.filter((message) => "event" in message && message.event === kind);
  }
}

/** The application behind a page, over memory: a server, this machine's files, and pages. */
export class AppSite implements AsyncDisposable {
  readonly server: TestServer;
  readonly #isOwnServer: boolean;
  readonly here = new MemoryStorage();
  readonly app: App;
  readonly running: Promise<CommError | undefined>;
  /** Our end of each link that was made. */
  readonly links: Transport[] = [];
  /** Thrown by the next attempts to connect. */
  readonly refusals: CommError[];

  /** `server`: one of another site, which ends it. `refusals`: see there. */
  constructor(clock: Clock = hastyClock, server?: TestServer, refusals: CommError[] = []) {
    this.server = server ?? new TestServer();
    this.#isOwnServer = server === undefined;
    this.refusals = refusals;
    this.app = new App({
      clock,
      digest64,
      here: new MemorySide(this.here),
      names: () => ({ server: "lab", here: "laptop" }),
      open: (events, signal) => this.#open(clock, events, signal),
      transfer: async (connection, { paths, into }, terms) =>
        fetchJob({ ...terms, connection, clock, digest64, sources: paths, naming: { into }, local: this.here }),
    });
    this.running = this.app.run();
  }

  page(): TestPage {
    return new TestPage(this.app);
  }

  #open(clock: Clock, events: LinkEvents, signal: AbortSignal): Promise<Connection> {
    return Connection.open({
      clock,
      reconnectMs: Number.MAX_SAFE_INTEGER,
      retries: 1_000,
      random: () => 0,
      signal,
      connect: async (resume) => {
        const refusal = this.refusals.shift();
        if (refusal !== undefined) throw refusal;
        const [ours, theirs] = memoryPair();
        this.server.server.accept(ours, "write");
        this.links.push(theirs);
        return Client.connect({
          transport: theirs,
          clock,
          agent: "test-page",
          wait: true,
          timeoutMs: 5_000,
          resume,
          onQueued: (position) => events.onQueued(position),
          onMessage: (message) => events.onMessage(message),
        });
      },
      onRetry: (error) => events.onLost(error),
      onLost: (error) => events.onLost(error),
      onBack: (client) => events.onBack(client),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.app.close();
    await this.running;
    if (this.#isOwnServer) await this.server[Symbol.asyncDispose]();
  }
}
