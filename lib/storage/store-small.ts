import fs from "node:fs";
import type { OpenFolder } from "./open-folder.ts";
import { finishFile, setTimes } from "./part-file.ts";
import { uniquePartName } from "./part-names.ts";
import { publish } from "./publish.ts";
import type { ExistsPolicy, FileFacts } from "./storage.ts";

/**
 * Make the file `name` of these bytes: whole, durable, and visible only then. Nothing waits but what a disk must do, so
 * ten thousand files are ten thousand times a few calls of the system.
 *
 * @returns the name that it got, as publish()
 * @throws StorageError EXISTS; the system's error
 */
export async function storeSmall(
  folder: OpenFolder,
  name: string,
  bytes: Uint8Array,
  facts: FileFacts,
  exists: ExistsPolicy,
): Promise<string> {
  const part = uniquePartName(name);
  const fd = folder.create(part);
  let isOpen = true;
  try {
    for (let offset = 0; offset < bytes.length; ) {
      offset += fs.writeSync(fd, bytes, offset, bytes.length - offset, offset);
    }
    setTimes(fd, facts);
    if (folder.isDurable) await finishFile(fd);
    isOpen = false;
    fs.closeSync(fd);
    const published = publish(folder, part, name, exists);
    if (folder.isDurable) await folder.sync();
    return published;
  } catch (error) {
    if (isOpen) fs.closeSync(fd);
    fs.rmSync(folder.at(part), { force: true });
    throw error;
  }
}
