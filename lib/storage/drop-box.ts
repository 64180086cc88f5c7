import type { Range } from "../block.ts";
import { StorageError } from "../errors.ts";
import { baseName, joinPath, parentOf } from "../path.ts";
import { storageFault } from "../storage-faults.ts";
import { copyName, copyPath } from "./copy-name.ts";
import type {
  ExistsPolicy,
  FileFacts,
  LoadedFile,
  OpenFile,
  PartFile,
  Placement,
  Storage,
  StorageEntry,
  Unfinished,
} from "./storage.ts";
import { WrappedStorage } from "./wrapped.ts";

/** How many other names are tried where a name is taken. */
const MAX_COPIES = 1_000;
/** In characters of up to four bytes: the name of an unfinished file is never too long for a disk. */
const MAX_STEM = 30;
const MAX_EXTENSION = 16;

export interface DropBoxOptions {
  /** A short digest of `text` and the holder, in hexadecimal: it keeps apart the unfinished files of each. */
  digest(text: string): string;
  /** A file that was stored as `asked` is at `real`. */
  onKept(asked: string, real: string): void;
}

/**
 * A storage that takes files and tells nothing of what is there: whether a name is taken, by whom, or how full it is.
 *
 * A file whose name is taken gets another one, as with the policy "rename", and is reported under the name that was
 * asked for. A folder whose name a file has gets another one, too. A large file arrives under a name of its own, so that
 * nobody resumes or replaces another holder's part; when it is complete, it gets its name.
 */
export class DropBox extends WrappedStorage {
  readonly #options: DropBoxOptions;

  constructor(inner: Storage, options: DropBoxOptions) {
    super(inner);
    this.#options = options;
  }

  override freeBytes(): number {
    return Number.POSITIVE_INFINITY;
  }

  override async stat(path: string): Promise<StorageEntry> {
    throw storageFault.missing(path);
  }

  override list(path: string): AsyncIterable<StorageEntry[]> {
    throw storageFault.onlyDrops(path);
  }

  override async open(path: string): Promise<OpenFile> {
    throw storageFault.missing(path);
  }

  override async load(path: string): Promise<LoadedFile | undefined> {
    throw storageFault.missing(path);
  }

  override async hasOwnName(): Promise<boolean> {
    return true;
  }

  override async remove(path: string): Promise<void> {
    throw storageFault.onlyDrops(path);
  }

  override async rename(from: string): Promise<void> {
    throw storageFault.onlyDrops(from);
  }

  override async *unfinished(): AsyncGenerator<Unfinished, void> {}

  override async removeUnfinished(): Promise<boolean> {
    return false;
  }

  override async watch(): Promise<() => void> {
    throw storageFault.onlyDrops("");
  }

  /** Every place is free. The part of it that is there is the holder's own. */
  override async place(path: string, facts: Pick<FileFacts, "size" | "modifiedAt">): Promise<Placement> {
    const own = this.#ownPath(await this.#free(path), facts.size);
    const found = await this.inner.place(own, facts, "overwrite");
    const resume = found.outcome === "vacant" ? found.resume : undefined;
    return { outcome: "vacant", path, ...(resume && { resume }) };
  }

  /** @throws StorageError as Storage.receive() */
  override async receive(path: string, facts: FileFacts, _: ExistsPolicy): Promise<PartFile> {
    const free = await this.#free(path);
    const part = await this.#receiveOwn(free, facts);
    return new DroppedPart(part, path, async (stored) => {
      this.#options.onKept(path, await this.#named(stored, free));
    });
  }

  /** @throws StorageError as Storage.store() */
  override async store(path: string, facts: FileFacts, _: ExistsPolicy, bytes: Uint8Array): Promise<string> {
    // The bytes belong to the caller again at the first wait.
    const own = new Uint8Array(bytes);
    this.#options.onKept(path, await this.inner.store(await this.#free(path), facts, "rename", own));
    return path;
  }

