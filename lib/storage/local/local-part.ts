import fs from "node:fs";
import { BLOCK_BYTES, type Range, seedOf } from "../../block.ts";
import { StorageError } from "../../errors.ts";
import { hasHoles } from "../../holes.ts";
import { fileSizeLimit } from "../../platform/file-size-limit.ts";
import { libc } from "../../platform/libc.ts";
import { storageFault } from "../../storage-faults.ts";
import { digest64 } from "../digest64.ts";
import { writeError } from "../disk-error.ts";
import type { ExistsPolicy, FileFacts, PartFile } from "../storage.ts";
import { discardFile } from "./discard-file.ts";
import type { FileHome } from "./file-home.ts";
import { finishFile, readAt, setTimes, takenBytes, writeFully, writing } from "./file-io.ts";
import { askFreeBytes } from "./free-space.ts";
import { Journal } from "./journal.ts";
import { resumableNames } from "./names/part-names.ts";
import type { OpenFolder } from "./open-folder.ts";
import { openPart } from "./part-file.ts";
import { publish } from "./publish.ts";
import { rightsFor, takeRights } from "./replaced-rights.ts";
import { fileMode, makeExecutable, narrow, OWN_FILE } from "./rights.ts";

/** Size of the test file. */
const PROBE_BYTES = 4 * BLOCK_BYTES;

export interface PartOptions {
  /** Taken over by the part, which releases it. */
  readonly home: FileHome;
  readonly facts: FileFacts;
  readonly exists: ExistsPolicy;
}

/** A file that arrives block by block. Until it is complete, it is a part and a journal beside its place. */
export class LocalPart implements PartFile {
  readonly #options: PartOptions;
  readonly #part: string;
  readonly #journal: Journal;
  readonly #fd: number;
  /** As OpenPart.isLax. */
  readonly #isLax: boolean;
  /** Bytes that have not arrived yet. */
  #missingBytes: number;
  #writes = 0;
  #ended = false;
  /** True while something of it stays in its folder. */
  #isLeft = true;

  private constructor(options: PartOptions, part: string, journal: Journal, file: { fd: number; isLax: boolean }) {
    this.#options = options;
    this.#part = part;
    this.#journal = journal;
    this.#fd = file.fd;
    this.#isLax = file.isLax;
    this.#missingBytes = journal.missing.reduce((sum, [from, to]) => sum + to - from, 0);
  }

