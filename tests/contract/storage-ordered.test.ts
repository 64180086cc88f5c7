import { utimesSync } from "node:fs";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import { MemoryStorage } from "../../lib/storage/memory-storage.ts";
import { OrderedStorage, PathTurns } from "../../lib/storage/ordered.ts";
import { writeTree } from "../support/repository.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { everyStorageContract } from "./every-storage.ts";

everyStorageContract("OrderedStorage over MemoryStorage", async () => {
  const inner = new MemoryStorage();
  return {
    storage: new OrderedStorage(inner, new PathTurns()),
    put: (path, content, modifiedAt) => inner.set(path, Buffer.from(content as string), modifiedAt),
    [Symbol.dispose]: () => {},
  };
});

everyStorageContract("OrderedStorage over LocalStorage", async () => {
  const folder = new TempFolder();
  return {
    storage: new OrderedStorage(await LocalStorage.at(folder.path), new PathTurns()),
    put(path, content, modifiedAt) {
      writeTree(folder.path, { [path]: content });
      if (modifiedAt !== undefined) utimesSync(folder.join(path), new Date(modifiedAt), new Date(modifiedAt));
    },
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
});