  /** It may have been there before. @throws StorageError as Storage.makeFolder() */
  override async makeFolder(path: string): Promise<boolean> {
    await this.inner.makeFolder(await this.#freeFolder(path));
    return true;
  }

  /** The folder may be another's: it keeps its permissions. */
  override async finishFolder(): Promise<void> {}

  /** The part of the same size that this holder has begun, unless it is of another source, or is being received. */
  async #receiveOwn(free: string, facts: FileFacts): Promise<PartFile> {
    const own = this.#ownPath(free, facts.size);
    const found = await this.inner.place(own, facts, "overwrite");
    const isAnothers = found.outcome !== "vacant" || (found.resume !== undefined && found.resume.etag !== facts.etag);
    if (isAnothers) return this.inner.receive(this.#newPath(free), facts, "rename");
    try {
      return await this.inner.receive(own, facts, "rename");
    } catch (thrown) {
      if (!(thrown instanceof StorageError) || thrown.code !== "BUSY") throw thrown;
      return this.inner.receive(this.#newPath(free), facts, "rename");
    }
  }

  /** Give the complete file at `stored` the name that was asked for, or the next that is free. @returns its path */
  async #named(stored: string, free: string): Promise<string> {
    for (let copy = 0; copy < MAX_COPIES; copy++) {
      const to = copy === 0 ? free : copyPath(free, copy);
      try {
        await this.inner.rename(stored, to, { overwrite: false });
        return to;
      } catch (thrown) {
        if (!(thrown instanceof StorageError) || thrown.code !== "EXISTS") break;
      }
    }
    // It is whole, durable and visible, if not under its name.
    return stored;
  }

  /** Where a file of this size arrives. */
  #ownPath(path: string, size: number): string {
    return tagged(path, this.#options.digest(`${size} ${path}`));
  }

  #newPath(path: string): string {
    return tagged(path, crypto.randomUUID().slice(0, 13));
  }

  /** `path`, with another folder where something in the way is none. */
  async #free(path: string): Promise<string> {
    return joinPath(await this.#freeFolder(parentOf(path)), baseName(path));
  }

  /** @throws StorageError as Storage.stat() where no other name helps */
  async #freeFolder(path: string): Promise<string> {
    let free = "";
    for (const name of path === "" ? [] : path.split("/")) free = joinPath(free, await this.#freeName(free, name));
    return free;
  }

  async #freeName(folder: string, name: string): Promise<string> {
    let fault: unknown;
    for (let copy = 0; copy < MAX_COPIES; copy++) {
      const tried = copy === 0 ? name : copyName(name, copy);
      try {
        if ((await this.inner.stat(joinPath(folder, tried))).kind === "folder") return tried;
      } catch (thrown) {
        if (!(thrown instanceof StorageError)) throw thrown;
        if (thrown.code === "NOT_FOUND") return tried;
        // A link that leads out is as much in the way as a file. For a reserved name, no copy is any better.
        if (thrown.code !== "NOT_ALLOWED" || copy > 1) throw fault ?? thrown;
        fault ??= thrown;
      }
    }
    throw storageFault.exists(name);
  }
}

/** A file that arrives under a name of its own. */
class DroppedPart implements PartFile {
  readonly path: string;
  readonly #inner: PartFile;
  readonly #name: (stored: string) => Promise<void>;

  /** `name` gives the complete file its name. */
  constructor(inner: PartFile, path: string, name: (stored: string) => Promise<void>) {
    this.#inner = inner;
    this.path = path;
    this.#name = name;
  }

  get facts(): FileFacts {
    return this.#inner.facts;
  }

  get missing(): readonly Range[] {
    return this.#inner.missing;
  }

  get present(): number {
    return this.#inner.present;
  }

  write(offset: number, bytes: Uint8Array, digest: bigint): Promise<boolean> {
    return this.#inner.write(offset, bytes, digest);
  }

  async commit(): Promise<string> {
    await this.#name(await this.#inner.commit());
    return this.path;
  }

  keep(): Promise<void> {
    return this.#inner.keep();
  }

  discard(): Promise<void> {
    return this.#inner.discard();
  }
}

/** `a (3f9a2c1b77aa).pdf`, while `a.pdf` arrives. */
function tagged(path: string, tag: string): string {
  const name = baseName(path);
  const dot = name.lastIndexOf(".");
  const stem = dot > 0 ? name.slice(0, dot) : name;
  const extension = dot > 0 && name.length - dot <= MAX_EXTENSION ? name.slice(dot) : "";
  return joinPath(parentOf(path), `${[...stem].slice(0, MAX_STEM).join("")} (${tag})${extension}`);
}
