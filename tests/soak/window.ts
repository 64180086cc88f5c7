import { type Subprocess, spawn } from "bun";

/** A program on a pseudo terminal that can be closed under it. */
export class Window {
  readonly startedAt = Date.now();
  readonly #process: Subprocess;
  readonly #decoder = new TextDecoder();
  /** All that it has shown. */
  text = "";

  constructor(command: readonly string[], options: { cwd: string; env: Record<string, string> }) {
    this.#process = spawn([...command], {
      cwd: options.cwd,
      env: { TERM: "xterm-256color", ...options.env },
      terminal: {
        cols: 100,
        rows: 30,
        data: (_, bytes) => {
          this.text += this.#decoder.decode(bytes, { stream: true });
        },
      },
    });
  }

  get isOver(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  /** Keys; `\r` is Enter. */
  type(keys: string): void {
    this.#process.terminal?.write(keys);
  }

  close(): void {
    this.#process.terminal?.close();
  }

  /** Its end; one that takes longer than `timeoutMs` is killed. @returns its exit code; undefined then */
  async ended(timeoutMs: number): Promise<number | undefined> {
    const code = await Promise.race([this.#process.exited, Bun.sleep(timeoutMs).then(() => undefined)]);
    this.#process.kill("SIGKILL");
    await this.#process.exited;
    return code;
  }
}
