import type { Database, Statement } from "bun:sqlite";
import type { SessionRow } from "../protocol/methods.ts";
import { sessionName } from "./session-name.ts";
import { type DatabaseForm, databaseError, openDatabase } from "./state-database.ts";

/** The reasons for a session's end in the ledger. */
export type EndReason =
  | "exit"
  | "lost"
  | "kicked"
  | "timeout"
  | "idle"
  | "revoked"
  | "shutdown"
  | "protocol error"
  | "crash";

export interface Counters {
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly messagesIn: number;
  readonly messagesOut: number;
}

type Row = Omit<SessionRow, "name">;

const FORM: DatabaseForm = {
  what: "ledger",
  version: 1,
  synchronous: "NORMAL",
  schema: `
    CREATE TABLE IF NOT EXISTS sessions (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      address TEXT NOT NULL,
      startedAt INTEGER NOT NULL,
      seenAt INTEGER NOT NULL,
      endedAt INTEGER,
      reason TEXT,
      bytesIn INTEGER NOT NULL DEFAULT 0,
      bytesOut INTEGER NOT NULL DEFAULT 0,
      messagesIn INTEGER NOT NULL DEFAULT 0,
      messagesOut INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX IF NOT EXISTS live ON sessions (id) WHERE endedAt IS NULL;
  `,
};

/**
 * The durable record of sessions, in SQLite. An id is never reused, even across restarts (AUTOINCREMENT), and the name
 * is made from it. A session survives `kill -9`; the very last ones may be missing after a power failure, the price of
 * not waiting for the disk at each admission.
 */
export class Ledger {
  readonly #database: Database;
  readonly #insert: Statement<{ id: number }, [string, number, number]>;
  readonly #note: Statement<unknown, [number, number, number, number, number, number]>;
  readonly #end: Statement<unknown, [number, number, string, number, number, number, number, number]>;
  readonly #page: Statement<Row & { seenAt: number }, [number, number]>;
  readonly #closeCrashed: Statement<unknown, [number, number]>;
  /** The lowest and the highest id. */
  #ids: { readonly first: number; last: number } | undefined;
  /** Sessions up to this id that have no end were ended by a crash; 0 when there are none. */
  #crashedUpTo = 0;

  private constructor(database: Database) {
    this.#database = database;
    const { first, last } = idsIn(database);
    if (first !== null && last !== null) {
      this.#ids = { first, last };
      this.#crashedUpTo = last;
    }
    this.#insert = database.prepare("INSERT INTO sessions (address, startedAt, seenAt) VALUES (?, ?, ?) RETURNING id");
    // If the clock was set back, no session may end before it began.
    this.#note = database.prepare(
      `UPDATE sessions SET seenAt = max(startedAt, ?), bytesIn = ?, bytesOut = ?, messagesIn = ?, messagesOut = ?
       WHERE id = ? AND endedAt IS NULL`,
    );
    this.#end = database.prepare(
      `UPDATE sessions SET seenAt = max(startedAt, ?), endedAt = max(startedAt, ?), reason = ?,
       bytesIn = ?, bytesOut = ?, messagesIn = ?, messagesOut = ? WHERE id = ?`,
    );
    this.#page = database.prepare(
      `SELECT id, address, startedAt, seenAt, endedAt, reason, bytesIn, bytesOut, messagesIn, messagesOut
       FROM sessions WHERE id < ? ORDER BY id DESC LIMIT ?`,
    );
    this.#closeCrashed = database.prepare(
      `UPDATE sessions SET endedAt = seenAt, reason = 'crash' WHERE id IN
       (SELECT id FROM sessions WHERE endedAt IS NULL AND id <= ? LIMIT ?)`,
    );
  }

  /**
   * Open or create the ledger in `file` and lock it for this process. Rows that a crash left open are reported as closed
   * by "crash", at the time they were last seen; closeCrashed() records that. ":memory:" is SQLite's name for a database in memory, not a file.
   *
   * @throws StorageError as openDatabase()
   */
  static open(file: string): Ledger {
    const database = openDatabase(file, FORM);
    try {
      return new Ledger(database);
    } catch (cause) {
      database.close();
      throw databaseError(cause, FORM.what, file);
    }
  }

  /** Begin a session; returns its id and name. @throws StorageError DISK_FULL, DISK_FAILED */
  begin(address: string, now: number): { id: number; name: string } {
    try {
      const { id } = this.#insert.get(address, now, now) as { id: number };
      if (this.#ids === undefined) this.#ids = { first: id, last: id };
      else this.#ids.last = id;
      return { id, name: sessionName(id) };
    } catch (cause) {
      throw databaseError(cause, FORM.what);
    }
  }

  /**
   * Close up to `limit` of the sessions that a crash left open.
   *
   * @returns false when none are left
   * @throws StorageError DISK_FULL, DISK_FAILED
   */
  closeCrashed(limit: number): boolean {
    if (this.#crashedUpTo === 0) return false;
    try {
      if (this.#closeCrashed.run(this.#crashedUpTo, limit).changes > 0) return true;
      this.#crashedUpTo = 0;
      return false;
    } catch (cause) {
      throw databaseError(cause, FORM.what);
    }
  }

  /**
   * Note what live sessions have done so far; ended ones stay as they are.
   *
   * @throws StorageError DISK_FULL, DISK_FAILED
   */
  checkpoint(sessions: Iterable<Counters & { readonly id: number }>, now: number): void {
    try {
      this.#database.transaction(() => {
        for (const { id, bytesIn, bytesOut, messagesIn, messagesOut } of sessions) {
          this.#note.run(now, bytesIn, bytesOut, messagesIn, messagesOut, id);
        }
      })();
    } catch (cause) {
      throw databaseError(cause, FORM.what);
    }
  }

  /** @throws StorageError DISK_FULL, DISK_FAILED */
  end(id: number, counters: Counters, now: number, reason: EndReason): void {
    try {
      const { bytesIn, bytesOut, messagesIn, messagesOut } = counters;
      this.#end.run(now, now, reason, bytesIn, bytesOut, messagesIn, messagesOut, id);
    } catch (cause) {
      throw databaseError(cause, FORM.what);
    }
  }

  /** Up to `limit` sessions with an id below `before`, newest first. */
  page(before: number, limit: number): SessionRow[] {
    return this.#page.all(before, limit).map(({ seenAt, ...row }) => {
      const name = sessionName(row.id);
      const isCrashed = row.endedAt === null && row.id <= this.#crashedUpTo;
      return isCrashed ? { ...row, name, endedAt: seenAt, reason: "crash" } : { ...row, name };
    });
  }

  /** The number of sessions, without counting rows: ids have no gaps, and no session is ever deleted. */
  total(): number {
    return this.#ids === undefined ? 0 : this.#ids.last - this.#ids.first + 1;
  }

  /** Close it and free its lock. */
  close(): void {
    // An open statement would keep the file open and locked.
    for (const statement of [this.#insert, this.#note, this.#end, this.#page, this.#closeCrashed]) statement.finalize();
    this.#database.close();
  }
}

/** The lowest and the highest id; null when there is no session. */
function idsIn(database: Database): { first: number | null; last: number | null } {
  // Separately, each reads one end of the table; in one query they would scan it.
  const statement = database.prepare<{ first: number | null; last: number | null }, []>(
    "SELECT (SELECT min(id) FROM sessions) AS first, (SELECT max(id) FROM sessions) AS last",
  );
  try {
    return statement.get() ?? { first: null, last: null };
  } finally {
    statement.finalize();
  }
}
