import { join } from "node:path";
import { type Finished, run } from "./processes.ts";

const LEDGER = join(import.meta.dir, "../../lib/server/ledger.ts");

/** The last words of a process that is to vanish as by a power cut. */
export const VANISH = `process.kill(process.pid, "SIGKILL"); await new Promise(() => {});`;

/** The command for a process that has the ledger in `file` open as `ledger` and runs `script`. */
export function ledgerCommand(file: string, script: string): string[] {
  // Global, because a ledger that nobody refers to is collected, and its lock goes with it.
  const open = `import { Ledger } from ${JSON.stringify(LEDGER)}; globalThis.ledger = Ledger.open(process.argv[1]);`;
  return [process.execPath, "-e", `${open} ${script}`, file];
}

/** Run such a process to its end. One that fails, other than by killing itself, fails the test. */
export async function inLedgerProcess(file: string, script: string): Promise<Finished> {
  const finished = await run(ledgerCommand(file, script));
  const expected = script.endsWith(VANISH) ? 128 + 9 : 0;
  if (finished.exitCode !== expected) throw new Error(`exit code ${finished.exitCode}: ${finished.stderr}`);
  return finished;
}
