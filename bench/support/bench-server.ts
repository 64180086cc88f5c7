import { closeSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { until } from "../../tests/support/until.ts";
import type { Context } from "../measurements/measurement.ts";
import { start, stop } from "./processes.ts";

/**
 * The compiled server on a free port of 127.0.0.1: open and without encryption for probes, or with its defaults. Its
 * events go to a file: reading them through a pipe would cost processor time during the measurement.
 */
export class BenchServer implements AsyncDisposable {
  readonly #process: Subprocess;
  readonly port: number;
  /** A file with an invite of the server. */
  readonly inviteFile: string;

  private constructor(child: Subprocess, port: number, inviteFile: string) {
    this.#process = child;
    this.port = port;
    this.inviteFile = inviteFile;
  }

  /** @throws Error when it fails to listen */
  static async start(
    { folder, programs }: Context,
    options: { repository: string; maxClients: number; core?: number | undefined; isSecure?: boolean },
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
        ...["--max-per-address", String(options.maxClients), "--max-messages", "1000000"],
        ...(options.isSecure ? [] : ["--plaintext", "--open"]),
      ],
      { core: options.core, cwd: stateDir, stdin: "ignore", stdout: output, stderr: "inherit" },
    );
    closeSync(output);
    const line = await until(async () => {
      if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode} before it listened`);
      const [first, rest] = (await Bun.file(log).text()).split("\n", 2);
      return rest === undefined ? undefined : first;
    });
    const { port, invite } = JSON.parse(line);
    const inviteFile = join(stateDir, "invite");
    writeFileSync(inviteFile, invite, { mode: 0o600 });
    return new BenchServer(child, port, inviteFile);
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
