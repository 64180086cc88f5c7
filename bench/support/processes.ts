import { type SpawnOptions, type Subprocess, spawn } from "bun";
import { onCore } from "./cores.ts";

/** Running processes, so that none outlives the benchmark, however it ends. */
const running = new Set<Subprocess>();

process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130));

/** Start a program in an empty environment, on any core or on `core`. */
export function start<
  In extends SpawnOptions.Writable,
  Out extends SpawnOptions.Readable,
  Err extends SpawnOptions.Readable,
>(
  command: readonly string[],
  options: { cwd?: string; stdin: In; stdout: Out; stderr: Err; core?: number | undefined },
): Subprocess<In, Out, Err> {
  const { core, ...rest } = options;
  const placed = core === undefined ? [...command] : [...onCore(core), ...command];
  const child = spawn<In, Out, Err>(placed, { cwd: "/", env: {}, ...rest });
  running.add(child);
  void child.exited.then(() => running.delete(child));
  return child;
}

/** End a program now, and wait until it is gone. */
export async function stop(child: Subprocess): Promise<void> {
  child.kill("SIGKILL");
  await child.exited;
}
