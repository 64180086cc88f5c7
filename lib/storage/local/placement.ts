import fs from "node:fs";
import { errnoOf } from "../../errno.ts";
import { storageFault } from "../../storage-faults.ts";
import { copyName } from "../copy-name.ts";
import { type ExistsPolicy, type FileFacts, isSmall, type Placement } from "../storage.ts";
import type { Folders } from "./folders.ts";
import { Journal } from "./journal.ts";
import { countOf } from "./local-file.ts";
import { resumableNames } from "./names/part-names.ts";
import type { OpenFolder } from "./open-folder.ts";

/** As Storage.place(). @throws StorageError EXISTS, NOT_ALLOWED; the system's error */
export function placementOf(
  folders: Folders,
  path: string,
  facts: Pick<FileFacts, "size" | "modifiedAt">,
  exists: ExistsPolicy,
  isAnothers: boolean,
): Placement {
  let folder: OpenFolder | undefined;
  try {
    const holder = folders.changeable(path);
    folder = holder.folder;
    for (let copy = 0; ; copy++) {
      const name = copy === 0 ? holder.name : copyName(holder.name, copy);
      const tried = path.slice(0, path.length - holder.name.length) + name;
      const there = fs.lstatSync(folder.at(name), { bigint: true, throwIfNoEntry: false });
      if (there !== undefined) folders.guard.requirePublic(path, there, { folder, name });
      const isItsOwn = copy > 0 || !isAnothers;
      if (isItsOwn && there?.isFile() && countOf(there.size) === facts.size) {
        if (folders.memory.times.isKept(folder, there, facts.modifiedAt)) return { outcome: "unchanged", path: tried };
      }
      const isReplaced = isItsOwn && exists === "overwrite" && (there?.isFile() || there?.isSymbolicLink());
      if (there === undefined || isReplaced) return vacancy(folder, tried, name, facts.size);
      if (exists === "skip") return { outcome: "skipped", path };
      if (exists === "rename") continue;
      if (!isItsOwn) throw storageFault.sameName(path);
      throw there.isFile() ? storageFault.exists(path) : storageFault.noFile(path);
    }
  } catch (cause) {
    if (errnoOf(cause) === "ENOENT") return { outcome: "vacant", path }; // no folder yet
    if (["ENOTDIR", "ELOOP"].includes(errnoOf(cause))) throw storageFault.noFolderOnTheWay(path, cause);
    throw cause;
  } finally {
    folder?.release();
  }
}

/** The file can be stored here; with the part of it that is there already, and the part's source. */
function vacancy(folder: OpenFolder, path: string, name: string, size: number): Placement {
  const names = resumableNames(name);
  const found = isSmall({ size }) ? undefined : Journal.peek(folder.at(names.journal));
  if (found?.facts.size !== size || !fs.existsSync(folder.at(names.part))) return { outcome: "vacant", path };
  return { outcome: "vacant", path, resume: { etag: found.facts.etag, missing: found.missing } };
}
