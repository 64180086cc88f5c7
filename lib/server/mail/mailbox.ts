import type { Database, SQLQueryBindings, Statement } from "bun:sqlite";
import { CommError } from "../../errors.ts";
import type { MessageParams } from "../../protocol/methods.ts";
import { quote } from "../../quote.ts";
import { databaseError, openDatabase } from "../state-database.ts";
import { FORM, SQL } from "./mailbox-form.ts";

/** What a message takes beside its text, in bytes of UTF-8. */
const MESSAGE_BYTES = 256;

/** The largest file, in parts of the bytes of all messages, and what an empty one has. The log beside it is bounded, too. */
const FILE_BYTES = 1.5;
const EMPTY_FILE_BYTES = 65_536;

/** The parts of one mailbox, and of the room of all, that the messages of one author may take. */
export const AUTHOR_MESSAGES = 1 / 2;
export const AUTHOR_BYTES = 1 / 4;

export interface MailboxLimits {
  /** For one name. */
  readonly messages: number;
  /** Of all messages, as `bytesOf()` counts them. */
  readonly bytes: number;
  /** How long a message is kept, in milliseconds. */
  readonly ms: number;
}

/** The token that a message is for. Another token of the same name, made at another time, never gets it. */
export interface Owner {
  readonly name: string;
  readonly createdAt: number;
}

export interface NewMail {
  readonly owner: Owner;
  /** The token of who wrote it; "": an operator, who may fill a mailbox. */
  readonly author: string;
  readonly message: MessageParams;
  /** Milliseconds since 1970. */
  readonly sentAt: number;
  /** True when it was pushed to a session of its owner, without an acknowledgement. */
  readonly isPushed: boolean;
}

export interface KeptMail {
  readonly id: number;
  readonly message: MessageParams;
  readonly sentAt: number;
  /** True when it was pushed before: its owner may have seen it. */
  readonly wasPushed: boolean;
}

/** The messages that are kept for one token. */
export interface MailCount {
  readonly owner: Owner;
  readonly messages: number;
  readonly bytes: number;
  readonly oldestAt: number;
}

type Prepared = { readonly [Name in keyof typeof SQL]: Statement<Record<string, unknown>, SQLQueryBindings[]> };

/**
 * Messages for tokens whose holders are not here, in SQLite: bounded in number, bytes and time. What a call has done
 * when it returns outlasts `kill -9` and a power failure.
 */
export class Mailbox {
  readonly #database: Database;
  readonly #sql: Prepared;
  readonly limits: MailboxLimits;
  #messages: number;
  #bytes: number;

  private constructor(database: Database, limits: MailboxLimits) {
    this.#database = database;
    this.limits = limits;
    const prepared = Object.entries(SQL).map(([name, sql]) => [name, database.prepare(sql)]);
    this.#sql = Object.fromEntries(prepared) as Prepared;
    const total = this.#sql.total.get() as { messages: number; bytes: number };
    this.#messages = total.messages;
    this.#bytes = total.bytes;
  }

  /** Open or create it in `file`. @throws StorageError as openDatabase() */
  static open(file: string, limits: MailboxLimits): Mailbox {
    const database = openDatabase(file, FORM);
    try {
      return new Mailbox(database, limits);
    } catch (cause) {
      database.close();
      throw databaseError(cause, FORM.what, file);
    }
  }

