import fs from "node:fs";
import { errnoOf } from "../../errno.ts";
import type { ExistsPolicy, FileFacts } from "../storage.ts";
import { discardFile } from "./discard-file.ts";
import type { FileHome } from "./file-home.ts";
import { finishFile, setTimes } from "./file-io.ts";
import { uniquePartName } from "./names/part-names.ts";
import type { OpenFolder } from "./open-folder.ts";
import { publish } from "./publish.ts";
import { rightsFor, takeRights } from "./replaced-rights.ts";
import { fileMode, isWider, makeExecutable, OWN_FILE } from "./rights.ts";

const MAX_TRIES = 8;

/**
 * Store a file of these bytes: complete and durable before it is visible. It makes few system calls, since it may be
 * one of ten thousand files.
 *
 * @returns the name that it got, as publish(); not a promise on disks where nothing is durable
 * @throws StorageError EXISTS; the system's error
 */
export function storeSmall(
  home: FileHome,
  bytes: Uint8Array,
  facts: FileFacts,
  exists: ExistsPolicy,
): string | Promise<string> {
  const { folder, name } = home;
  const { mode, replaced } = rightsFor(folder, name, facts, exists);
  const { part, fd } = createPart(folder, name, fileMode(mode));
  try {
    for (let offset = 0; offset < bytes.length; ) {
      offset += fs.writeSync(fd, bytes, offset, bytes.length - offset, offset);
    }
    home.losses.try("times", () => setTimes(fd, facts));
    if (replaced !== undefined && !isWider(fs.fstatSync(fd), OWN_FILE)) {
      home.losses.try("rights", () => takeRights(fd, replaced));
    } else if (replaced === undefined && facts.mode === undefined && facts.executable) {
      home.losses.try("rights", () => makeExecutable(fd));
    }
  } catch (error) {
    discardFile(fd, folder.at(part));
    throw error;
  }
  return folder.isDurable ? storeDurably(home, part, fd, exists) : publishPart(folder, part, name, fd, exists);
}

/** Among a million parts, one in four thousand finds its random name taken: then try another one. */
function createPart(folder: OpenFolder, name: string, mode: number): { part: string; fd: number } {
  for (let tries = 1; ; tries++) {
    const part = uniquePartName(name);
    try {
      return { part, fd: folder.create(part, mode) };
    } catch (cause) {
      if (errnoOf(cause) !== "EEXIST" || tries === MAX_TRIES) throw cause;
    }
  }
}

async function storeDurably(home: FileHome, part: string, fd: number, exists: ExistsPolicy): Promise<string> {
  const { folder, name } = home;
  try {
    await finishFile(fd);
    home.requireHere();
  } catch (error) {
    discardFile(fd, folder.at(part));
    throw error;
  }
  const published = publishPart(folder, part, name, fd, exists);
  await home.sync();
  return published;
}

function publishPart(folder: OpenFolder, part: string, name: string, fd: number, exists: ExistsPolicy): string {
  fs.closeSync(fd);
  try {
    return publish(folder, part, name, exists);
  } catch (error) {
    fs.rmSync(folder.at(part), { force: true });
    throw error;
  }
}
