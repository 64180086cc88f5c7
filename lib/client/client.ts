import type * as v from "valibot";
import { CommError } from "../errors.ts";
import type { PathKind } from "../path.ts";
import { DIGESTS_CAPABILITY, HOLES_CAPABILITY, NAMES_CAPABILITY, PATCHES_CAPABILITY } from "../protocol/constants.ts";
import { checkShape } from "../protocol/json.ts";
import type { Role, Welcome } from "../protocol/messages.ts";
import {
  Change,
  DigestResult,
  type Entry,
  Entry as EntrySchema,
  ListTrailer,
  Nothing,
  SendResult,
  StatResult,
  type StatusParams,
  StatusResult,
} from "../protocol/methods.ts";
import { decodeRecordBatches, decodeRecords } from "../protocol/records.ts";
import type { Clock } from "../session/clock.ts";
import { connectSession } from "../session/handshake.ts";
import type { Session } from "../session/session.ts";
import type { SessionEnd } from "../session/session-end.ts";
import type { Stream } from "../session/stream.ts";
import { type Asked, paramsOf } from "./asked-params.ts";
import type { ClientOptions } from "./client-options.ts";
import { tooManyEntries } from "./path-set.ts";
import { PATIENT, Patience } from "./patience.ts";
import { answerPush } from "./push-answers.ts";
import { orSilence, watchSilence } from "./silence-watch.ts";
import { limitsFor } from "./stream-limits.ts";

export const HEARTBEAT_MS = 15_000;
/** How long requests under way may continue after close(). */
const LEAVE_MS = 1_000;

/** A session with a server, as a library: every request that a client can make. Runs in a browser as well. */
export class Client {
  readonly #session: Session;
  readonly #patience: Patience;
  readonly #clock: Clock;
  readonly #silenceMs: number | undefined;
  readonly name: string;
  /** The name of the token that it has proven. */
  readonly token: string | undefined;
  /** The name that it gives itself. */
  readonly nick: string | undefined;
  readonly role: Role;
  /** The resume token: with it the next client gets the same name and seat after this one's link was lost. */
  readonly resume: string | undefined;
  /** Whether a `get` may request digests; see digestAll(). */
  readonly canAskDigests: boolean;
  /** Whether a `put` may announce holes. */
  readonly canTellHoles: boolean;
  /** Whether blocks may move as patches. */
  readonly canPatch: boolean;
  readonly serverAgent: string;
  /** The optional features that both sides support. */
  readonly capabilities: readonly string[];
  /** The kind of paths that the server supports. */
  readonly paths: PathKind;
  /** How many requests the server has accepted. */
  answers = 0;
  /** Settles when the session has ended, with the reason; never rejects. */
  readonly ended: Promise<SessionEnd>;

  private constructor(session: Session, facts: Welcome, ended: Promise<SessionEnd>, options: ClientOptions) {
    const { clock, attempts = PATIENT, silenceMs } = options;
    this.#session = session;
    this.#clock = clock;
    this.#silenceMs = silenceMs;
    this.#patience = new Patience(clock, attempts);
    this.name = facts.name;
    this.token = facts.token;
    this.nick = options.nick;
    this.role = facts.role;
    this.resume = facts.resume?.token;
    this.canAskDigests = facts.capabilities.includes(DIGESTS_CAPABILITY);
    this.canTellHoles = facts.capabilities.includes(HOLES_CAPABILITY);
    this.canPatch = facts.capabilities.includes(PATCHES_CAPABILITY);
    this.serverAgent = facts.agent;
    this.capabilities = facts.capabilities;
    this.paths = facts.capabilities.includes(NAMES_CAPABILITY) ? "any" : "plain";
    this.ended = ended;
  }

  /** Start a session over a fresh transport. @throws as connectSession() */
  static async connect(options: ClientOptions): Promise<Client> {
    const { onMessage, ...rest } = options;
    const ended = Promise.withResolvers<SessionEnd>();
    const { session, welcome } = await connectSession({
      ...rest,
      limits: limitsFor(rest.rateLimit),
      heartbeatMs: HEARTBEAT_MS,
      handler: {
        onOpen: (stream, request) => answerPush(stream, request, onMessage),
        onEnd: (end) => ended.resolve(end),
      },
    });
    return new Client(session, welcome, ended.promise, options);
  }

  /** @throws CommError as every request: the server's code, or why the session ended */
  status(params: StatusParams = {}): Promise<StatusResult> {
    return this.call("status", params, StatusResult);
  }

  stat(path: string): Promise<StatResult> {
    return this.call("stat", { path }, StatResult);
  }

  /** Send a text: to the server, to a client by name, or to "all". */
  send(text: string, to?: string): Promise<SendResult> {
    return this.call("message", to === undefined ? { text } : { text, to }, SendResult);
  }

  /** As listBatches(), one by one. */
  async *list(asked?: Asked, signal?: AbortSignal): AsyncGenerator<Entry, ListTrailer> {
    const batches = this.listBatches(asked, signal);
    try {
      for (;;) {
        const step = await batches.next();
        if (step.done) return step.value;
        yield* step.value;
      }
    } finally {
      await batches.return?.({ entries: 0, skipped: 0 });
    }
  }

