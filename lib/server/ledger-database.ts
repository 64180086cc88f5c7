import { Database } from "bun:sqlite";
import { StorageError } from "../errors.ts";
import { quote } from "../quote.ts";
import { newerState } from "../state/newer-state.ts";
import { closeToOthers } from "../state/private-file.ts";

/** The version of the database format. */
const SCHEMA_FORM = 1;

const SCHEMA = `
  PRAGMA user_version = ${SCHEMA_FORM};
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
`;

/** SQLite's name for a database that exists only in memory. */
const MEMORY = ":memory:";

/**
 * Open or create the database of a ledger in `file`, or in memory as ":memory:", and lock it for this process.
 *
 * @throws StorageError as Ledger.open()
 */
export function openLedgerDatabase(file: string): Database {
  // It holds clients' addresses. The files that SQLite makes beside it get the permissions of this file.
  if (file !== MEMORY) closeToOthers(file);
  let database: Database | undefined;
  try {
    database = new Database(file, { create: true, strict: true });
    database.run("PRAGMA locking_mode = EXCLUSIVE");
    requireKnownSchema(database, file);
    database.run("PRAGMA journal_mode = WAL");
    database.run("PRAGMA synchronous = NORMAL");
    database.run(SCHEMA);
    return database;
  } catch (cause) {
    database?.close();
    throw ledgerError(cause, file);
  }
}

/**
 * The form number of a newer program's ledger says that older programs must not write to it.
 *
 * @throws StorageError NEWER_STATE
 */
function requireKnownSchema(database: Database, file: string): void {
  const statement = database.prepare<{ user_version: number }, []>("PRAGMA user_version");
  try {
    if ((statement.get()?.user_version ?? 0) > SCHEMA_FORM) throw newerState(file);
  } finally {
    statement.finalize();
  }
}

/** The ledger's error for an error of SQLite. `file`: its name in the message. */
export function ledgerError(cause: unknown, file: string): StorageError {
  if (cause instanceof StorageError) return cause;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  if (code.startsWith("SQLITE_BUSY") || code.startsWith("SQLITE_LOCKED")) {
    return new StorageError("STATE_IN_USE", `Another server uses the ledger ${quote(file)}.`, { cause });
  }
  if (code.startsWith("SQLITE_FULL")) return new StorageError("DISK_FULL", "No room left for the ledger.", { cause });
  // IOERR_LOCK: a file that may not be written can't be locked.
  if (/^SQLITE_(CANTOPEN|READONLY|IOERR_LOCK)/.test(code)) {
    return new StorageError("DISK_DENIED", `No permission to write the ledger ${quote(file)}.`, { cause });
  }
  if (code.startsWith("SQLITE_NOTADB") || code.startsWith("SQLITE_CORRUPT")) {
    return new StorageError("DISK_FAILED", `The ledger ${quote(file)} is damaged: move it away.`, { cause });
  }
  const why = cause instanceof Error ? cause.message : String(cause);
  return new StorageError("DISK_FAILED", `The ledger can't be written: ${why}.`, { cause });
}