  /** @throws StorageError as Storage.receive(); then the folder is released, and nothing new is left in it */
  static async open(options: PartOptions): Promise<LocalPart> {
    const { home, facts, exists } = options;
    const { folder, name, path } = home;
    const names = resumableNames(name);
    let journal: Journal | undefined;
    let fd: number | undefined;
    try {
      // The file's own permissions or fewer, and those that its owner needs to resume it.
      const mode = fileMode(rightsFor(folder, name, facts, exists).mode) | OWN_FILE;
      const opened = Journal.open(folder, names.journal, facts, mode);
      const held = opened.journal;
      journal = held;
      // On a full disk there is no room for a new journal, which is then removed.
      if (opened.state === "new") held.restart();
      // The blocks that the journal lists must be there.
      const file = openPart(folder, names.part, mode, () => held.restart());
      fd = file.fd;
      const { size } = file;
      // After a disk was unplugged, its journal may be ahead of the data even without a reboot.
      if (size > facts.size) fs.ftruncateSync(fd, facts.size);
      if (opened.state === "unverified" || size < held.end) await verify(fd, held);
      const part = new LocalPart(options, names.part, held, file);
      const isNew = held.end === 0;
      if (isNew) fs.ftruncateSync(fd, 0);
      requireReach(fd, facts.size, home);
      const isFilled = isNew && hasHoles(facts) && !keepsHoles(fd);
      await requireRoom(folder.at("."), isFilled ? facts.size : part.#missingBytes, home);
      return part;
    } catch (cause) {
      home.release(journal !== undefined && leave(folder, names.part, fd, journal));
      if (cause instanceof StorageError && cause.code === "BUSY") throw storageFault.transferred(path);
      throw writeError(cause, path, home.owner);
    }
  }

  get path(): string {
    return this.#options.home.path;
  }

  get facts(): FileFacts {
    return this.#options.facts;
  }

  get missing(): readonly Range[] {
    return this.#journal.missing;
  }

  get present(): number {
    return this.facts.size - this.#missingBytes;
  }

  write(offset: number, bytes: Uint8Array, digest: bigint): Promise<boolean> {
    return writing(this.path, this.#options.home.owner, async () => {
      if (this.#ended || this.#journal.has(offset)) return false;
      this.#journal.requireHeld();
      this.#writes++;
      try {
        await writeFully(this.#fd, bytes, offset);
        if (this.#journal.has(offset)) return false;
        this.#journal.note(offset, digest);
        this.#missingBytes -= bytes.length;
        return true;
      } finally {
        this.#writes--;
        if (this.#ended && this.#writes === 0) this.#release();
      }
    });
  }

  async commit(): Promise<string> {
    const { home, exists, facts } = this.#options;
    const { folder, name } = home;
    try {
      return await writing(this.path, home.owner, async () => {
        this.#journal.requireHeld();
        // The file may end with a hole.
        if (hasHoles(facts)) fs.ftruncateSync(this.#fd, facts.size);
        home.losses.try("times", () => setTimes(this.#fd, facts));
        home.losses.try("rights", () => this.#setRights());
        if (folder.isDurable) await finishFile(this.#fd);
        home.requireHere();
        // The transfer took a while: the folder may have become private meanwhile.
        folder.recheck();
        const published = publish(folder, this.#part, name, exists);
        this.#journal.remove();
        this.#ended = true;
        fs.closeSync(this.#fd);
        try {
          if (folder.isDurable) await home.sync();
        } finally {
          home.release(true);
        }
        return home.pathOf(published);
      });
    } catch (error) {
      await this.keep();
      throw error;
    }
  }

  /** @throws the system's error */
  #setRights(): void {
    if (this.#isLax) return;
    const { home, exists, facts } = this.#options;
    const { folder, name } = home;
    // Check again: another file may be there by now.
    const { mode, replaced } = rightsFor(folder, name, facts, exists);
    if (replaced !== undefined) return takeRights(this.#fd, replaced);
    narrow(this.#fd, fileMode(mode));
    if (facts.mode === undefined && facts.executable) makeExecutable(this.#fd);
  }

  async keep(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#writes === 0) this.#release();
  }

  async discard(): Promise<void> {
    if (this.#ended) return;
    const { folder, name } = this.#options.home;
    fs.rmSync(folder.at(this.#part), { force: true });
    fs.rmSync(folder.at(resumableNames(name).journal), { force: true });
    this.#isLeft = false;
    await this.keep();
  }

  /** Don't close while a write is under way: its descriptor's number may belong to another file the next moment. */
  #release(): void {
    fs.closeSync(this.#fd);
    this.#journal.close();
    this.#options.home.release(this.#isLeft);
  }
}

/**
 * Clean up after a part that can't be opened: blocks that were there stay, everything else is removed.
 *
 * @returns whether something stays
 */
function leave(folder: OpenFolder, part: string, fd: number | undefined, journal: Journal): boolean {
  if (journal.end > 0) {
    if (fd !== undefined) fs.closeSync(fd);
    journal.close();
    return true;
  }
  try {
    if (fd === undefined) fs.rmSync(folder.at(part), { force: true });
    else discardFile(fd, folder.at(part));
  } catch {
    // It is not a file, so it is not ours.
  }
  journal.remove();
  return false;
}

/** After a power failure the journal may list blocks that the disk lacks: check the digests. */
async function verify(fd: number, journal: Journal): Promise<void> {
  const buffer = new Uint8Array(BLOCK_BYTES);
  for (const { offset, digest } of journal.noted()) {
    const bytes = buffer.subarray(0, await readAt(fd, buffer, offset));
    if (digest64(bytes, seedOf(offset)) !== digest) journal.note(offset, 0n);
  }
  journal.trust();
}

/** @throws StorageError TOO_LARGE, if that is known before a byte is written */
function requireReach(fd: number, bytes: number, { path, owner }: FileHome): void {
  if (bytes > fileSizeLimit() || libc().isWithinReach?.(fd, bytes) === false) throw storageFault.tooLarge(path, owner);
}

/** Whether the disk of a new part supports holes, and stores nothing for them. @throws the system's error */
function keepsHoles(fd: number): boolean {
  fs.ftruncateSync(fd, PROBE_BYTES);
  const taken = takenBytes(fd);
  fs.ftruncateSync(fd, 0);
  return taken < PROBE_BYTES;
}

async function requireRoom(folder: string, bytes: number, { path, owner }: FileHome): Promise<void> {
  const free = await askFreeBytes(folder);
  if (free < bytes) throw storageFault.noRoom(path, owner, bytes, free);
}
