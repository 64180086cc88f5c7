import { readFileSync } from "node:fs";
import { type Subprocess, spawn } from "bun";
import { binaries } from "./binaries.ts";
import { USER_ENV } from "./processes.ts";
import { until } from "./until.ts";

/** The flag of every server here: anyone may read. */
export const OPEN_FLAGS = ["--open"];

/** The command of a compiled server that prints its events; `args` may give it a fixed port. */
export async function serverCommand(stateDir: string, repository: string, ...args: string[]): Promise<string[]> {
  const { server } = await binaries();
  return [server, "--port", "0", "--json", "--state-dir", stateDir, "-r", repository, ...OPEN_FLAGS, ...args];
}

/** The command of a compiled client. */
export async function clientCommand(address: string, command: string, ...args: string[]): Promise<string[]> {
  const { client } = await binaries();
  return [client, command, ...args, "-s", address, "--accept-new"];
}

/** A program in an empty environment, which takes lines and signals, and whose output lines are kept. */
export class Program implements AsyncDisposable {
  readonly lines: string[] = [];
  readonly #child: Subprocess<"pipe", "pipe", "pipe">;
  readonly #output: Promise<unknown>;
  readonly #errors: Promise<string>;
  #heard = 0;
  #isSilent = false;

  constructor(command: string[], options: { cwd?: string; env?: Record<string, string> } = {}) {
    const { cwd = "/", env = USER_ENV } = options;
    this.#child = spawn(command, { cwd, env, stdin: "pipe", stdout: "pipe", stderr: "pipe" });
    this.#output = this.#listen();
    this.#errors = new Response(this.#child.stderr).text();
  }

  get isOver(): boolean {
    return this.#isSilent;
  }

  /** The lines as JSON. */
  get events(): Record<string, any>[] {
    return this.lines.map((line) => JSON.parse(line));
  }

  say(line: string): void {
    this.#child.stdin.write(`${line}\n`);
    this.#child.stdin.flush();
  }

  endInput(): void {
    this.#child.stdin.end();
  }

  /** The next matching line; lines before it are skipped. */
  hear(fits: (line: string) => boolean): Promise<string> {
    return until(async () => {
      const at = this.lines.findIndex((line, index) => index >= this.#heard && fits(line));
      if (at === -1 && this.#isSilent) {
        throw new Error(`it ended; its lines: ${this.lines.join("\n")} ${await this.#errors}`);
      }
      if (at === -1) return undefined;
      this.#heard = at + 1;
      return this.lines[at];
    });
  }

  /** The next event of that kind with these members, of a program whose lines are events. */
  async event(kind: string, members: Record<string, unknown> = {}): Promise<Record<string, any>> {
    const line = await this.hear((line) => {
      const event = JSON.parse(line);
      return event.event === kind && Object.entries(members).every(([key, value]) => event[key] === value);
    });
    return JSON.parse(line);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Stop it: it does nothing until it gets SIGCONT. @returns false when it had ended before */
  async stop(): Promise<boolean> {
    this.signal("SIGSTOP");
    return until(() => (this.#isSilent ? "over" : isStopped(this.#child.pid))).then((state) => state === true);
  }

  /** Wait for its end. */
  async ended(): Promise<{ exitCode: number; stderr: string }> {
    const [exitCode, stderr] = await Promise.all([this.#child.exited, this.#errors, this.#output]);
    return { exitCode, stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.ended();
  }

  async #listen(): Promise<void> {
    let rest = "";
    for await (const piece of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + piece).split("\n");
      rest = lines.pop() ?? "";
      this.lines.push(...lines);
    }
    this.#isSilent = true;
  }
}

/** Whether SIGSTOP has reached all threads of the process. */
export function isStopped(pid: number): boolean {
  try {
    return /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
