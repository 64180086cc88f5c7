import type { Digest64 } from "../block.ts";
import { CommError, RemoteError, toCommError } from "../errors.ts";
import { baseName, parentOf } from "../path.ts";
import { quote } from "../quote.ts";
import type { Clock } from "../session/clock.ts";
import type { StorageEntry } from "../storage/storage.ts";
import type { Client } from "./client.ts";
import type { Connection } from "./connection.ts";
import { sendJob } from "./send-job.ts";
import type { SendTree } from "./send-plan.ts";

export interface MakeFolderTerms {
  /** A folder that is there already is no error. */
  readonly isParents: boolean;
  readonly clock: Clock;
  readonly digest64: Digest64;
  readonly signal: AbortSignal;
}

/**
 * Make a folder of the repository, and those above it. It is made by a `put` that has only the folder.
 *
 * @returns false when it was there
 * @throws CommError EXISTS; as Client.stat(), TransferJob.run()
 */
export async function makeFolder(
  connection: Connection,
  path: string,
  { isParents, clock, digest64, signal }: MakeFolderTerms,
): Promise<boolean> {
  const kind = await kindOf(connection.client, path);
  if (kind === "folder" && isParents) return false;
  if (kind !== undefined) throw new CommError("EXISTS", `There is a ${kind} ${quote(path)} already.`);
  const entry: StorageEntry = {
    path: "",
    kind: "folder",
    size: 0,
    modifiedAt: clock.wallTime(),
    executable: false,
    etag: "",
  };
  let failure: CommError | undefined;
  const fail = (_: unknown, error: CommError) => {
    failure ??= error;
  };
  const job = sendJob({
    connection,
    exists: "fail",
    clock,
    digest64,
    signal,
    events: { onFailed: fail, onSourceFailed: fail },
    sources: [baseName(path)],
    here: {
      find: async (name) => ({ kind: "folder", name, open: async () => emptyTree(entry) }),
      takeHidden: () => [],
    },
    to: parentOf(path),
  });
  await job.run();
  if (failure !== undefined) throw failure;
  return true;
}

/** A folder of this machine that exists only to be sent. */
function emptyTree(entry: StorageEntry): SendTree {
  const none = async (): Promise<never> => {
    throw new CommError("NO_SUCH_FILE", "The folder is empty.");
  };
  return { open: none, load: none, stat: async () => entry, async *list() {} };
}

async function kindOf(client: Client, path: string): Promise<string | undefined> {
  try {
    return (await client.stat(path)).kind;
  } catch (thrown) {
    const error = toCommError(thrown);
    if (error instanceof RemoteError && error.code === "NOT_FOUND") return undefined;
    throw thrown;
  }
}
