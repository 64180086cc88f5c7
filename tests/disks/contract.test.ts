import { afterAll, describe } from "bun:test";
import { mkdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import { everyStorageContract } from "../contract/every-storage.ts";
import { DISKS, type Disk } from "../support/disks.ts";
import { isSkipped, namedWhy } from "../support/launched.ts";
import { writeTree } from "../support/repository.ts";

for (const kind of DISKS) {
  describe.skipIf(isSkipped(kind.missing))(namedWhy(`on ${kind.name}`, kind.missing), () => {
    // One for all of it: to make a disk takes longer than a test.
    let disk: Disk | undefined;
    let tests = 0;
    afterAll(() => disk?.[Symbol.asyncDispose]());

    everyStorageContract(
      "LocalStorage",
      async () => {
        disk ??= await kind.open();
        const path = join(disk.path, `test ${++tests}`);
        mkdirSync(path);
        return {
          storage: await LocalStorage.at(path),
          put(file, content, modifiedAt) {
            writeTree(path, { [file]: content });
            if (modifiedAt !== undefined) utimesSync(join(path, file), new Date(modifiedAt), new Date(modifiedAt));
          },
          // Not rmSync(): where an open file that is removed gets another name, on FUSE, Bun 1.4.5 tries for ever.
          [Symbol.dispose]: () => void Bun.spawnSync(["rm", "-rf", path]),
        };
      },
      kind,
    );
  });
}
