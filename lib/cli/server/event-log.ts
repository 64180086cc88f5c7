import type { StampedEvent } from "../../server/event-feed.ts";
import type { ConsoleIo } from "../console-io.ts";
import { LineWriter } from "../line-writer.ts";
import { LogFile } from "./log-file.ts";
import { isLogged, type LogFormat, type LogLevel, logLine } from "./log-line.ts";

/** Characters of events that are kept while nobody reads them. */
export const MAX_UNREAD = 1024 * 1024;

export interface LogSettings {
  readonly format: LogFormat;
  readonly level: LogLevel;
  /** undefined: standard error. */
  readonly file: string | undefined;
}

/** The server's events as a log: lines in a file, or on standard error. */
export class EventLog {
  #settings: LogSettings;
  readonly #color: boolean;
  readonly #file: LogFile | undefined;
  readonly #lines: LineWriter;

  /** @throws StorageError when the file can't be opened */
  constructor(settings: LogSettings, io: Pick<ConsoleIo, "log" | "note" | "color">) {
    const { file } = settings;
    this.#settings = settings;
    this.#color = io.color && file === undefined;
    const log = file === undefined ? undefined : new LogFile(file, (why) => io.note(`Warning: ${why}`));
    this.#file = log;
    this.#lines = new LineWriter((text) => log?.write(text) ?? io.log(text), {
      max: MAX_UNREAD,
      dropped: (count) => this.#format({ at: Date.now(), event: "warning", message: unread(count) }),
    });
  }

  add(event: StampedEvent): void {
    if (isLogged(event, this.#settings.level)) this.#lines.add(this.#format(event));
  }

  /** Take another level and format from now on. */
  change({ level, format }: Pick<LogSettings, "level" | "format">): void {
    this.#settings = { ...this.#settings, level, format };
  }

  /** As LogFile.reopen(). */
  reopen(): void {
    this.#file?.reopen();
  }

  /** Resolves when all lines were written. */
  async flush(): Promise<void> {
    await this.#lines.flush();
  }

  #format(event: StampedEvent): string {
    return logLine(event, this.#settings.format, this.#color);
  }
}

/** A warning about events that nobody has read in time. */
export function unread(count: number): string {
  return `${count} events are missing here: they came faster than they were read.`;
}
