import { Bucket } from "../../bucket.ts";
import { CommError, StreamError } from "../../errors.ts";
import type { CollectResult, MailRecord, MessageParams, SendResult } from "../../protocol/methods.ts";
import type { Clock } from "../../session/clock.ts";
import type { Access } from "../access/access.ts";
import type { TokenStore } from "../access/token-store.ts";
import { deliver } from "../delivery.ts";
import type { EventFeed } from "../event-feed.ts";
import type { Member } from "../member.ts";
import type { KeptMail, Mailbox, NewMail, Owner } from "./mailbox.ts";

/** Messages that are pushed before the first of them is acknowledged. */
const WINDOW = 16;

/** How many messages of one sender's token, or of all operators, are kept a second: each waits for the disk. */
export const KEPT_PER_SECOND = 20;

/** How often a full mailbox is searched for what need not be kept any more. */
const SWEEP_MS = 1_000;

export interface MailOptions {
  readonly mailbox: Mailbox;
  readonly tokens: Pick<TokenStore, "find" | "list">;
  readonly access: Pick<Access, "faultOfToken">;
  readonly events: Pick<EventFeed, "emit">;
  readonly clock: Clock;
}

/** Keeps messages for tokens whose holders are not here, and delivers them. Source: PROTOCOL.md, "Mailbox". */
export class Mail {
  readonly #options: MailOptions;
  /** By the name of the token: settles when the session that collects now has what it takes. */
  readonly #collecting = new Map<string, Promise<unknown>>();
  /** By author: many sessions of one token may keep the disk no busier than one. */
  readonly #rates = new Map<string, Bucket>();
  #sweptAt = Number.NEGATIVE_INFINITY;

  constructor(options: MailOptions) {
    this.#options = options;
  }

  /** What is kept in all, and what may be. */
  get total(): { readonly messages: number; readonly bytes: number; readonly maxBytes: number } {
    const { total, limits } = this.#options.mailbox;
    return { ...total, maxBytes: limits.bytes };
  }

  /** By name. */
  counts(): MailRecord[] {
    return this.#options.mailbox
      .counts()
      .map(({ owner, messages, bytes, oldestAt }) => ({ name: owner.name, messages, bytes, oldestAt }));
  }

  /** Whether messages of that member are kept. */
  keepsFor({ knowsMailbox, token, role, account }: Member): boolean {
    // Somebody without a token could fill the mailboxes in any number of sessions, and would learn names of tokens.
    // A limited token's holder must learn none, either.
    return knowsMailbox && account.scope === undefined && (token !== undefined || role === "operator");
  }

  /** The token of that name, in any case of letters, whose holder may come for messages. */
  ownerOf(to: string): Owner | undefined {
    const { tokens } = this.#options;
    const found = tokens.find(to) ?? tokens.list().find(({ name }) => name.toLowerCase() === to.toLowerCase());
    return found !== undefined && this.#isValid(found) ? found : undefined;
  }

  /**
   * Keep a message. `isPushed`: its owner may have seen it.
   *
   * @throws CommError MAILBOX_FULL; StreamError TOO_OFTEN; StorageError DISK_FULL, DISK_FAILED
   */
  keep(owner: Owner, message: MessageParams, sender: Member, isPushed: boolean): NonNullable<SendResult["kept"]> {
    const { mailbox, events, clock } = this.#options;
    const author = sender.role === "operator" ? "" : (sender.token ?? "");
    if (!this.#rateOf(author).take(clock.now())) {
      throw new StreamError("TOO_OFTEN", `${KEPT_PER_SECOND} messages a second are kept for a sender.`);
    }
    const sentAt = clock.wallTime();
    this.#keep({ owner, author, message, sentAt, isPushed });
    const { from, token, nick } = message;
    const who = { from, ...(token !== undefined && { token }), ...(nick !== undefined && { nick }) };
    events.emit({ event: "kept", ...who, to: owner.name });
    return { name: owner.name, until: sentAt + mailbox.limits.ms };
  }

