import { describe } from "bun:test";
import { binaries } from "../support/binaries.ts";
import { USER_ENV } from "../support/processes.ts";
import { forkedPeer, type Started, spawned } from "./started.ts";

/** `describe` for tests that need these programs: skipped where one is missing, except in CI. */
export function describeWith(...programs: string[]) {
  const missing = programs.filter((program) => Bun.which(program) === null);
  const reason =
    process.platform === "win32"
      ? "the peer waits for pipes with select(), which Windows has not"
      : missing.length > 0 && !process.env["CI"] && `${missing.join(", ")}: not installed`;
  if (reason) console.warn(`Tests of tests/interop are skipped: ${reason}.`);
  return describe.skipIf(reason !== false);
}

export const describeInterop = describeWith("python3", "openssl");

export type PeerEvent = Record<string, any>;

/** Where a program is. */
export function program(name: string): string {
  const path = Bun.which(name);
  if (path === null) throw new Error(`${name} is not installed`);
  return path;
}

/** What the Python peer is started with. */
export interface PeerCommand {
  readonly peer: readonly string[];
}

export function peer(...args: string[]): PeerCommand {
  return { peer: args };
}

/** The command of the compiled client. */
export async function client(...args: string[]): Promise<string[]> {
  return [(await binaries()).client, ...args];
}

/** A program that is told lines on its standard input, and whose own lines are kept. */
export class LineProcess implements AsyncDisposable {
  readonly lines: string[] = [];
  readonly #child: Started;
  readonly #output: Promise<void>;
  #heard = 0;
  #silent = false;
  #news = Promise.withResolvers<void>();

  constructor(command: readonly string[] | PeerCommand, cwd = "/", env: Record<string, string> = USER_ENV) {
    this.#child = "peer" in command ? forkedPeer(command.peer, cwd) : spawned(command, cwd, env);
    this.#output = this.#listen();
  }

  say(line: string): void {
    this.#child.write(`${line}\n`);
  }

  /** The next line that fits; those before it are passed over. */
  async hear(fits: (line: string) => boolean): Promise<string> {
    for (let at = this.#heard; ; ) {
      for (; at < this.lines.length; at++) {
        const line = this.lines[at] as string;
        if (!fits(line)) continue;
        this.#heard = at + 1;
        return line;
      }
      if (this.#silent) throw new Error(`it ended: ${this.lines.join("\n")} ${await this.#child.stderr}`);
      await this.#news.promise;
    }
  }

  /** The next line with this text. */
  hearText(text: string): Promise<string> {
    return this.hear((line) => line.includes(text));
  }

  /** The next event of that kind; for programs whose lines are events. */
  async event(kind: string): Promise<PeerEvent> {
    return JSON.parse(await this.hear((line) => JSON.parse(line).event === kind));
  }

  /** All events of that kind so far. */
  events(kind: string): PeerEvent[] {
    return this.lines.map((line) => JSON.parse(line)).filter(({ event }) => event === kind);
  }

  /** Wait for its end, which it comes to by itself. */
  async ended(): Promise<{ exitCode: number; stderr: string }> {
    const [exitCode, stderr] = await Promise.all([this.#child.exited, this.#child.stderr, this.#output]);
    return { exitCode, stderr };
  }

  /** End its standard input, and wait for its end. */
  async finish(): Promise<{ exitCode: number; stderr: string }> {
    this.#child.endInput();
    return await this.ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill();
    await this.#child.exited;
    await this.#output;
  }

  async #listen(): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const piece of this.#child.stdout) {
      const lines = (rest + decoder.decode(piece, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      this.lines.push(...lines);
      this.#tellNews();
    }
    this.#silent = true;
    this.#tellNews();
  }

  #tellNews(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }
}

/** Run the Python client to its end; with `lines`, these are its commands. */
export async function runPeer(args: string[], lines: string[] = [], cwd = "/"): Promise<FinishedPeer> {
  await using process = new LineProcess(peer("client", ...args), cwd);
  for (const line of lines) process.say(line);
  return { ...(await process.finish()), events: process.lines.map((line) => JSON.parse(line)) };
}

export interface FinishedPeer {
  readonly exitCode: number;
  readonly stderr: string;
  readonly events: PeerEvent[];
}

/** A Python server. `finish()` tells whether the clients kept every rule: it is expected to be `KEPT`. */
export class PeerServer extends LineProcess {
  address = "";
  /** Of a server that speaks TLS. */
  fingerprint: string | null = null;

  static async start(folder: string, ...options: string[]): Promise<PeerServer> {
    const server = new PeerServer(peer("server", ...options, folder));
    const { port, fingerprint } = await server.event("listening");
    server.address = `127.0.0.1:${port}`;
    server.fingerprint = fingerprint;
    return server;
  }
}

export const KEPT = { exitCode: 0, stderr: "" };

/** Bytes that do not repeat, the same for the same length. */
export function noise(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = length;
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}
