import { Format, SingleBar } from "cli-progress";
import type { ConsoleIo } from "../console-io.ts";
import { escapeText } from "../escape.ts";
import { formatBytes } from "../format.ts";

/** Files below this are there before a bar could be read. */
const MIN_BYTES = 8 * 1024 * 1024;

/** The progress of one file, on a terminal; elsewhere nothing. */
export class Progress {
  readonly #bar: SingleBar | undefined;

  constructor(path: string, totalBytes: number, io: ConsoleIo) {
    if (!io.noteIsTty || totalBytes < MIN_BYTES) return;
    const startedAt = performance.now();
    this.#bar = new SingleBar({
      stream: process.stderr,
      clearOnComplete: true,
      hideCursor: true,
      barsize: 24,
      format: (options, params) => {
        const bar = Format.BarFormat(params.progress, options);
        const percent = String(Math.floor(params.progress * 100)).padStart(3);
        const rate = params.value / Math.max(0.001, (performance.now() - startedAt) / 1000);
        const left = Math.ceil((params.total - params.value) / Math.max(1, rate));
        return `${bar} ${percent}%  ${formatBytes(params.value)}  ${formatBytes(rate)}/s  ${left} s left  ${escapeText(path)}`;
      },
      barCompleteChar: "█",
      barIncompleteChar: "░",
    });
    this.#bar.start(totalBytes, 0);
  }

  update(bytes: number): void {
    this.#bar?.update(bytes);
  }

  stop(): void {
    this.#bar?.stop();
  }
}
