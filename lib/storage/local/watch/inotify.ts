import fs from "node:fs";
import type { InotifyCalls } from "../../../platform/inotify-calls.ts";
import { libc } from "../../../platform/libc.ts";

/** inotify(7): the events that are requested for a folder, and those that come with them. */
export const IN = {
  MODIFY: 0x2,
  ATTRIB: 0x4,
  MOVED_FROM: 0x40,
  MOVED_TO: 0x80,
  CREATE: 0x100,
  DELETE: 0x200,
  Q_OVERFLOW: 0x4000,
  IGNORED: 0x8000,
  ONLYDIR: 0x1000000,
  ISDIR: 0x40000000,
} as const;

const MASK = IN.MODIFY | IN.ATTRIB | IN.MOVED_FROM | IN.MOVED_TO | IN.CREATE | IN.DELETE | IN.ONLYDIR;

/** An event in a watched folder. */
export interface InotifyEvent {
  readonly watch: number;
  readonly mask: number;
  readonly cookie: number;
  /** "" for the folder itself; undefined when it is not UTF-8. */
  readonly name: string | undefined;
}

/** An inotify instance of the system, which watches each folder separately. */
export class Inotify {
  readonly #calls: InotifyCalls;
  readonly #fd: number;
  readonly #reader: { read(): Promise<{ value?: Uint8Array | undefined }>; cancel(): Promise<void> };
  #isClosed = false;

  private constructor(fd: number, calls: InotifyCalls) {
    this.#fd = fd;
    this.#calls = calls;
    this.#reader = Bun.file(fd).stream().getReader();
  }

  /** undefined when the system has no inotify, does not let us call it, or has no instance left. */
  static open(): Inotify | undefined {
    const calls = libc().inotify;
    const fd = calls?.init() ?? -1;
    return calls === undefined || fd < 0 ? undefined : new Inotify(fd, calls);
  }

  /** Watch the folder at `path`. @returns its watch, the same for the same folder; undefined on failure */
  add(path: string): number | undefined {
    const watch = this.#isClosed ? -1 : this.#calls.add(this.#fd, path, MASK);
    return watch < 0 ? undefined : watch;
  }

  remove(watch: number): void {
    if (!this.#isClosed) this.#calls.remove(this.#fd, watch);
  }

  /** The events of one read; undefined after close(). @throws the system's error */
  async read(): Promise<Uint8Array | undefined> {
    const { value } = await this.#reader.read();
    return this.#isClosed ? undefined : value;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // The reader has its own descriptor. Closing the last one waits until the system has delivered all pending events,
    // which happens in another thread.
    void this.#reader
      .cancel()
      .catch(() => {})
      .finally(() => fs.close(this.#fd, () => {}));
  }
}

/** struct inotify_event: wd i32, mask u32, cookie u32, len u32, name (padded with NUL), in host order. */
export function* parseEvents(bytes: Uint8Array): Generator<InotifyEvent, void> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < buffer.length; ) {
    const watch = buffer.readInt32LE(at);
    const mask = buffer.readUInt32LE(at + 4);
    const cookie = buffer.readUInt32LE(at + 8);
    const start = at + 16;
    at = start + buffer.readUInt32LE(at + 12);
    yield { watch, mask, cookie, name: start === at ? "" : nameIn(buffer, start, at) };
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function nameIn(buffer: Buffer, start: number, end: number): string | undefined {
  const nul = buffer.indexOf(0, start);
  const stop = nul < 0 || nul > end ? end : nul;
  const name = buffer.toString("utf8", start, stop);
  // The name has this character itself, or it stands for bytes that are not UTF-8.
  if (!name.includes("\ufffd")) return name;
  try {
    return utf8.decode(buffer.subarray(start, stop));
  } catch {
    return undefined;
  }
}
