import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { type Command, endFamily, launch } from "../support/family.ts";
import { freePort, untilListening } from "../support/ports.ts";

/** Ports to try: another program may take one between its choice and its use. */
const ATTEMPTS = 5;

/** A peer's server on a port of 127.0.0.1. */
export class Daemon implements AsyncDisposable {
  readonly #process: Subprocess;
  readonly port: number;

  private constructor(child: Subprocess, port: number) {
    this.#process = child;
    this.port = port;
  }

  /**
   * @param name of the log in `home`
   * @param command the command that starts it on a port, in the foreground; may write its settings
   * @throws Error with its last output when it fails to listen
   */
  static async start(name: string, home: string, command: (port: number) => Command): Promise<Daemon> {
    const log = join(home, `${name}.log`);
    for (let attempt = 1; ; attempt++) {
      const port = freePort();
      const output = openSync(log, "w");
      const child = launch(command(port), { home, stdout: output, stderr: output });
      closeSync(output);
      try {
        await untilListening(port, child);
        return new Daemon(child, port);
      } catch (error) {
        await endFamily(child);
        if (attempt === ATTEMPTS) throw new Error(`${error}\n${readFileSync(log, "utf8").slice(-1000)}`);
      }
    }
  }

  get pid(): number {
    return this.#process.pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endFamily(this.#process);
  }
}
