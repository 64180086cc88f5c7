import type { Subprocess } from "bun";
import type { Context } from "../measurements/measurement.ts";
import { compileProbe } from "./compile.ts";
import { start, stop } from "./processes.ts";

/** A compiled program of probes/ that takes requests as JSON lines on standard input and answers each with one. */
export class Probe implements AsyncDisposable {
  readonly #name: string;
  readonly #process: Subprocess<"pipe", "pipe", "inherit">;
  readonly #lines: AsyncGenerator<string, void>;

  private constructor(name: string, child: Subprocess<"pipe", "pipe", "inherit">) {
    this.#name = name;
    this.#process = child;
    this.#lines = linesOf(child.stdout);
  }

  /** Compile `name` and start it. */
  static async start(
    name: string,
    { folder }: Context,
    options: { args?: readonly (string | number)[]; core?: number | undefined } = {},
  ): Promise<Probe> {
    const { args = [], core } = options;
    const program = compileProbe(name, folder);
    const streams = { stdin: "pipe", stdout: "pipe", stderr: "inherit" } as const;
    return new Probe(name, start([program, ...args.map(String)], { ...streams, core }));
  }

  async ask<Answer>(request: object): Promise<Answer> {
    this.#process.stdin.write(`${JSON.stringify(request)}\n`);
    await this.#process.stdin.flush();
    return this.answer();
  }

  /** The next line that it prints. @throws Error when it ends instead */
  async answer<Answer>(): Promise<Answer> {
    const step = await this.#lines.next();
    if (step.done) throw new Error(`${this.#name} ended with ${await this.#process.exited}`);
    return JSON.parse(step.value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await stop(this.#process);
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const piece of stream) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}
