import { CommError } from "../errors.ts";
import { joinPath } from "../path.ts";
import type { DigestResult } from "../protocol/methods.ts";
import type { LoadedFile, OpenFile, Storage, StorageEntry } from "../storage/storage.ts";
import { SMALL_BYTES } from "../transfer/chunk-writer.ts";
import { digestFile, type Sha256 } from "../transfer/digest-file.ts";
import { Yielder, type YielderClock } from "../yielder.ts";
import { recentEntries } from "./recent-entries.ts";

/** About 2 MB when full. */
const MAX_ENTRIES = 10_000;

/** A digest that is known, or being computed for waiting callers. */
interface Entry {
  /** The etag of that state of the file. */
  readonly etag: string;
  readonly sha256: Promise<string>;
  waiting: number;
  /** The digest, once it is computed. */
  known: string | undefined;
}

/** SHA-256 of files, computed once for each state of a file, and shared by all callers that ask meanwhile. */
export class DigestCache {
  readonly #storage: Storage;
  readonly #createSha256: () => Sha256;
  readonly #clock: YielderClock;
  /** By path in the whole repository, for the file's last state. */
  readonly #entries: ReturnType<typeof recentEntries<Entry>>;
  /** The folder that the paths are in. */
  readonly #folder: string;

  constructor(
    storage: Storage,
    createSha256: () => Sha256,
    clock: YielderClock,
    { entries = recentEntries<Entry>(MAX_ENTRIES), folder = "" } = {},
  ) {
    this.#storage = storage;
    this.#createSha256 = createSha256;
    this.#clock = clock;
    this.#entries = entries;
    this.#folder = folder;
  }

  /** The same digests for `storage`, which is the tree below `folder`. */
  within(folder: string, storage: Storage): DigestCache {
    return new DigestCache(storage, this.#createSha256, this.#clock, { entries: this.#entries, folder });
  }

  /**
   * `signal` aborts when the caller no longer wants the digest; the work stops when its last caller has left.
   *
   * @throws StorageError as Storage.open(), CHANGED when the file changes while it is read; CommError INTERRUPTED
   */
  async digest(path: string, signal: AbortSignal): Promise<DigestResult> {
    const loaded = this.#storage.load(path, SMALL_BYTES);
    // Small files come by the thousand: avoid needless promises.
    const small = loaded instanceof Promise ? await loaded : loaded;
    return small === undefined ? this.#digestOpened(path, signal) : this.#digestLoaded(small);
  }

  #digestLoaded({ entry: file, bytes }: LoadedFile): DigestResult {
    const { path, size, modifiedAt, executable, mode, etag } = file;
    let sha256 = this.known(file);
    if (sha256 === undefined) {
      const hasher = this.#createSha256();
      hasher.update(bytes);
      sha256 = hasher.digest("hex");
      this.#entries.set(path, { etag, sha256: Promise.resolve(sha256), waiting: 0, known: sha256 });
    }
    return { size, modifiedAt, executable, mode, etag, sha256 };
  }

  async #digestOpened(path: string, signal: AbortSignal): Promise<DigestResult> {
    const file = await this.#storage.open(path);
    const { size, modifiedAt, executable, mode, etag } = file.entry;
    const whole = joinPath(this.#folder, path);
    const known = this.#entries.peek(whole);
    const isSame = known?.etag === etag;
    const entry = isSame ? known : this.#begin(file);
    if (isSame) await file.close();
    this.#entries.set(whole, entry);
    return { size, modifiedAt, executable, mode, etag, sha256: await this.#wait(entry, whole, signal) };
  }

  /** The digest of a file in this state, when it was computed before. */
  known({ path, etag }: Pick<StorageEntry, "path" | "etag">): string | undefined {
    const entry = this.#entries.get(joinPath(this.#folder, path));
    return entry?.etag === etag ? entry.known : undefined;
  }

  async #wait(entry: Entry, whole: string, signal: AbortSignal): Promise<string> {
    const left = Promise.withResolvers<never>();
    const onAbort = () => left.reject(leftError());
    signal.addEventListener("abort", onAbort);
    entry.waiting++;
    try {
      if (signal.aborted) onAbort();
      return await Promise.race([entry.sha256, left.promise]);
    } finally {
      signal.removeEventListener("abort", onAbort);
      left.promise.catch(() => {});
      entry.waiting--;
      // It has failed, or nobody wants it any more: the next caller starts again.
      if (entry.waiting === 0 && entry.known === undefined) this.#forget(whole, entry);
    }
  }

  #begin(file: OpenFile): Entry {
    const yielder = new Yielder(this.#clock);
    const work = async () => {
      try {
        const sha256 = await digestFile(file, this.#createSha256(), () => {
          if (entry.waiting === 0) throw leftError();
          // A piece takes half a millisecond of work: only one file at a time has a turn.
          return yielder.begin();
        });
        entry.known = sha256;
        return sha256;
      } finally {
        await file.close();
      }
    };
    const begun = Promise.withResolvers<string>();
    const entry: Entry = { etag: file.entry.etag, sha256: begun.promise, waiting: 0, known: undefined };
    entry.sha256.catch(() => {}); // each waiting caller gets the error
    // Later, so that the first caller is waiting before a piece is read.
    void Promise.resolve().then(() => begun.resolve(work()));
    return entry;
  }

  #forget(whole: string, entry: Entry): void {
    if (this.#entries.peek(whole) === entry) this.#entries.delete(whole);
  }
}

function leftError(): CommError {
  return new CommError("INTERRUPTED", "Nobody waits for this digest any more.");
}
