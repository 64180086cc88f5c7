import { StreamError } from "../errors.ts";
import { quote } from "../path.ts";
import type { DigestResult } from "../protocol/methods.ts";
import type { Sha256, Storage } from "../storage/storage.ts";
import { digestFile } from "../transfer/digest-file.ts";

/** About 2 MB when full. */
const MAX_ENTRIES = 10_000;

/** SHA-256 of files, computed once for each state of a file, and once for all who ask meanwhile. */
export class DigestCache {
  readonly #storage: Storage;
  readonly #createSha256: () => Sha256;
  /** By path and etag; the least recently used first. */
  readonly #digests = new Map<string, Promise<string>>();

  constructor(storage: Storage, createSha256: () => Sha256) {
    this.#storage = storage;
    this.#createSha256 = createSha256;
  }

  /** @throws StorageError as Storage.open(); StreamError CHANGED when the file changes while it is read */
  async digest(path: string): Promise<DigestResult> {
    const file = await this.#storage.open(path);
    const { size, modifiedAt, executable, mode, etag } = file.entry;
    const key = `${etag} ${path}`;
    let digest = this.#digests.get(key);
    if (digest !== undefined) {
      await file.close();
      this.#digests.delete(key);
    } else {
      digest = digestFile(file, this.#createSha256())
        .then((found) => {
          if (found.etag === etag) return found.sha256;
          throw new StreamError("CHANGED", `${quote(path)} changed while it was read.`);
        })
        .finally(() => file.close());
      digest.catch(() => this.#digests.delete(key));
    }
    this.#digests.set(key, digest);
    if (this.#digests.size > MAX_ENTRIES) this.#digests.delete(this.#digests.keys().next().value as string);
    return { size, modifiedAt, executable, mode, etag, sha256: await digest };
  }
}