  /**
   * The requested entries, in batches as they arrive; with `parents` also the folders above a pattern's matches, each
   * before its contents. The generator returns how many entries there were and how many the server left out.
   * `maxEntries` ends the list of a server that lists for ever.
   *
   * @throws CommError INCOMPLETE when entries are missing; TOO_MANY_ENTRIES when there are more than `maxEntries`
   */
  async *listBatches(
    asked?: Asked,
    signal?: AbortSignal,
    { parents = false, maxEntries = Number.POSITIVE_INFINITY } = {},
  ): AsyncGenerator<Entry[], ListTrailer> {
    const params = { ...paramsOf(asked), ...(parents && { parents }) };
    const { stream } = await this.#ask("list", params, signal);
    let received = 0;
    for await (const batch of decodeRecordBatches(EntrySchema, stream.body())) {
      received += batch.length;
      if (received > maxEntries) throw tooManyEntries(maxEntries);
      yield batch;
    }
    const trailer = checkShape(ListTrailer, stream.trailer, "The end of a list");
    if (received === trailer.entries) return trailer;
    throw new CommError("INCOMPLETE", `The list has ${received} of ${trailer.entries} entries.`);
  }

  /** The SHA-256 of a file of the repository. */
  digest(path: string): Promise<DigestResult> {
    return this.call("digest", { path }, DigestResult);
  }

  async remove(path: string, recursive: boolean): Promise<void> {
    await this.call("remove", { path, recursive }, Nothing);
  }

  async rename(from: string, to: string, overwrite: boolean): Promise<void> {
    await this.call("rename", { from, to, overwrite }, Nothing);
  }

  /** Changes in `asked`: all of them after `onBegun` was called. */
  async *watch(asked?: Asked, signal?: AbortSignal, onBegun?: () => void): AsyncGenerator<Change, void> {
    const { stream } = await this.#ask("watch", paramsOf(asked), signal, true);
    onBegun?.();
    yield* decodeRecords(Change, stream.body());
  }

  /** Round-trip time in milliseconds. @throws TransportError LOST, TIMEOUT */
  ping(): Promise<number> {
    const answer = this.#session.ping();
    if (this.#silenceMs === undefined) return answer;
    return orSilence(answer, "a ping", { clock: this.#clock, silenceMs: this.#silenceMs });
  }

  /** The link has become useless, and another has replaced it. */
  abandon(): void {
    this.#session.terminate("HEARTBEAT_TIMEOUT", "The client reconnected over another link.");
  }

  /** Say goodbye, and wait until it has arrived; requests under way get `graceMs` to end. */
  async close(graceMs = LEAVE_MS): Promise<void> {
    this.#session.goAway("OK", "exit", graceMs);
    await this.#session.closed;
  }

  /** A request without bodies. */
  async call<S extends v.GenericSchema>(
    method: string,
    params: Record<string, unknown>,
    result: S,
  ): Promise<v.InferOutput<S>> {
    const { stream, answer } = await this.#ask(method, params);
    stream.reset("CANCELLED", "No body was expected.");
    return checkShape(result, answer, `The answer to ${method}`);
  }

  /** Open a stream without a body of ours, and wait until it is accepted; a refusal for its rate is retried. */
  #ask(
    method: string,
    params: Record<string, unknown>,
    signal?: AbortSignal,
    isFeed = false,
  ): Promise<{ stream: Stream; answer: Record<string, unknown> }> {
    const ask = async () => {
      const stream = this.openStream(method, params, { isFeed, ...(signal && { signal }) });
      return { stream, answer: await stream.accepted };
    };
    return this.#patience.run(method, ask, signal);
  }

  /**
   * A request whose answer has a body; with `body` the request has one too. Aborting `signal` resets the stream.
   * `isFeed`: once accepted it may be silent for ever. `isWaiting` says whether the server owes an answer; absent: it
   * does whenever the caller reads.
   */
  openStream(
    method: string,
    params: Record<string, unknown>,
    options: { body?: boolean; signal?: AbortSignal; isFeed?: boolean; isWaiting?(): boolean } = {},
  ): Stream {
    const { body = false, signal, isFeed = false } = options;
    if (signal?.aborted) throw new CommError("INTERRUPTED", "Interrupted.");
    const stream = this.#session.open({ method, params }, { end: !body });
    stream.accepted.then(
      () => {
        this.answers++;
      },
      () => {},
    );
    if (this.#silenceMs !== undefined) {
      const isWaiting = options.isWaiting ?? (() => (isFeed ? stream.isUnanswered : stream.isAwaited));
      watchSilence({ stream, clock: this.#clock, silenceMs: this.#silenceMs, method, isWaiting });
    }
    if (signal !== undefined) {
      const error = new CommError("INTERRUPTED", "Interrupted.");
      const abort = () => stream.reset("CANCELLED", "Interrupted by the user.", error);
      signal.addEventListener("abort", abort);
      void stream.closed.then(() => signal.removeEventListener("abort", abort));
    }
    return stream;
  }
}
