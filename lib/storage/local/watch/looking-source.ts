import { lstat } from "node:fs/promises";
import { pathFault } from "../../../path.ts";
import { readEntries } from "../folder-reader.ts";
import type { Folders } from "../folders.ts";
import { fromLocalName, toLocalName } from "../names/local-names.ts";
import { isUnfinished } from "../names/part-names.ts";
import type { OpenFolder } from "../open-folder.ts";
import { Effort } from "./effort.ts";
import type { KnownFolder } from "./known-folder.ts";
import { FOLDER, FolderSnapshot, type Signature, signatureAt, signatureOf } from "./tree-snapshot.ts";
import type { TreeSink, TreeSource } from "./tree-source.ts";

/** The shortest pause between two scans of a tree. */
export const LOOK_MS = 2_000;
/** The pause is also this many times as long as the scan, which then takes a hundredth of one core. */
const REST_FACTOR = 99;
/** A check of one name that takes longer waits for a disk: leave that to other threads. */
const SLOW_MS = 0.5;
/** The number of names that other threads check at once. */
const BATCH_NAMES = 64;

/** How long to pause after a scan that took `spentMs`. */
export function restAfter(spentMs: number, leastMs = LOOK_MS): number {
  return Math.max(leastMs, REST_FACTOR * spentMs);
}

/**
 * Polls a tree whose changes the system does not report: a little at a time, and the larger the tree, the less often.
 */
export class LookingSource implements TreeSource {
  readonly isExact = false;
  readonly #sink: TreeSink;
  readonly #folders: Folders;
  readonly #leastMs: number;
  /** The polled folders; undefined: not scanned yet. */
  readonly #seen = new Map<KnownFolder, FolderSnapshot | undefined>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isLooking = false;
  #isClosed = false;

  constructor(sink: TreeSink, folders: Folders, leastMs = LOOK_MS) {
    this.#sink = sink;
    this.#folders = folders;
    this.#leastMs = leastMs;
  }

  async watch(folder: KnownFolder, place: string): Promise<boolean> {
    this.watchLater(folder);
    const found = await readSignatures(folder, place, new Effort());
    if (!this.#isClosed && this.#seen.has(folder)) this.#seen.set(folder, new FolderSnapshot(found ?? new Map()));
    return true;
  }

  /** As watch(), but from the next scan on: entries that are there then count as reported. */
  watchLater(folder: KnownFolder): void {
    this.#seen.set(folder, undefined);
    if (!this.#isLooking) this.#schedule(this.#leastMs);
  }

  /** This source knows only contents, which can't tell folders apart. */
  isSame(): boolean {
    return true;
  }

  unwatch(folder: KnownFolder): void {
    this.#seen.delete(folder);
  }

  noteLook(folder: KnownFolder, opened: OpenFolder | undefined, name: string): void {
    this.#seen.get(folder)?.note(name, opened && signatureAt(opened.at(name)));
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#seen.clear();
  }

  #schedule(ms: number): void {
    if (this.#timer !== undefined || this.#isClosed) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#look();
    }, ms);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    this.#isLooking = true;
    const effort = new Effort();
    for (const folder of [...this.#seen.keys()]) {
      await this.#lookInto(folder, effort);
      if (this.#isClosed) return;
    }
    this.#isLooking = false;
    if (this.#seen.size > 0) this.#schedule(restAfter(effort.end(), this.#leastMs));
  }

  async #lookInto(folder: KnownFolder, effort: Effort): Promise<void> {
    const { path } = folder;
    if (path === undefined || !this.#seen.has(folder)) return;
    let opened: OpenFolder;
    try {
      opened = this.#folders.open(path);
    } catch {
      return; // removed, which its parent shows; or unreadable now
    }
    try {
      const now = await readSignatures(folder, opened.at("."), effort);
      if (now === undefined || this.#isClosed || !this.#seen.has(folder)) return;
      const before = this.#seen.get(folder);
      if (before === undefined) this.#seen.set(folder, new FolderSnapshot(now));
      else this.#tell(folder, before.entries(), now);
    } finally {
      opened.release();
    }
    await effort.pause();
  }

  /** noteLook() records what is reported. */
  #tell(folder: KnownFolder, before: Map<string, Signature>, now: ReadonlyMap<string, Signature>): void {
    for (const [name, signature] of now) {
      const earlier = before.get(name);
      before.delete(name);
      if (earlier === signature) continue;
      if (earlier === FOLDER) this.#sink.gone(folder, name, { isFolder: true, cookie: 0 });
      if (earlier === undefined || earlier === FOLDER || signature === FOLDER) {
        this.#sink.came(folder, name, { isFolder: signature === FOLDER, cookie: 0 });
      } else this.#sink.touched(folder, name);
    }
    for (const [name, earlier] of before) this.#sink.gone(folder, name, { isFolder: earlier === FOLDER, cookie: 0 });
  }
}

/** The entries of the folder that is open at `place`; undefined when it can't be read. */
async function readSignatures(
  folder: KnownFolder,
  place: string,
  effort: Effort,
): Promise<Map<string, Signature> | undefined> {
  const found = new Map<string, Signature>();
  let slow: string[] = [];
  let isSlow = false;
  const askOthers = async () => {
    const names = slow;
    slow = [];
    await Promise.all(
      names.map(async (name) => {
        const stats = await lstat(`${place}/${toLocalName(name)}`).catch(() => undefined);
        if (stats !== undefined) found.set(name, signatureOf(stats));
      }),
    );
  };
  try {
    for (const entries of readEntries(place)) {
      for (const { name: local, isFolder } of entries) {
        if (local === undefined || isUnfinished(local)) continue;
        const name = fromLocalName(local);
        if (pathFault(folder.pathOf(name) ?? "") !== undefined) continue;
        if (isFolder === true) found.set(name, FOLDER);
        else if (isSlow) slow.push(name);
        else {
          const startedAt = performance.now();
          const signature = signatureAt(`${place}/${local}`);
          if (signature !== undefined) found.set(name, signature);
          isSlow = performance.now() - startedAt >= SLOW_MS;
        }
        if (slow.length >= BATCH_NAMES) await askOthers();
        await effort.pause();
      }
      await askOthers();
      isSlow = false;
    }
    return found;
  } catch {
    return undefined;
  }
}
