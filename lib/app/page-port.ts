import * as v from "valibot";
import { CommError } from "../errors.ts";
import { describe } from "../protocol/json.ts";
import { MAX_HERE } from "../protocol/methods.ts";
import type { App } from "./app.ts";
import { type Ask, Question, type Side } from "./asks.ts";
import { errorFacts } from "./error-facts.ts";
import type { AppEvent, EntryFacts, Listing } from "./events.ts";

/** What a page gets: an answer to its question `id`, or an event. */
export type ToPage =
  | { readonly id: number; readonly part: unknown }
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: { readonly code: string; readonly message: string } }
  | AppEvent;

/** The most questions of one page that are answered at once; others are refused. */
const MAX_ASKED = 64;
/** Changes of a folder are told at most so often, in milliseconds. */
const CHANGE_MS = 500;

/** One open page: it answers its questions in JSON, and passes on what happens. */
export class PagePort {
  readonly #app: App;
  readonly #send: (message: ToPage) => void;
  readonly #end = new AbortController();
  readonly #unsubscribe: () => void;
  readonly #follows = new Map<Side, () => void>();
  #asked = 0;

  constructor(app: App, send: (message: ToPage) => void) {
    this.#app = app;
    this.#send = send;
    this.#unsubscribe = app.subscribe(send);
  }

  /** Answer a question. Never throws: what is no question gets no answer, or an error. */
  async take(message: unknown): Promise<void> {
    const asked = v.safeParse(Question, message, { abortEarly: true });
    if (!asked.success) {
      const id = (message as { id?: unknown } | null)?.id;
      const error = new CommError("BAD_PARAMS", `The page asks what is not known: ${describe(asked.issues[0])}.`);
      if (Number.isSafeInteger(id)) this.#send({ id: id as number, error: errorFacts(error) });
      return;
    }
    const { id, ...ask } = asked.output;
    if (this.#asked >= MAX_ASKED)
      return this.#send({ id, error: errorFacts(new CommError("TOO_OFTEN", "The page asks too much at once.")) });
    this.#asked++;
    try {
      const result = await this.#answer(ask as Ask, (part) => this.#send({ id, part }));
      this.#send({ id, result: result ?? null });
    } catch (thrown) {
      this.#send({ id, error: errorFacts(thrown) });
    } finally {
      this.#asked--;
    }
  }

  /** The page is closed: nothing is sent any more. */
  close(): void {
    this.#unsubscribe();
    this.#end.abort();
    for (const end of this.#follows.values()) end();
    this.#follows.clear();
  }

  async #answer(ask: Ask, part: (part: unknown) => void): Promise<unknown> {
    const { link, jobs, conversation, parts } = this.#app;
    const { signal } = this.#end;
    switch (ask.ask) {
      case "hello":
        return { names: parts.names(), link: link.facts, jobs: jobs.all, messages: conversation.all };
      case "list":
        return passOn(this.#app.side(ask.side).list(ask.path, signal), part);
      case "search":
        return passOn(this.#app.there.search(ask.path, ask.text, signal), part);
      case "makeFolder":
        return this.#app.side(ask.side).makeFolder(ask.path);
      case "rename":
        return this.#app.side(ask.side).rename(ask.from, ask.to);
      case "remove":
        for (const path of ask.paths) await this.#app.side(ask.side).remove(path);
        return;
      case "digest":
        return this.#app.side(ask.side).digest(ask.path, signal);
      case "transfer":
        return jobs.add(ask);
      case "pause":
        return jobs.get(ask.job).pause();
      case "resume":
        return jobs.get(ask.job).queueAgain();
      case "cancel":
        return jobs.get(ask.job).cancel();
      case "dismiss":
        return jobs.dismiss(ask.job);
      case "resolve":
        return jobs.get(ask.job).resolve(ask.with);
      case "status":
        return link.connection.client.status({ here: true, limit: MAX_HERE });
      case "ping":
        return link.connection.client.ping();
      case "say":
        return conversation.send(link.connection.client, ask.text, ask.to);
      case "follow":
        return this.#follow(ask.side, ask.path);
    }
  }

  /** One folder of each side. */
  #follow(side: Side, path: string): void {
    this.#follows.get(side)?.();
    const { clock } = this.#app.parts;
    let cancel: (() => void) | undefined;
    const end = this.#app.side(side).follow(path, () => {
      cancel ??= clock.after(CHANGE_MS, () => {
        cancel = undefined;
        this.#send({ event: "changed", side, path });
      });
    });
    this.#follows.set(side, () => {
      cancel?.();
      end();
    });
  }
}

/** Pass on the parts of a list. @returns its end */
async function passOn(
  list: AsyncGenerator<EntryFacts[], Listing>,
  part: (part: EntryFacts[]) => void,
): Promise<Listing> {
  for (;;) {
    const step = await list.next();
    if (step.done) return step.value;
    part(step.value);
  }
}
