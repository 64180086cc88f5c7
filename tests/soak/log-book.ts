import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** For so long lines are kept in memory. */
const KEPT_MS = 90_000;

interface Line {
  readonly at: number;
  readonly text: string;
}

/** What server and clients have said in the last minute or so, each source by itself. */
export class LogBook {
  readonly #sources = new Map<string, Line[]>();

  add(source: string, text: string): void {
    const lines = this.#sources.get(source) ?? [];
    this.#sources.set(source, lines);
    const at = Date.now();
    lines.push({ at, text });
    if (lines.length % 256 === 0) lines.splice(0, oldOnes(lines, at));
  }

  /** Write what there is into `folder`, a file for each source. */
  dump(folder: string): void {
    mkdirSync(folder, { recursive: true });
    const now = Date.now();
    for (const [source, lines] of this.#sources) {
      const kept = lines.slice(oldOnes(lines, now)).map(({ at, text }) => `${new Date(at).toISOString()} ${text}`);
      writeFileSync(join(folder, `${source}.log`), `${kept.join("\n")}\n`);
    }
  }
}

/** How many at the front are too old. */
function oldOnes(lines: readonly Line[], now: number): number {
  const at = lines.findIndex((line) => line.at >= now - KEPT_MS);
  return at === -1 ? lines.length : at;
}
