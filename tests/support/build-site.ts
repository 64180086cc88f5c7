import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { type Subprocess, spawn } from "bun";
import type { Build } from "./builds.ts";
import type { Finished } from "./processes.ts";
import { writeTree } from "./repository.ts";
import { TempFolder } from "./temp-folder.ts";
import { until } from "./until.ts";

/** Slow enough to catch transfers under way. */
const RATE = ["--limit-rate", "8MB"];
export const SIZE = 10 * 1024 * 1024 + 17;

/** A running program, without standard input: a pipe does not work under Wine. */
export interface Running {
  readonly child: Subprocess<"ignore", Bun.BunFile, Bun.BunFile>;
  readonly output: string;
  readonly finished: Promise<Finished>;
}

/** Servers and clients of one build, each with folders of its own. */
export class BuildSite extends TempFolder implements AsyncDisposable {
  readonly #build: Build;
  readonly #running: Running[] = [];

  constructor(build: Build) {
    super();
    this.#build = build;
  }

  /** A server of the repository `repository`; its address. */
  async serve(repository: string, state: string): Promise<{ address: string; running: Running }> {
    for (const folder of [repository, state]) mkdirSync(this.join(folder), { recursive: true });
    const running = this.#start(this.serverCommand(repository, state), this.path);
    const listening = await until(async () => {
      if (running.child.exitCode !== null) throw new Error(`no server: ${(await running.finished).stderr}`);
      const line = readFileSync(running.output, "utf8").split("\n", 1)[0] ?? "";
      return line.endsWith("}") ? JSON.parse(line) : undefined;
    });
    return { address: `127.0.0.1:${listening.port}`, running };
  }

  serverCommand(repository: string, state: string): string[] {
    const { path } = this.#build;
    const folders = ["--repository", path(this.join(repository)), "--state-dir", path(this.join(state))];
    return this.#build.command("server", [
      ...["--host", "127.0.0.1", "--port", "0", "--json", "--plaintext", "--open", "--writable", ...RATE],
      ...folders,
    ]);
  }

  /** A client that works in `folder`, which is created with a `big.bin` of this letter. */
  client(address: string, folder: string, letter: string | undefined, ...args: string[]): Running {
    mkdirSync(this.join(folder), { recursive: true });
    if (letter !== undefined) writeTree(this.join(folder), { "big.bin": letter.repeat(SIZE) });
    const command = this.#build.command("client", [...args, "--server", address, "--plaintext"]);
    return this.#start(command, this.join(folder));
  }

  /** Run a command of this build to its end. */
  run(command: string[]): Promise<Finished> {
    return this.#start(command, this.path).finished;
  }

  /** Wait until a part of `big.bin` is in `folder`, then stop the program that moves it. */
  async stopWithin(folder: string, { child }: Running): Promise<void> {
    const part = this.join(folder, "big.bin.commserver-part");
    await until(() => existsSync(part) && statSync(part).size > 0);
    child.kill("SIGSTOP");
  }

  /** The letters in `big.bin` in `folder`. */
  lettersIn(folder: string): string {
    const bytes = readFileSync(this.join(folder, "big.bin"));
    return `${bytes.length} of ${[...new Set(bytes)].map((byte) => String.fromCharCode(byte)).join("")}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { child } of this.#running) child.kill("SIGKILL");
    await Promise.all(this.#running.map(({ finished }) => finished));
    this[Symbol.dispose]();
  }

  #start(command: string[], cwd: string): Running {
    const output = this.join(`output-${this.#running.length}`);
    const errors = `${output}.errors`;
    // Files, since Wine's own processes keep inherited pipes open.
    const child = spawn(command, {
      cwd,
      env: { PATH: process.env["PATH"] ?? "", ...this.#build.env },
      stdin: "ignore",
      stdout: Bun.file(output),
      stderr: Bun.file(errors),
    });
    const finished = child.exited.then((exitCode) => ({
      stdout: readFileSync(output, "utf8"),
      stderr: readFileSync(errors, "utf8"),
      exitCode,
    }));
    const running = { child, output, finished };
    this.#running.push(running);
    return running;
  }
}
