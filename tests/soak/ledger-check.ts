import { Database } from "bun:sqlite";
import { copyFileSync, existsSync, rmSync } from "node:fs";
import { join } from "node:path";

export interface LedgerState {
  readonly total: number;
  readonly live: readonly string[];
  /** Why sessions ended, with how many there are. */
  readonly reasons: Readonly<Record<string, number>>;
}

/** Read a copy of the ledger: the server that runs has it for itself. Nothing may write to it meanwhile. */
export function readLedger(stateDir: string): LedgerState {
  const copy = join(stateDir, "copy-of-ledger.sqlite");
  for (const suffix of ["", "-wal"]) {
    rmSync(copy + suffix, { force: true });
    const file = join(stateDir, `ledger.sqlite${suffix}`);
    if (existsSync(file)) copyFileSync(file, copy + suffix);
  }
  const database = new Database(copy, { strict: true });
  try {
    const rows = database.query<{ reason: string | null; count: number }, []>(
      "SELECT reason, count(*) AS count FROM sessions GROUP BY reason",
    );
    const reasons = Object.fromEntries(rows.all().map(({ reason, count }) => [reason ?? "none", count]));
    const live = database.query<{ id: number; address: string }, []>(
      "SELECT id, address FROM sessions WHERE endedAt IS NULL OR reason IS NULL",
    );
    const total = Object.values(reasons).reduce((sum, count) => sum + count, 0);
    return { total, live: live.all().map(({ id, address }) => `${id} from ${address}`), reasons };
  } finally {
    database.close();
    for (const suffix of ["", "-wal", "-shm"]) rmSync(copy + suffix, { force: true });
  }
}
