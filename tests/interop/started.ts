import { afterAll } from "bun:test";
import { connect } from "node:net";
import { join } from "node:path";
import { python } from "../support/python.ts";
import { TempFolder } from "../support/temp-folder.ts";

/** A program that takes input, and whose output is read once. */
export interface Started {
  write(text: string): void;
  endInput(): void;
  readonly stdout: AsyncIterable<Uint8Array>;
  readonly stderr: Promise<string>;
  readonly exited: Promise<number>;
  /** By SIGKILL. */
  kill(): void;
}

export function spawned(command: readonly string[], cwd: string, env: Record<string, string>): Started {
  const child = Bun.spawn([...command], { cwd, env, stdin: "pipe", stdout: "pipe", stderr: "pipe" });
  return {
    write(text) {
      child.stdin.write(text);
      child.stdin.flush();
    },
    endInput: () => void child.stdin.end(),
    stdout: child.stdout,
    stderr: new Response(child.stderr).text(),
    exited: child.exited,
    kill: () => child.kill("SIGKILL"),
  };
}

/** The process that Python peers are forks of: to start Python takes longer than most of what a peer does. */
class Forks {
  readonly #folder = new TempFolder();
  readonly path = this.#folder.join("forks");
  readonly #child;
  readonly ready: Promise<unknown>;

  constructor() {
    const command = python(join(import.meta.dir, "forks.py"), this.path);
    this.#child = Bun.spawn(command, { env: { PYTHONUTF8: "1" }, stdin: "pipe", stdout: "pipe", stderr: "inherit" });
    this.ready = this.#child.stdout.getReader().read();
    // Where several files share their modules, only the first has the afterAll() below.
    process.once("exit", () => this.#folder[Symbol.dispose]());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin.end();
    await this.#child.exited;
    this.#folder[Symbol.dispose]();
  }
}

let forks: Forks | undefined;
let count = 0;

afterAll(async () => {
  await forks?.[Symbol.asyncDispose]();
  forks = undefined;
});

/** A Python peer with these arguments. */
export function forkedPeer(args: readonly string[], cwd: string): Started {
  forks ??= new Forks();
  const { path, ready } = forks;
  const number = ++count;
  const { promise: begun, resolve } = Promise.withResolvers<number>();
  const io = connectWhen(ready, path, { number });
  const control = connectWhen(ready, path, { number, args, cwd });
  const reported = reportOf(control, resolve);
  return {
    write: (text) => void io.then((socket) => socket.write(text)),
    endInput: () => void io.then((socket) => socket.end()),
    stdout: outputOf(io),
    stderr: reported.then(({ stderr }) => stderr),
    exited: reported.then(({ exitCode }) => exitCode),
    kill: () => void begun.then((pid) => process.kill(pid, "SIGKILL")).catch(() => {}),
  };
}

async function connectWhen(ready: Promise<unknown>, path: string, order: object) {
  await ready;
  const socket = connect({ path, allowHalfOpen: true });
  // A peer that ends resets what it has not read.
  socket.on("error", () => {});
  socket.write(`${JSON.stringify(order)}\n`);
  return socket;
}

async function* outputOf(io: ReturnType<typeof connectWhen>): AsyncGenerator<Uint8Array> {
  const socket = await io;
  try {
    yield* socket;
  } catch {
    // It was killed, or ended before it had read its input.
  }
  socket.destroy();
}

/** What the control connection says; see forks.py. */
async function reportOf(control: ReturnType<typeof connectWhen>, begun: (pid: number) => void) {
  let text = "";
  const decoder = new TextDecoder();
  for await (const piece of await control) {
    text += decoder.decode(piece, { stream: true });
    if (text.includes("\n")) begun(Number.parseInt(text, 10));
  }
  const end = text.lastIndexOf("\0");
  if (end === -1) throw new Error(`A peer is lost: ${text}`);
  return { stderr: text.slice(text.indexOf("\n") + 1, end), exitCode: Number(text.slice(end + 1)) };
}
