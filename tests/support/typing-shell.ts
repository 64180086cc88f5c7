import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { binaries } from "./binaries.ts";
import { Screen } from "./screen.ts";
import type { TempFolder } from "./temp-folder.ts";
import { until } from "./until.ts";

/** A shell in which a person types; how it is started, and how it loads completions. */
interface Kind {
  readonly command: string[];
  /** Lines at its start; FOLDER has `complete.SHELL`. */
  readonly setUp: (folder: string) => string[];
}

export const KINDS: Readonly<Record<string, Kind>> = {
  bash: {
    command: ["bash", "--norc", "--noprofile", "-i"],
    setUp: (folder) => [`source ${folder}/complete.bash`],
  },
  "bash with bash-completion": {
    command: ["bash", "--norc", "--noprofile", "-i"],
    setUp: (folder) => ["source /usr/share/bash-completion/bash_completion", `source ${folder}/complete.bash`],
  },
  zsh: {
    command: ["zsh", "-f", "-i"],
    setUp: (folder) => ["autoload -Uz compinit", `compinit -D -u -d ${folder}/dump`, `source ${folder}/complete.zsh`],
  },
  fish: {
    command: ["fish", "--no-config", "--interactive"],
    setUp: (folder) => [
      "function fish_prompt; echo -n '$ '; end",
      "function fish_right_prompt; end",
      "set -g fish_greeting",
      "set -g fish_autosuggestion_enabled 0",
      `source ${folder}/complete.fish`,
    ],
  },
};

/** The words that a person typed and completed in a shell, as a program gets them. */
export class TypingShell implements AsyncDisposable {
  readonly #screen: Screen;
  readonly #folder: string;

  private constructor(screen: Screen, folder: string) {
    this.#screen = screen;
    this.#folder = folder;
  }

  /** Start it in a folder of its own, with both programs in its PATH: what they complete is real, nothing else is run. */
  static async start(kind: string, folder: TempFolder, env: Record<string, string> = {}): Promise<TypingShell> {
    const { command, setUp } = KINDS[kind] as Kind;
    const programs = await binaries();
    for (const name of ["bin", "here"]) mkdirSync(folder.join(name), { recursive: true });
    const shell = kind.split(" ")[0] as string;
    let script = "";
    for (const [name, program] of Object.entries(programs)) {
      const file = folder.join(`bin/commserver-${name}`);
      const words = folder.join("words");
      writeFileSync(
        file,
        `#!/bin/sh
if [ "$1" = completions ]; then ${program} "$@"; printf . >> ${folder.join("answers")}
else printf '%s\\0' "$@" > ${words}.new; mv ${words}.new ${words}; fi
`,
      );
      chmodSync(file, 0o755);
      script += Bun.spawnSync([program, "completions", shell]).stdout;
    }
    writeFileSync(folder.join(`complete.${shell}`), script);
    const screen = new Screen(command, {
      cwd: folder.join("here"),
      cols: 200,
      env: {
        PATH: `${folder.join("bin")}:${process.env["PATH"]}`,
        HOME: folder.path,
        PS1: "$ ",
        LANG: "C.UTF-8",
        LC_ALL: "C.UTF-8",
        ...env,
      },
    });
    const typing = new TypingShell(screen, folder.path);
    for (const line of setUp(folder.path)) screen.type(`${line}\r`);
    await typing.#prompted();
    return typing;
  }

  /**
   * Type keys, with `\t` for Tab, and run the line. After each Tab it waits until the program has answered.
   *
   * @returns the words that the program got
   */
  async run(keys: string): Promise<string[]> {
    const file = `${this.#folder}/words`;
    rmSync(file, { force: true });
    for (const typed of keys.split(/(?<=\t)/)) {
      const before = this.#answers();
      this.#screen.type(typed);
      if (typed.endsWith("\t")) await until(() => this.#answers() > before);
    }
    this.#screen.type("\r");
    await until(() => existsSync(file));
    await until(() => this.#screen.beforeCursor === "$ ");
    return readFileSync(file, "utf8").split("\0").slice(0, -1);
  }

  /** The number of times that the program was asked for completions. */
  #answers(): number {
    const file = `${this.#folder}/answers`;
    return existsSync(file) ? readFileSync(file, "utf8").length : 0;
  }

  /** Wait until the shell has done everything before: keys that it gets earlier may not be keys to it. */
  async #prompted(): Promise<void> {
    const mark = `${this.#folder}/started`;
    this.#screen.type(`touch ${mark}; clear\r`);
    await until(() => existsSync(mark));
    await until(() => this.#screen.lines.length <= 1 && this.#screen.beforeCursor === "$ ");
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#screen[Symbol.asyncDispose]();
  }
}
