import { utimesSync } from "node:fs";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import { MemoryStorage } from "../../lib/storage/memory-storage.ts";
import { writeTree } from "../support/repository.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { everyStorageContract } from "./every-storage.ts";

everyStorageContract("MemoryStorage", async () => {
  const storage = new MemoryStorage();
  return {
    storage,
    put: (path, content, modifiedAt) => storage.set(path, Buffer.from(content as string), modifiedAt),
    [Symbol.dispose]: () => {},
  };
});

everyStorageContract("LocalStorage", async () => {
  const folder = new TempFolder();
  return {
    storage: await LocalStorage.at(folder.path),
    put(path, content, modifiedAt) {
      writeTree(folder.path, { [path]: content });
      // A Date: seconds as a number lose milliseconds.
      if (modifiedAt !== undefined) utimesSync(folder.join(path), new Date(modifiedAt), new Date(modifiedAt));
    },
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
});
