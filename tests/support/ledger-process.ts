import { join } from "node:path";
import { type Finished, run } from "./processes.ts";

const LEDGER = join(import.meta.dir, "../../lib/server/ledger.ts");

/** The last statements of a process that must vanish as after a power failure. */
export const VANISH = `process.kill(process.pid, "SIGKILL"); await new Promise(() => {});`;

/** The command for a process that has the ledger in `file` open as `ledger` and runs `script`. */
export function ledgerCommand(file: string, script: string): string[] {
  // Global, because an unreferenced ledger is collected, and its lock is freed with it.
  const open = `import { Ledger } from ${JSON.stringify(LEDGER)}; globalThis.ledger = Ledger.open(process.argv[1]);`;
  return [process.execPath, "-e", `${open} ${script}`, file];
}

/** Run such a process to its end. If it fails, other than by killing itself, the test fails. */
export async function inLedgerProcess(file: string, script: string): Promise<Finished> {
  const finished = await run(ledgerCommand(file, script));
  const expected = script.endsWith(VANISH) ? 128 + 9 : 0;
  if (finished.exitCode !== expected) throw new Error(`exit code ${finished.exitCode}: ${finished.stderr}`);
  return finished;
}
