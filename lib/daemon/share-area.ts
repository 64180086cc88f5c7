import fs from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { CommError, StorageError } from "../errors.ts";
import { quote } from "../quote.ts";
import type { ShareArea } from "../server/shares/shares.ts";
import { systemClock } from "../session/clock.ts";
import { privatePlaces } from "../state/private.ts";
import { BoundedStorage } from "../storage/bounded.ts";
import { CountedBudget } from "../storage/counted-budget.ts";
import { LocalStorage } from "../storage/local/local.ts";
import { foldLocalPath, isAtOrBelow } from "../storage/local/private/reserved-names.ts";
import { realPath } from "../storage/local/real-path.ts";
import type { DaemonSettings } from "./settings.ts";

/** Only these are removed at the start. */
const ID = /^share-[0-9a-f]{12}$/;

/**
 * The folder for the files of shares, each in a folder of its own. What an earlier run has left is removed.
 *
 * @throws StorageError OWN_STATE for a folder of the repository, or around it; NO_SUCH_FILE, DISK_DENIED, DISK_FAILED
 */
export async function openShareArea(settings: DaemonSettings, repository: string): Promise<ShareArea | undefined> {
  const { sharing, budget, stateDir } = settings;
  if (sharing === undefined) return undefined;
  const root = await rootOf(sharing.folder);
  const [area, served] = [foldLocalPath(root), foldLocalPath(repository)];
  if (isAtOrBelow(area, served) || isAtOrBelow(served, area)) {
    throw new StorageError("OWN_STATE", `Shares need a folder apart from the repository: ${quote(root)} is not.`);
  }
  const remove = (id: string) => rm(join(root, id), { recursive: true, force: true });
  for (const name of await readdir(root)) if (ID.test(name)) await remove(name);
  const limits = { quotaBytes: sharing.bytes, keepFreeBytes: budget.keepFreeBytes };
  return {
    async open(id) {
      const folder = join(root, id);
      await mkdir(folder, { mode: 0o700 }).catch((cause) => {
        throw new CommError("INTERNAL", "The server can't make the folder of the share.", { cause });
      });
      const local = await LocalStorage.at(folder, { places: privatePlaces(stateDir, []) });
      return new BoundedStorage(local, new CountedBudget(local, limits, () => systemClock.now()));
    },
    remove,
  };
}

/** Made if it is missing. */
async function rootOf(folder: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const root = realPath(folder);
    fs.accessSync(root, fs.constants.R_OK | fs.constants.W_OK | fs.constants.X_OK);
    return root;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new StorageError("DISK_DENIED", `The folder for shares ${quote(folder)} can't be used: ${why}.`, { cause });
  }
}
