import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { until } from "../../tests/support/until.ts";
import type { Context } from "../measurements/measurement.ts";
import { start, stop } from "./processes.ts";

/**
 * The compiled server on a free port of 127.0.0.1. Its events go to a file: read through a pipe they would
 * cost the machine time beside what is measured.
 */
export class BenchServer implements AsyncDisposable {
  readonly #process: Subprocess;
  readonly port: number;

  private constructor(child: Subprocess, port: number) {
    this.#process = child;
    this.port = port;
  }

  /** @throws Error when it does not come to listen */
  static async start(
    { folder, programs }: Context,
    options: { repository: string; maxClients: number; core?: number | undefined },
  ): Promise<BenchServer> {
    const stateDir = join(folder, `state-${crypto.randomUUID().slice(0, 8)}`);
    mkdirSync(stateDir);
    const log = join(stateDir, "events");
    const output = openSync(log, "w");
    const child = start(
      [
        programs.server,
        ...["--host", "127.0.0.1", "--port", "0", "--json", "--state-dir", stateDir],
        ...["--repository", options.repository, "--max-clients", String(options.maxClients)],
      ],
      { core: options.core, cwd: stateDir, stdin: "ignore", stdout: output, stderr: "inherit" },
    );
    closeSync(output);
    const line = await until(async () => {
      if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode} before it listened`);
      const [first, rest] = (await Bun.file(log).text()).split("\n", 2);
      return rest === undefined ? undefined : first;
    });
    return new BenchServer(child, JSON.parse(line).port);
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.#process.pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await stop(this.#process);
  }
}
