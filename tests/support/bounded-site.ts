import { BoundedStorage } from "../../lib/storage/bounded.ts";
import type { BudgetLimits } from "../../lib/storage/budget.ts";
import { CountedBudget } from "../../lib/storage/counted-budget.ts";
import { digest64 } from "../../lib/storage/digest64.ts";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import type { ExistsPolicy, FileFacts, PartFile, Storage } from "../../lib/storage/storage.ts";
import { WrappedStorage } from "../../lib/storage/wrapped.ts";
import { pattern } from "./bytes.ts";
import { FakeClock } from "./fake-clock.ts";
import { TempFolder } from "./temp-folder.ts";

export const BLOCK = 1_048_576;

/** The facts of a file of this size. */
export function factsOf(size: number, etag = "1"): FileFacts {
  return { size, modifiedAt: 1_000, executable: false, etag };
}

/** A storage whose free space the test sets. */
export class SizedDisk extends WrappedStorage {
  readonly #freeBytes: () => number;

  constructor(inner: Storage, freeBytes: () => number) {
    super(inner);
    this.#freeBytes = freeBytes;
  }

  override freeBytes(): number {
    return this.#freeBytes();
  }
}

/** A bounded storage over a folder, with a simulated disk size. */
export class BoundedSite implements Disposable {
  readonly folder: TempFolder;
  readonly clock = new FakeClock();
  readonly storage: BoundedStorage;
  readonly inner: LocalStorage;
  readonly #diskBytes: number;

  private constructor(inner: LocalStorage, folder: TempFolder, limits: Partial<BudgetLimits>, diskBytes: number) {
    this.inner = inner;
    this.#diskBytes = diskBytes;
    this.folder = folder;
    const disk = new SizedDisk(inner, () => this.#diskBytes - this.held);
    const all = { quotaBytes: undefined, keepFreeBytes: 0, ...limits };
    this.storage = new BoundedStorage(disk, new CountedBudget(disk, all, () => this.clock.now()));
  }

  static async open(limits: Partial<BudgetLimits>, diskBytes = 2 ** 40): Promise<BoundedSite> {
    const folder = new TempFolder();
    return new BoundedSite(await LocalStorage.at(folder.path), folder, limits, diskBytes);
  }

  /** Bytes of the files and parts in the folder now, without journals. */
  get held(): number {
    let bytes = 0;
    for (const name of new Bun.Glob("**/*").scanSync({ cwd: this.folder.path, dot: true })) {
      if (!name.endsWith(".commserver-journal")) bytes += Bun.file(this.folder.join(name)).size;
    }
    return bytes;
  }

  /** Store a small file of this many bytes. */
  async store(path: string, size: number, exists: ExistsPolicy = "fail"): Promise<string> {
    return this.storage.store(path, factsOf(size), exists, pattern(size));
  }

  /** Receive the first `blocks` blocks of a file, or all. */
  async receive(path: string, size: number, options: { blocks?: number; exists?: ExistsPolicy; etag?: string } = {}) {
    const { blocks = Math.ceil(size / BLOCK), exists = "fail", etag } = options;
    const part = await this.storage.receive(path, factsOf(size, etag), exists);
    await writeBlocks(part, 0, blocks);
    return part;
  }

  [Symbol.dispose](): void {
    this.folder[Symbol.dispose]();
  }
}

/** Write the blocks from `from` up to, not including, `to`. */
export async function writeBlocks(part: PartFile, from: number, to: number): Promise<void> {
  for (let block = from; block < to; block++) {
    const bytes = pattern(Math.min(BLOCK, part.facts.size - block * BLOCK));
    await part.write(block * BLOCK, bytes, digest64(bytes, block));
  }
}

/** The code of the error, or "stored". */
export async function outcomeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "stored";
  } catch (thrown) {
    return (thrown as { code: string }).code;
  }
}
