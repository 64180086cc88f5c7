import type { Client } from "../../client/client.ts";
import type { Connection } from "../../client/connection.ts";
import { sendJob } from "../../client/send-job.ts";
import type { SendTree } from "../../client/send-plan.ts";
import { CommError, RemoteError, toCommError } from "../../errors.ts";
import { baseName, parentOf } from "../../path.ts";
import { quote } from "../../quote.ts";
import { systemClock } from "../../session/clock.ts";
import { digest64 } from "../../storage/digest64.ts";
import type { StorageEntry } from "../../storage/storage.ts";
import type { Command } from "../command.ts";
import type { ConsoleIo } from "../console-io.ts";
import { escapeText, toJson } from "../escape.ts";
import { CONNECTION_FLAGS, RECONNECT_FLAGS, readConnectSettings } from "./connect-settings.ts";
import { forEachPath } from "./each-path.ts";
import { typedNewPath } from "./typed-paths.ts";
import { withConnection } from "./with-connection.ts";

export const mkdir: Command = {
  description: "Make folders in the repository, and those above them",
  args: {
    path: { type: "positional", valueHint: "…", description: "Folders to make" },
    parents: { type: "boolean", alias: "p", description: "No error if a folder is there already" },
    ...RECONNECT_FLAGS,
    ...CONNECTION_FLAGS,
  },
  async run(flags, io) {
    const paths = flags._.map((path) => typedNewPath(path));
    const settings = await readConnectSettings(flags);
    const isParents = flags["parents"] === true;
    return withConnection(settings, io, (connection, signal) =>
      makeFolders(connection, paths, { isParents, io, json: settings.isJson, signal }),
    );
  },
};

export interface MkdirTerms {
  /** A folder that is there already is no error. */
  readonly isParents: boolean;
  readonly io: ConsoleIo;
  readonly json: boolean;
  readonly signal: AbortSignal;
}

/** @returns the exit code of the first failure @throws as forEachPath() */
export function makeFolders(connection: Connection, paths: readonly string[], terms: MkdirTerms): Promise<number> {
  const { io, json } = terms;
  return forEachPath(paths, { io, json }, async (path) => {
    const isMade = await makeFolder(connection, path, terms);
    if (json) await io.out(`${toJson({ event: "made", path, isNew: isMade })}\n`);
    else if (isMade) await io.out(`Made ${escapeText(path)}/\n`);
    return 0;
  });
}

/** A folder is made by a `put` that has only the folder. @returns false when it was there @throws as Client.stat() */
async function makeFolder(connection: Connection, path: string, { isParents, signal }: MkdirTerms): Promise<boolean> {
  const kind = await kindOf(connection.client, path);
  if (kind === "folder" && isParents) return false;
  if (kind !== undefined) throw new CommError("EXISTS", `There is a ${kind} ${quote(path)} already.`);
  const entry: StorageEntry = {
    path: "",
    kind: "folder",
    size: 0,
    modifiedAt: Date.now(),
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
    clock: systemClock,
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
