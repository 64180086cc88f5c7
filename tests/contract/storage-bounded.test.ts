import { utimesSync } from "node:fs";
import { BoundedStorage } from "../../lib/storage/bounded.ts";
import { CountedBudget } from "../../lib/storage/counted-budget.ts";
import { FewFilesStorage } from "../../lib/storage/few-files.ts";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import { MemoryStorage } from "../../lib/storage/memory-storage.ts";
import type { Storage } from "../../lib/storage/storage.ts";
import { SizedDisk } from "../support/bounded-site.ts";
import { writeTree } from "../support/repository.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { everyStorageContract } from "./every-storage.ts";

/** With room for all that the contract stores: a limit that is not reached changes nothing. */
const LIMITS = {
  quota: { quotaBytes: 2 ** 40, keepFreeBytes: 0 },
  "room to keep": { quotaBytes: undefined, keepFreeBytes: 1 },
  both: { quotaBytes: 2 ** 40, keepFreeBytes: 1 },
};

for (const [what, limits] of Object.entries(LIMITS)) {
  const wrap = (inner: Storage) => {
    const disk = new SizedDisk(inner, () => 2 ** 40);
    return new BoundedStorage(disk, new CountedBudget(disk, limits, () => performance.now()));
  };

  everyStorageContract(`BoundedStorage (${what}) over MemoryStorage`, async () => {
    const inner = new MemoryStorage();
    return {
      storage: wrap(inner),
      put: (path, content, modifiedAt) => inner.set(path, Buffer.from(content as string), modifiedAt),
      [Symbol.dispose]: () => {},
    };
  });

  everyStorageContract(`BoundedStorage (${what}) over FewFilesStorage over LocalStorage`, async () => {
    const folder = new TempFolder();
    return {
      storage: wrap(new FewFilesStorage(await LocalStorage.at(folder.path), 1_000)),
      put(path, content, modifiedAt) {
        writeTree(folder.path, { [path]: content });
        if (modifiedAt !== undefined) utimesSync(folder.join(path), new Date(modifiedAt), new Date(modifiedAt));
      },
      [Symbol.dispose]: () => folder[Symbol.dispose](),
    };
  });
}
