import { type Subprocess, spawn } from "bun";
import { readLines } from "./server-life.ts";

/** What is done to a client while it runs. */
export type ClientFault =
  | { readonly kind: "kill" | "stop" | "interrupt"; readonly afterMs: number }
  /** So many milliseconds after its first word. */
  | { readonly kind: "kill" | "stop" | "interrupt"; readonly afterFirstWordMs: number };

/** A client is stopped for so long. */
const STOPPED_MS = 1_000;

/** One run of a compiled client, with all that it has said. */
export class ClientRun {
  readonly args: readonly string[];
  readonly startedAt = Date.now();
  endedAt = Number.POSITIVE_INFINITY;
  readonly lines: string[] = [];
  stderr = "";
  /** What was done to it in time; undefined: nothing. */
  fault: ClientFault["kind"] | undefined;
  /** Whether its links have weather. */
  isInWeather = false;
  /** What may have hit it, when it is over; undefined: nothing. */
  excuse: string | undefined;
  isOver = false;
  readonly #child: Subprocess<"pipe", "pipe", "pipe">;
  readonly #ended: Promise<void>;

  constructor(
    program: string,
    args: readonly string[],
    options: { cwd: string; env: Record<string, string>; fault?: ClientFault | undefined },
  ) {
    this.args = args;
    const { cwd, env, fault } = options;
    this.#child = spawn([program, ...args], { cwd, env, stdin: "pipe", stdout: "pipe", stderr: "pipe" });
    const words = readLines(this.#child.stdout, (line) => {
      this.lines.push(line);
      if (this.lines.length === 1 && fault && "afterFirstWordMs" in fault)
        this.#strike(fault.kind, fault.afterFirstWordMs);
    });
    const errors = readLines(this.#child.stderr, (line) => {
      this.stderr += `${line}\n`;
    });
    if (fault && "afterMs" in fault) this.#strike(fault.kind, fault.afterMs);
    this.#ended = Promise.all([words, errors, this.#child.exited]).then(() => {
      this.endedAt = Date.now();
      this.isOver = true;
    });
  }

  /** Exit code; of one that a signal ended 128 and the number of it. */
  get code(): number {
    return this.#child.exitCode ?? (this.#child.signalCode === "SIGKILL" ? 137 : 128);
  }

  /** The lines as JSON; the last may have been cut off by a kill. */
  get events(): Record<string, unknown>[] {
    return this.lines.flatMap((line) => {
      try {
        return [JSON.parse(line)];
      } catch {
        return [];
      }
    });
  }

  /** All that it said, as one JSON value. @throws SyntaxError */
  get json(): unknown {
    return JSON.parse(this.lines.join("\n"));
  }

  /** The code of the error that it told. */
  get errorCode(): string | undefined {
    return /"code":"([A-Z_]+)"/.exec(this.stderr)?.[1];
  }

  /** One that has ended hears nothing any more, and its end tells why. */
  say(line: string): void {
    try {
      this.#child.stdin.write(`${line}\n`);
      this.#child.stdin.flush();
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EPIPE")) throw error;
    }
  }

  signal(name: NodeJS.Signals): void {
    if (!this.isOver) this.#child.kill(name);
  }

  /** Its end; one that takes longer than `timeoutMs` is killed. @returns false then */
  async ended(timeoutMs: number): Promise<boolean> {
    const timeout = Bun.sleep(timeoutMs).then(() => false);
    const isInTime = await Promise.race([this.#ended.then(() => true), timeout]);
    if (!isInTime) this.#child.kill("SIGKILL");
    await this.#ended;
    return isInTime;
  }

  #strike(kind: ClientFault["kind"], afterMs: number): void {
    setTimeout(() => {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
      this.fault = kind;
      this.#child.kill(kind === "kill" ? "SIGKILL" : kind === "stop" ? "SIGSTOP" : "SIGINT");
      if (kind === "stop") setTimeout(() => this.signal("SIGCONT"), STOPPED_MS);
    }, afterMs);
  }
}
