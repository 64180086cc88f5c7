import { readFileSync } from "node:fs";
import { appendPrivate } from "../../state/private-file.ts";
import { historyFile, makeStateDir } from "../../state/state-dir.ts";

const HISTORY_LINES = 500;

/** Lines of earlier shells, kept when there is a terminal and a place for them; nobody fails without it. */
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
      return readFileSync(this.#file, "utf8").split("\n").filter(Boolean).slice(-HISTORY_LINES).reverse();
    } catch {
      return [];
    }
  }

  add(line: string): void {
    if (this.#file === undefined || line.trim() === "") return;
    try {
      appendPrivate(this.#file, `${line}\n`);
    } catch {
      // A full disk is no reason to stop talking, nor one where everybody could read it.
    }
  }
}