  /** Of all owners. */
  get total(): { readonly messages: number; readonly bytes: number } {
    return { messages: this.#messages, bytes: this.#bytes };
  }

  /** The number of messages that are kept for a name. */
  countOf(name: string): number {
    return (this.#sql.owned.get(name) as { messages: number }).messages;
  }

  /** Keep a message. @throws CommError MAILBOX_FULL; StorageError DISK_FULL, DISK_FAILED */
  keep({ owner, author, message, sentAt, isPushed }: NewMail): void {
    const bytes = bytesOf(message);
    this.#write(() => {
      this.#requireRoom(owner.name, author, bytes);
      this.#sql.insert.run({
        owner: owner.name,
        ownerMadeAt: owner.createdAt,
        author,
        message: JSON.stringify(message),
        sentAt,
        bytes,
        isPushed: isPushed ? 1 : 0,
      });
    });
    this.#messages++;
    this.#bytes += bytes;
  }

  /**
   * The oldest messages of `owner`, at most `limit`, which count as pushed from now on.
   *
   * @throws StorageError DISK_FULL, DISK_FAILED
   */
  take(owner: Owner, limit: number, now: number): KeptMail[] {
    return this.#write(() => {
      const rows = this.#sql.next.all(owner.name, owner.createdAt, now - this.limits.ms, limit) as {
        id: number;
        message: string;
        sentAt: number;
        isPushed: number;
      }[];
      for (const { id, isPushed } of rows) if (isPushed === 0) this.#sql.push.run(id);
      return rows.map(({ id, message, sentAt, isPushed }) => ({
        id,
        message: JSON.parse(message) as MessageParams,
        sentAt,
        wasPushed: isPushed === 1,
      }));
    });
  }

  /** Their owner has acknowledged them. @throws StorageError DISK_FULL, DISK_FAILED */
  remove(ids: readonly number[]): void {
    this.#delete(() => ids.flatMap((id) => this.#sql.remove.all(id)));
  }

  /** Remove what is kept for a name. @returns how many messages @throws StorageError DISK_FULL, DISK_FAILED */
  clear(name: string): number {
    return this.#delete(() => this.#sql.clear.all(name)).length;
  }

  /** As clear(), for one token of that name. */
  disown(owner: Owner): number {
    return this.#delete(() => this.#sql.disown.all(owner.name, owner.createdAt)).length;
  }

  /** Remove what is older than the limit. @returns how many messages, by name @throws StorageError as clear() */
  expire(now: number): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { owner } of this.#delete(() => this.#sql.expire.all(now - this.limits.ms))) {
      counts.set(String(owner), (counts.get(String(owner)) ?? 0) + 1);
    }
    return counts;
  }

  /** What is kept, by token. */
  counts(): MailCount[] {
    const rows = this.#sql.owners.all() as unknown as (Omit<MailCount, "owner"> & {
      owner: string;
      ownerMadeAt: number;
    })[];
    return rows.map(({ owner, ownerMadeAt, messages, bytes, oldestAt }) => ({
      owner: { name: owner, createdAt: ownerMadeAt },
      messages,
      bytes,
      oldestAt,
    }));
  }

  /** Close it and free its lock. */
  close(): void {
    // An open statement would keep the file open and locked.
    for (const statement of Object.values(this.#sql)) statement.finalize();
    this.#database.close();
  }

  /** @throws CommError MAILBOX_FULL */
  #requireRoom(name: string, author: string, bytes: number): void {
    const { limits } = this;
    if (this.countOf(name) >= limits.messages) {
      throw full(`The mailbox of ${quote(name)} is full: ${limits.messages} messages wait there.`);
    }
    const mayGrow = this.#usedBytes + bytes <= FILE_BYTES * limits.bytes + EMPTY_FILE_BYTES;
    if (this.#bytes + bytes > limits.bytes || !mayGrow) throw full("All mailboxes of the server together are full.");
    if (author === "") return;
    const authored = this.#sql.authored.all(author) as { owner: string; messages: number; bytes: number }[];
    const share = Math.ceil(limits.messages * AUTHOR_MESSAGES);
    if ((authored.find(({ owner }) => owner === name)?.messages ?? 0) >= share) {
      throw full(`${share} of your messages wait for ${quote(name)}, which is all that one sender may leave.`);
    }
    if (authored.reduce((sum, row) => sum + row.bytes, bytes) > limits.bytes * AUTHOR_BYTES) {
      throw full("Your messages that wait here take all the room that one sender may use.");
    }
  }

  /** What is in use of the file: short messages with long names take more of it than they count for. */
  get #usedBytes(): number {
    const { pages, free, pageBytes } = this.#sql.pages.get() as Record<"pages" | "free" | "pageBytes", number>;
    return (pages - free) * pageBytes;
  }

  #delete(remove: () => Record<string, unknown>[]): Record<string, unknown>[] {
    const removed = this.#write(remove);
    this.#messages -= removed.length;
    for (const { bytes } of removed) this.#bytes -= Number(bytes);
    return removed;
  }

  /** All of it is on the disk, or none. */
  #write<T>(change: () => T): T {
    try {
      return this.#database.transaction(change)();
    } catch (cause) {
      throw cause instanceof CommError ? cause : databaseError(cause, FORM.what);
    }
  }
}

/** The bytes for which a message counts: it is kept as JSON, in which some characters take six. */
export function bytesOf({ text }: MessageParams): number {
  return MESSAGE_BYTES + Buffer.byteLength(JSON.stringify(text)) - '""'.length;
}

function full(message: string): CommError {
  return new CommError("MAILBOX_FULL", message);
}
