import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Subprocess, spawn } from "bun";
import { binaries, cachedBuild } from "./binaries.ts";
import { TempFolder } from "./temp-folder.ts";
import { homeOfThisRun } from "./user-home.ts";

/** An environment with nothing but the home of one user, whose servers and clients find each other. */
export const USER_ENV: Readonly<Record<string, string>> = {
  XDG_STATE_HOME: homeOfThisRun(),
};

const TICKS_A_SECOND = 100;

export interface Finished {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A compiled server in an empty environment, with a state folder of its own. */
export class ServerProcess implements AsyncDisposable {
  readonly #process: Subprocess<"ignore", "pipe", "pipe">;
  readonly #state: TempFolder;
  readonly #lines: AsyncGenerator<string>;
  /** Every event so far, `listening` first. */
  readonly events: Record<string, any>[] = [];
  readonly stateDir: string;
  stderr = "";

  private constructor(process: Subprocess<"ignore", "pipe", "pipe">, state: TempFolder, stateDir: string) {
    this.#process = process;
    this.#state = state;
    this.stateDir = stateDir;
    this.#lines = linesOf(process.stdout);
    void new Response(process.stderr).text().then((text) => {
      this.stderr = text;
    });
  }

  /**
   * Start it on a free port with `--json`, and wait until it listens. `stateDir`: an old one to take over, or an empty
   * one for a first start; without it the server finds an identity, and nothing else. `openFiles`: a limit of open files;
   * `program`: another command than the server's own.
   */
  static async start(
    args: string[],
    options: {
      stateDir?: string;
      cwd?: string;
      env?: Record<string, string>;
      openFiles?: number;
      program?: string[];
    } = {},
  ): Promise<ServerProcess> {
    const program = options.program ?? [(await binaries()).server];
    const state = new TempFolder();
    const stateDir = options.stateDir ?? state.path;
    if (options.stateDir === undefined) copyFileSync(await preparedIdentity(), state.join("identity.pem"));
    const command = [...program, "--port", "0", "--json", "--state-dir", stateDir, ...args];
    const child = spawn(withOpenFiles(options.openFiles, command), {
      cwd: options.cwd ?? state.path,
      env: options.env ?? USER_ENV,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    const running = new ServerProcess(child, state, stateDir);
    await running.event("listening");
    return running;
  }

  get port(): number {
    return this.events[0]?.["port"] as number;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** The next event of this kind with all of `members`; events before it are kept in `events`. */
  async event(kind: string, members: Record<string, unknown> = {}): Promise<Record<string, any>> {
    for (;;) {
      const step = await this.#lines.next();
      if (step.done) throw new Error(`the server ended without ${kind}: ${await this.#process.exited} ${this.stderr}`);
      const event = JSON.parse(step.value);
      this.events.push(event);
      if (event.event === kind && Object.entries(members).every(([key, value]) => event[key] === value)) return event;
    }
  }

  signal(name: NodeJS.Signals): void {
    this.#process.kill(name);
  }

  async exited(): Promise<number> {
    for await (const line of this.#lines) this.events.push(JSON.parse(line));
    return this.#process.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.exited;
    this.#state[Symbol.dispose]();
  }
}

let identity: Promise<string> | undefined;

/** The file of an identity: to make one takes a fourth of a server's start. */
function preparedIdentity(): Promise<string> {
  identity ??= cachedBuild("identity", async (into) => {
    // Loaded only where it is needed: that takes as long as making one.
    const { openIdentity } = await import("../../lib/daemon/identity.ts");
    await openIdentity(join(into, "identity.pem"));
  }).then((folder) => join(folder, "identity.pem"));
  return identity;
}

/** Processor time of a process so far, in seconds (Linux). */
export function processorSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}

/** The command, with a limit of open files. */
function withOpenFiles(openFiles: number | undefined, command: string[]): string[] {
  return openFiles === undefined ? command : ["sh", "-c", `ulimit -n ${openFiles} && exec "$@"`, "sh", ...command];
}

/** Run a compiled client to its end, in an empty environment. */
export async function runClient(
  args: string[],
  options: { cwd?: string; stdin?: string; env?: Record<string, string>; openFiles?: number } = {},
): Promise<Finished> {
  const { client } = await binaries();
  return run(withOpenFiles(options.openFiles, [client, ...args]), options);
}

export async function run(
  command: string[],
  options: { cwd?: string; stdin?: string; env?: Record<string, string> } = {},
): Promise<Finished> {
  const child = spawn(command, {
    cwd: options.cwd ?? "/",
    env: options.env ?? USER_ENV,
    stdin: options.stdin === undefined ? "ignore" : new Blob([options.stdin]),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { exitCode, stdout, stderr };
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const piece of stream) {
    rest += decoder.decode(piece, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}