  /**
   * Deliver what is kept for the member's token, oldest first, and remove what it acknowledges. Sessions of one token
   * take turns: each message goes to the first that acknowledges it.
   *
   * @throws StorageError DISK_FULL, DISK_FAILED; what is kept stays
   */
  async collect(member: Member, signal: AbortSignal): Promise<CollectResult> {
    const owner = member.token === undefined ? undefined : this.#options.tokens.find(member.token);
    if (owner === undefined) return { messages: 0, left: 0 };
    // What is too old would count as left.
    this.sweep();
    const { name } = owner;
    while (this.#collecting.has(name)) await this.#collecting.get(name);
    if (signal.aborted) return { messages: 0, left: 0 };
    const work = this.#deliverAll(owner, member);
    this.#collecting.set(
      name,
      work.catch(() => {}),
    );
    try {
      const messages = await work;
      if (messages > 0) this.#options.events.emit({ event: "collected", name: member.name, token: name, messages });
      return { messages, left: this.#options.mailbox.countOf(name) };
    } finally {
      this.#collecting.delete(name);
    }
  }

  /** Remove all that is kept for a name. @returns how many messages @throws StorageError DISK_FULL, DISK_FAILED */
  clear(name: string): number {
    const messages = this.#options.mailbox.clear(name);
    this.#noteDropped(name, messages, "cleared");
    return messages;
  }

  /**
   * Remove what is too old, and what is kept for tokens that are revoked or have expired.
   *
   * @throws StorageError DISK_FULL, DISK_FAILED
   */
  sweep(): void {
    const { mailbox, clock } = this.#options;
    this.#sweptAt = clock.now();
    for (const [author, rate] of this.#rates) if (rate.isFull(clock.now())) this.#rates.delete(author);
    for (const [name, messages] of mailbox.expire(clock.wallTime())) this.#noteDropped(name, messages, "expired");
    for (const { owner } of mailbox.counts()) {
      if (!this.#isValid(owner)) this.#noteDropped(owner.name, mailbox.disown(owner), "revoked");
    }
  }

  /** Call when all sessions have ended. */
  async close(): Promise<void> {
    await Promise.all(this.#collecting.values());
    this.#options.mailbox.close();
  }

  /** @returns how many messages were acknowledged, and removed */
  async #deliverAll(owner: Owner, member: Member): Promise<number> {
    const { mailbox, clock } = this.#options;
    for (let messages = 0; ; ) {
      const batch = mailbox.take(owner, WINDOW, clock.wallTime());
      const taken = await this.#push(batch, member);
      mailbox.remove(taken);
      messages += taken.length;
      // What this session does not take now waits for the next that asks.
      if (batch.length === 0 || taken.length < batch.length) return messages;
    }
  }

  /** @returns the ids of those that were acknowledged */
  async #push(batch: readonly KeptMail[], member: Member): Promise<number[]> {
    const { session } = member;
    const pushed: Promise<boolean>[] = [];
    for (const { message, sentAt, wasPushed } of batch) {
      const isBusy = session.congested || !session.canOpen;
      if (isBusy && (await Promise.all(pushed)).includes(false)) break;
      const params = { ...message, sentAt, ...(wasPushed && { again: true }) };
      const outcome = deliver(member, params, this.#options.clock);
      pushed.push(
        outcome.then(
          () => true,
          () => false,
        ),
      );
    }
    const outcomes = await Promise.all(pushed);
    return batch.flatMap(({ id }, index) => (outcomes[index] === true ? id : []));
  }

  #isValid({ name, createdAt }: Owner): boolean {
    return this.#options.access.faultOfToken(name, createdAt) === undefined;
  }

  #noteDropped(token: string, messages: number, reason: "cleared" | "expired" | "revoked"): void {
    if (messages > 0) this.#options.events.emit({ event: "dropped", token, messages, reason });
  }

  /** What need not be kept any more fills no mailbox. */
  #keep(mail: NewMail): void {
    const { mailbox, clock } = this.#options;
    try {
      mailbox.keep(mail);
    } catch (thrown) {
      const isFull = thrown instanceof CommError && thrown.code === "MAILBOX_FULL";
      if (!isFull || clock.now() - this.#sweptAt < SWEEP_MS) throw thrown;
      this.sweep();
      mailbox.keep(mail);
    }
  }

  #rateOf(author: string): Bucket {
    let bucket = this.#rates.get(author);
    if (bucket === undefined) {
      bucket = new Bucket(KEPT_PER_SECOND, 2 * KEPT_PER_SECOND, this.#options.clock.now());
      this.#rates.set(author, bucket);
    }
    return bucket;
  }
}
