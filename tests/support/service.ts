import { readFileSync } from "node:fs";
import { type Subprocess, spawn } from "bun";
import { binaries } from "./binaries.ts";
import { USER_ENV } from "./processes.ts";
import { until } from "./until.ts";

/** A compiled server as a service manager starts it: without a terminal, with its log in a file. */
export class Service implements AsyncDisposable {
  readonly #child: Subprocess<"ignore", "ignore", "ignore">;
  readonly #log: string;

  private constructor(child: Subprocess<"ignore", "ignore", "ignore">, log: string) {
    this.#child = child;
    this.#log = log;
  }

  /** `log`: the file of its log. Resolves when it listens. */
  static async start(args: string[], log: string, env: Record<string, string> = {}): Promise<Service> {
    const { server } = await binaries();
    const child = spawn([server, "--port", "0", "--host", "127.0.0.1", "--log-file", log, ...args], {
      cwd: "/",
      env: { ...USER_ENV, ...env },
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore",
      detached: true, // a session of its own, which has no terminal
    });
    const service = new Service(child, log);
    await service.logs("listening");
    return service;
  }

  get pid(): number {
    return this.#child.pid;
  }

  get port(): number {
    const { address } = this.records().find(({ event }) => event === "listening") as { address: string };
    return Number(address.split(":").at(-1));
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** The records of the log, in that file or another. */
  records(file = this.#log): Record<string, any>[] {
    try {
      const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
      return lines.map((line) => JSON.parse(line));
    } catch {
      return [];
    }
  }

  /** Wait for that number of records of an event in the file of the log. @returns the last of them */
  logs(event: string, count = 1): Promise<Record<string, any>> {
    return until(() => {
      const found = this.records().filter((record) => record["event"] === event);
      return found.length < count ? undefined : found.at(-1);
    });
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  get exited(): Promise<number> {
    return this.#child.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }
}
