import { type SpawnOptions, type Subprocess, spawn } from "bun";
import { family, signal } from "./process-tree.ts";
import "./processes.ts"; // its signal handlers lead to the exit handler below

/** A program to start, with its arguments. */
export interface Command {
  readonly argv: readonly string[];
  readonly cwd?: string;
}

/** The search path for programs. */
export const PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin";

/** How long programs may take to end, with everything that they started. */
const END_MS = 2_000;
const LOOK_MS = 10;

/** Programs that may have started others; none may outlive the benchmark. */
const running = new Set<Subprocess>();

process.on("exit", () => {
  const endings = [...running].map((child) => new Ending(child.pid));
  const deadline = performance.now() + END_MS;
  while (endings.some((ending) => ending.underWay()) && performance.now() < deadline) Bun.sleepSync(LOOK_MS);
  for (const ending of endings) ending.force();
});

/**
 * Start a program that may start others, with `home` as the only place it knows, so that nobody's own settings
 * and keys matter.
 */
export function launch<Out extends SpawnOptions.Readable = "ignore", Err extends SpawnOptions.Readable = "ignore">(
  { argv, cwd }: Command,
  { home, ...streams }: { home: string; stdout: Out; stderr: Err },
): Subprocess<"ignore", Out, Err> {
  const env = { HOME: home, PATH, LC_ALL: "C" };
  const child = spawn<"ignore", Out, Err>([...argv], { cwd: cwd ?? home, env, stdin: "ignore", ...streams });
  running.add(child);
  void child.exited.then(() => running.delete(child));
  return child;
}

/** End a program and everything that it started, and wait until all of it is gone. */
export async function endFamily(child: Subprocess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const ending = new Ending(child.pid);
    const deadline = performance.now() + END_MS;
    while (ending.underWay() && performance.now() < deadline) await Bun.sleep(LOOK_MS);
    ending.force();
  }
  await child.exited;
}

/**
 * Ends a program and everything that it started. First it is asked to: a program that ends its own children also waits
 * for them, and leaves no zombies. Then all that is left is killed.
 */
class Ending {
  readonly #members: readonly number[];

  constructor(pid: number) {
    this.#members = family(pid);
    signal(pid, "SIGTERM");
  }

  underWay(): boolean {
    return this.#left().length > 0;
  }

  force(): void {
    for (const member of this.#left()) signal(member, "SIGKILL");
  }

  #left(): number[] {
    return this.#members.filter((member) => family(member).length > 0);
  }
}
