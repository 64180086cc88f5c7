import { join } from "node:path";
import { type Subprocess, spawn } from "bun";
import { isStopped } from "../support/program.ts";
import { until } from "../support/until.ts";
import { type Collected, collect, collectingEnv } from "./collected.ts";
import type { Disturbances } from "./disturbances.ts";
import type { EventWatch } from "./event-watch.ts";
import type { Findings } from "./findings.ts";
import type { LogBook } from "./log-book.ts";

export interface ServerLifeOptions {
  readonly command: readonly string[];
  readonly env: Record<string, string>;
  readonly cwd: string;
  readonly events: EventWatch;
  readonly findings: Findings;
  readonly disturbances: Disturbances;
  readonly log: LogBook;
}

/** One server that lives several times: always at the same port, with the same state folder. */
export class ServerLife {
  readonly #options: ServerLifeOptions;
  #process: Subprocess<"ignore", "pipe", "pipe"> | undefined;
  #isEnding = false;
  #read: Promise<unknown> = Promise.resolve();
  /** How often it was started. */
  lives = 0;
  /** Of the first start: the only one that tells it. */
  invite = "";

  constructor(options: ServerLifeOptions) {
    this.#options = options;
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  get isUp(): boolean {
    return this.#process !== undefined && this.#process.exitCode === null && this.#process.signalCode === null;
  }

  async start(): Promise<void> {
    const { command, cwd } = this.#options;
    const env = { ...this.#options.env, ...collectingEnv(this.#collectedFile) };
    const child = spawn([...command], { cwd, env, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
    this.#process = child;
    this.#isEnding = false;
    this.lives++;
    const listening = Promise.withResolvers<Record<string, unknown>>();
    this.#read = Promise.all([
      readLines(child.stdout, (line) => this.#onLine(line, listening.resolve)),
      readLines(child.stderr, (line) => this.#onError(line)),
    ]);
    void child.exited.then((code) => {
      listening.reject(new Error(`the server ended at its start: ${code}`));
      if (this.#isEnding) return;
      this.#options.findings.add("the server ended by itself", `exit code ${code}, ${child.signalCode}`);
    });
    const { invite } = await listening.promise;
    if (typeof invite === "string") this.invite = invite;
  }

  /** `kill -9`, a pause, and a new life. */
  async restart(pauseMs: number): Promise<void> {
    const end = this.#options.disturbances.begin("server killed");
    this.#isEnding = true;
    this.#process?.kill("SIGKILL");
    await this.#process?.exited;
    await this.#read;
    this.#options.events.forgetAll();
    await Bun.sleep(pauseMs);
    await this.start();
    end();
  }

  /** SIGSTOP, and SIGCONT after `ms`. Nobody gives a server up so soon: that excuses nothing. */
  async freeze(ms: number): Promise<void> {
    this.#process?.kill("SIGSTOP");
    await until(() => isStopped(this.pid));
    await Bun.sleep(ms);
    this.#process?.kill("SIGCONT");
  }

  /** A collection of its garbage. */
  collect(): Promise<Collected> {
    return collect(this.pid, this.#collectedFile);
  }

  get #collectedFile(): string {
    return join(this.#options.cwd, "collected.json");
  }

  /** At once, for good. */
  kill(): void {
    this.#isEnding = true;
    this.#process?.kill("SIGKILL");
  }

  /** SIGTERM. @returns its exit code */
  async stop(): Promise<number | undefined> {
    this.#isEnding = true;
    this.#process?.kill("SIGTERM");
    const code = await Promise.race([this.#process?.exited, Bun.sleep(20_000)]);
    this.#process?.kill("SIGKILL");
    await this.#read;
    return typeof code === "number" ? code : undefined;
  }

  #onLine(line: string, onListening: (event: Record<string, unknown>) => void): void {
    const { log, events, findings } = this.#options;
    log.add("server", line);
    try {
      const event = JSON.parse(line);
      if (event.event === "listening") onListening(event);
      events.note(event);
    } catch {
      // Cut off by a kill.
      if (!this.#isEnding) findings.add("a line of the server that is no event", line);
    }
  }

  #onError(line: string): void {
    this.#options.log.add("server", `stderr: ${line}`);
    this.#options.findings.add("the server's standard error", line);
  }
}

export async function readLines(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const piece of stream) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  }
  if (rest !== "") onLine(rest);
}
