import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LogBook } from "./log-book.ts";

export interface Finding {
  readonly at: number;
  /** Which oracle: a few words that are the same for the same kind. */
  readonly what: string;
  readonly detail: string;
}

/** Findings for which the logs are kept; more would say the same. */
const MAX_DUMPS = 8;

/** What is wrong, with the logs of the minute before it. */
export class Findings {
  readonly all: Finding[] = [];
  readonly folder: string;
  readonly #log: LogBook;
  readonly #seed: number;
  readonly #print: (line: string) => void;

  /** `folder` is made when there is something to keep. */
  constructor(options: { folder: string; log: LogBook; seed: number; print(line: string): void }) {
    this.folder = options.folder;
    this.#log = options.log;
    this.#seed = options.seed;
    this.#print = options.print;
  }

  add(what: string, detail: string): void {
    const finding = { at: Date.now(), what, detail };
    this.all.push(finding);
    this.#log.add("findings", `${what}: ${detail}`);
    const number = this.all.length;
    if (number > MAX_DUMPS) return;
    const folder = join(this.folder, `finding-${number}`);
    this.#log.dump(folder);
    writeFileSync(join(folder, "finding.txt"), `seed ${this.#seed}\n${describe(finding)}\n`);
    this.#print(`FOUND ${describe(finding).slice(0, 600)}\n  logs of the last minute: ${folder}`);
  }
}

export function describe({ at, what, detail }: Finding): string {
  return `${new Date(at).toISOString()} ${what}: ${detail}`;
}
