import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Mutant } from "./mutants.ts";

/** The longest time that one test may take: on a busy machine some take half a minute. */
const TEST_MS = 60_000;
/** A runner that says nothing for so long is in an endless loop, where it does not see that the time of a test is up. */
const SILENT_MS = 3 * TEST_MS;

export interface FailedTest {
  readonly name: string;
  /** The path of its file, from the root of the tree. */
  readonly file: string;
}

/** The outcome of a test run. */
export interface TestRun {
  readonly passed: boolean;
  /** The first test that failed. */
  readonly failed: FailedTest | undefined;
  /** The first failed test, or why there is none. */
  readonly why: string;
}

/** A copy of the present tree for the mutants, so that the tree itself may change meanwhile. */
export class TreeCopy implements Disposable {
  readonly root: string;

  constructor(source: string) {
    this.root = mkdtempSync(join(tmpdir(), "commserver-mutants-"));
    const { stdout } = Bun.spawnSync(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
      cwd: source,
    });
    for (const file of stdout.toString().split("\0")) {
      if (file === "") continue;
      mkdirSync(dirname(join(this.root, file)), { recursive: true });
      cpSync(join(source, file), join(this.root, file), { force: true });
    }
    // A separate folder, since the tests keep the programs that they build in it.
    mkdirSync(join(this.root, "node_modules"));
    for (const name of readdirSync(join(source, "node_modules"))) {
      if (name !== ".cache") symlinkSync(join(source, "node_modules", name), join(this.root, "node_modules", name));
    }
  }

  /** Apply `mutant` to the copy; disposing of the result reverts it. */
  apply({ file, from, to, text }: Mutant): Disposable {
    const place = join(this.root, file);
    const original = readFileSync(place, "utf8");
    writeFileSync(place, original.slice(0, from) + text + original.slice(to));
    return { [Symbol.dispose]: () => writeFileSync(place, original) };
  }

  /**
   * Run tests until one fails, and run that once more: if it then passes, it failed only because the machine was busy.
   */
  async test(files: readonly string[], limitMs: number): Promise<TestRun> {
    const first = await this.#run(files, limitMs);
    if (first.failed === undefined) return first;
    return (await this.passes(first.failed, limitMs)) ? this.#run(files, limitMs) : first;
  }

  /** Whether a test that failed passes when its file is run for it alone. */
  async passes({ name, file }: FailedTest, limitMs: number): Promise<boolean> {
    const last = name.split(" > ").at(-1) ?? "";
    return (await this.#run([file], limitMs, ["--test-name-pattern", last.replaceAll(/[^\w ]/g, ".")])).passed;
  }

  /** What takes longer than `limitMs`, or says nothing for SILENT_MS, has failed. */
  async #run(files: readonly string[], limitMs: number, options: readonly string[] = []): Promise<TestRun> {
    const paths = files.map((file) => `./${file}`);
    const command = [process.execPath, "test", "--bail", "--timeout", `${TEST_MS}`, ...options, ...paths];
    const child = Bun.spawn(command, {
      cwd: this.root,
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
      // A process group of its own, to end it with everything that it has started.
      detached: true,
    });
    const end = () => endGroup(child.pid);
    const timer = setTimeout(end, limitMs);
    let silence = setTimeout(end, SILENT_MS);
    let output = "";
    const decoder = new TextDecoder();
    for await (const bytes of child.stderr) {
      output += decoder.decode(bytes, { stream: true });
      clearTimeout(silence);
      silence = setTimeout(end, SILENT_MS);
    }
    const exitCode = await child.exited;
    clearTimeout(timer);
    clearTimeout(silence);
    endGroup(child.pid);
    if (exitCode === 0) return { passed: true, why: "", failed: undefined };
    const failed = firstFailed(output);
    const timedOut = child.signalCode === "SIGKILL" ? "the time limit" : undefined;
    const why = failed?.name ?? timedOut ?? /error: .*/.exec(output)?.[0] ?? `exit code ${exitCode}`;
    return { passed: false, why, failed };
  }

  /** Whether the copy compiles; a mutant that does not compile does not count. */
  compiles(): boolean {
    const flags = ["--noUnusedLocals", "false", "--noUnusedParameters", "false", "--allowUnreachableCode", "true"];
    return this.#passesTool("tsc", ...flags);
  }

  /** Whether every promise of a file is waited for, or said not to be: a mutant of that kind does not count either. */
  awaits(file: string): boolean {
    return this.#passesTool("biome", "lint", "--only=nursery/noFloatingPromises", file);
  }

  #passesTool(name: string, ...words: string[]): boolean {
    return Bun.spawnSync([`node_modules/.bin/${name}`, ...words], { cwd: this.root }).exitCode === 0;
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** The runner names a file before its tests. */
function firstFailed(output: string): FailedTest | undefined {
  const fail = /^\(fail\) (.*?)(?: \[[\d.]+ms\])?$/m.exec(output);
  const file = output
    .slice(0, fail?.index)
    .match(/^\S+\.test\.ts(?=:$)/gm)
    ?.at(-1);
  return fail?.[1] === undefined || file === undefined ? undefined : { name: fail[1], file };
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // nothing of it is left
  }
}
