import { readFileSync } from "node:fs";
import { appendPrivate } from "../../state/private-file.ts";
import { historyFile, makeStateDir } from "../../state/state-dir.ts";

const HISTORY_LINES = 500;

/** Lines of earlier shells, kept if there is a terminal and a place for them. The shell works without it. */
export class ShellHistory {
  readonly #file: string | undefined;

  constructor(stateDir: string, wanted: boolean) {
    this.#file = wanted ? ShellHistory.#locate(stateDir) : undefined;
  }

  static #locate(stateDir: string): string | undefined {
    try {
      return historyFile(makeStateDir(stateDir));
    } catch {
      return undefined;
    }
  }

  /** Newest first. */
  read(): string[] {
    if (this.#file === undefined) return [];
    try {
      const lines = readFileSync(this.#file, "utf8").split("\n").filter(Boolean).slice(-HISTORY_LINES).reverse();
      return lines.map((line) => line.replaceAll("\r", "\n"));
    } catch {
      return [];
    }
  }

  add(line: string): void {
    if (this.#file === undefined || line.trim() === "") return;
    try {
      // A text of several lines is one line of the file.
      appendPrivate(this.#file, `${line.replaceAll("\n", "\r")}\n`);
    } catch {
      // A full disk, or one where others could read the history, must not end the shell.
    }
  }
}
