import { Database } from "bun:sqlite";
import { StorageError } from "../errors.ts";
import { quote } from "../quote.ts";
import { newerState } from "../state/newer-state.ts";
import { closeToOthers } from "../state/private-file.ts";

/** The form of a database of the state folder. */
export interface DatabaseForm {
  /** What it is, in messages: "ledger". */
  readonly what: string;
  /** The version of the format. */
  readonly version: number;
  /** Statements that make what is missing. */
  readonly schema: string;
  /** "FULL": a commit is on the disk for good. "NORMAL": a power failure may take the last ones back. */
  readonly synchronous: "FULL" | "NORMAL";
}

/** What the log beside a database keeps of the disk when its content is in the database. */
const MAX_LOG_BYTES = 4 * 1024 * 1024;

/** SQLite's name for a database that exists only in memory. */
const MEMORY = ":memory:";

/**
 * Open or create a database in `file`, or in memory as ":memory:", and lock it for this process; the system frees the
 * lock however the process ends.
 *
 * @throws StorageError STATE_IN_USE when another process has it; NEWER_STATE; DISK_DENIED, DISK_FULL, DISK_FAILED
 */
export function openDatabase(file: string, form: DatabaseForm): Database {
  // It is about clients. The files that SQLite makes beside it get the permissions of this file.
  if (file !== MEMORY) closeToOthers(file);
  let database: Database | undefined;
  try {
    database = new Database(file, { create: true, strict: true });
    database.run("PRAGMA locking_mode = EXCLUSIVE");
    requireKnownSchema(database, file, form.version);
    database.run("PRAGMA journal_mode = WAL");
    database.run(`PRAGMA journal_size_limit = ${MAX_LOG_BYTES}`);
    database.run(`PRAGMA synchronous = ${form.synchronous}`);
    database.run(`PRAGMA user_version = ${form.version}; ${form.schema}`);
    return database;
  } catch (cause) {
    database?.close();
    throw databaseError(cause, form.what, file);
  }
}

/**
 * The form number of a newer program's database says that older programs must not write to it.
 *
 * @throws StorageError NEWER_STATE
 */
function requireKnownSchema(database: Database, file: string, version: number): void {
  const statement = database.prepare<{ user_version: number }, []>("PRAGMA user_version");
  try {
    if ((statement.get()?.user_version ?? 0) > version) throw newerState(file);
  } finally {
    statement.finalize();
  }
}

/** The error of a database for an error of SQLite. `what`: as DatabaseForm; `file`: its name in the message. */
export function databaseError(cause: unknown, what: string, file = what): StorageError {
  if (cause instanceof StorageError) return cause;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  if (code.startsWith("SQLITE_BUSY") || code.startsWith("SQLITE_LOCKED")) {
    return new StorageError("STATE_IN_USE", `Another server uses the ${what} ${quote(file)}.`, { cause });
  }
  if (code.startsWith("SQLITE_FULL")) return new StorageError("DISK_FULL", `No room left for the ${what}.`, { cause });
  // IOERR_LOCK: a file that may not be written can't be locked.
  if (/^SQLITE_(CANTOPEN|READONLY|IOERR_LOCK)/.test(code)) {
    return new StorageError("DISK_DENIED", `No permission to write the ${what} ${quote(file)}.`, { cause });
  }
  if (code.startsWith("SQLITE_NOTADB") || code.startsWith("SQLITE_CORRUPT")) {
    return new StorageError("DISK_FAILED", `The ${what} ${quote(file)} is damaged: move it away.`, { cause });
  }
  const why = cause instanceof Error ? cause.message : String(cause);
  return new StorageError("DISK_FAILED", `The ${what} can't be written: ${why}.`, { cause });
}
