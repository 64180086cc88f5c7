import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { until } from "../support/until.ts";

/** Memory of a server after a collection of all garbage. */
export interface Collected {
  /** Objects, and the buffers that they hold. */
  readonly heapMegabytes: number;
  readonly rssMegabytes: number;
}

/** The variable that names the file. */
export const COLLECTED_FILE = "COMMSERVER_SOAK_COLLECTED";

/** The environment of a server that collects when it is told to; `file` is where it writes. */
export function collectingEnv(file: string): Record<string, string> {
  return { BUN_OPTIONS: `--preload ${join(import.meta.dir, "collect.ts")}`, [COLLECTED_FILE]: file };
}

/** Let the server `pid`, which has collectingEnv(file), collect. */
export async function collect(pid: number, file: string): Promise<Collected> {
  rmSync(file, { force: true });
  process.kill(pid, "SIGUSR2");
  await until(() => existsSync(file));
  return JSON.parse(readFileSync(file, "utf8"));
}
