import { CommError, ERRORS, toCommError } from "../errors.ts";
import type { Clock } from "../session/clock.ts";
import type { Client } from "./client.ts";
import { pause } from "./pause.ts";

const FIRST_DELAY_MS = 200;
const MAX_DELAY_MS = 10_000;
/** Between attempts to reach a server that may not have started yet. */
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;
/** How often in a row a crowded server may refuse work that has made no progress. */
const MAX_CROWDED = 10;

export interface ConnectionOptions {
  readonly clock: Clock;
  /** How long to try to reconnect after a lost link; 0: not at all. */
  readonly reconnectMs: number;
  /** A fresh client; `resume` as in HELLO. @throws CommError */
  connect(resume: string): Promise<Client>;
  /** A number from 0 to 1, so that clients that lost their server together do not reconnect together. */
  random(): number;
  /** How often to try again when the first attempt can't reach the server; absent: not at all. */
  readonly retries?: number;
  /** Such an attempt has failed, and the next follows in `delayMs`. */
  onRetry?(error: CommError, delayMs: number): void;
  /** The link is lost, and the next attempt follows in `delayMs`. */
  onLost?(error: CommError, delayMs: number): void;
  /** The connection is back. */
  onBack?(client: Client): void;
  readonly signal?: AbortSignal;
}

/** A client that reconnects after its link was lost: same name, same seat, as long as the server keeps them. */
export class Connection {
  readonly #options: ConnectionOptions;
  #client: Client;
  #recovering: Promise<void> | undefined;
  /** When the link was first lost since the last progress, and how long to wait before the next attempt. */
  #lostAt: number | undefined;
  #delay = FIRST_DELAY_MS;
  #connectedAt: number;
  #crowded = 0;

  private constructor(client: Client, options: ConnectionOptions) {
    this.#client = client;
    this.#options = options;
    this.#connectedAt = options.clock.now();
  }

  /** Connect; another attempt follows at most `retries` times. @throws as `connect`; CommError INTERRUPTED */
  static async open(options: ConnectionOptions): Promise<Connection> {
    const { clock, retries = 0, random, signal, onRetry } = options;
    for (let tries = 0; ; tries++) {
      try {
        return new Connection(await options.connect(""), options);
      } catch (thrown) {
        const error = toCommError(thrown);
        if (!isLoss(error) || tries >= retries) throw thrown;
        const delayMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** tries) * (0.5 + random() / 2);
        onRetry?.(error, delayMs);
        await pause(clock, Math.round(delayMs), signal);
        if (signal?.aborted) throw new CommError("INTERRUPTED", "Interrupted.");
      }
    }
  }

  /** The present client. */
  get client(): Client {
    return this.#client;
  }

  /**
   * Work has made progress, so the next loss is a new one. Without this rule a server that cuts every link would be
   * retried without end.
   */
  noteProgress(): void {
    this.#lostAt = undefined;
    this.#delay = FIRST_DELAY_MS;
    this.#crowded = 0;
  }

  /**
   * For endless work, such as a watch, that lost its link: if the link had held as long as reconnecting may take, the
   * next loss is a new one. Not for work that must make progress: a server that cuts late is no better than one that
   * cuts early.
   */
  noteHeld(): void {
    if (this.#options.clock.now() - this.#connectedAt >= this.#options.reconnectMs) this.noteProgress();
  }

  /**
   * Run `work`, again and again while it fails only by its link, or because the server has no room for it at present.
   * It must remember what it has done already.
   *
   * @throws any other error of `work`; the loss when reconnecting fails in time; RemoteError CROWDED or OVERLOADED when
   * it makes no progress
   */
  async persist<T>(work: (client: Client) => Promise<T>): Promise<T> {
    for (;;) {
      const client = this.#client;
      try {
        return await work(client);
      } catch (thrown) {
        const error = toCommError(thrown);
        // Another caller noticed the loss earlier, and the link is back.
        if (isLoss(error) && client !== this.#client) continue;
        if (error.code === "CROWDED" || error.code === "OVERLOADED") await this.#giveWay(error);
        else await this.recover(error);
      }
    }
  }

  /**
   * Reconnect after `loss`, with a doubling backoff and jitter.
   *
   * @throws `loss` when it is not a lost link, or when no time is left; the server's refusal
   */
  async recover(loss: CommError): Promise<void> {
    if (!isLoss(loss) || this.#options.reconnectMs === 0 || this.#options.signal?.aborted) throw loss;
    this.#recovering ??= this.#comeBack(loss).finally(() => {
      this.#recovering = undefined;
    });
    await this.#recovering;
  }

  /** Other clients wait for the server's resources: retry a little later. @throws `error` after too many tries */
  async #giveWay(error: CommError): Promise<void> {
    const { clock, random, signal } = this.#options;
    if (++this.#crowded > MAX_CROWDED || signal?.aborted) throw error;
    const delayMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** this.#crowded);
    await pause(clock, Math.round(delayMs * (0.5 + random() / 2)), signal);
  }

  async #comeBack(loss: CommError): Promise<void> {
    const { clock, reconnectMs, random, connect, onLost, onBack, signal } = this.#options;
    this.#lostAt ??= clock.now();
    const deadline = this.#lostAt + reconnectMs;
    let error = loss;
    for (;;) {
      const delayMs = Math.round(this.#delay * (0.5 + random() / 2));
      this.#delay = Math.min(MAX_DELAY_MS, 2 * this.#delay);
      if (clock.now() + delayMs > deadline) throw error;
      onLost?.(error, delayMs);
      await pause(clock, delayMs, signal);
      if (signal?.aborted) throw new CommError("INTERRUPTED", "Interrupted.");
      try {
        const before = this.#client;
        this.#client = await connect(before.resume ?? "");
        this.#connectedAt = clock.now();
        // A link that only fell silent is still there.
        if (loss.code === "TIMEOUT") before.abandon();
        onBack?.(this.#client);
        return;
      } catch (thrown) {
        error = toCommError(thrown);
        if (!isLoss(error) && error.code !== "SERVER_FULL") throw error;
      }
    }
  }
}

/** True when a new link may help. */
function isLoss(error: CommError): boolean {
  const { retryable, unreachable } = ERRORS[error.code];
  return retryable && unreachable;
}
