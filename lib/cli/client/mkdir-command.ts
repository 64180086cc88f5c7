import type { Connection } from "../../client/connection.ts";
import { makeFolder } from "../../client/make-folder.ts";
import { systemClock } from "../../session/clock.ts";
import { digest64 } from "../../storage/digest64.ts";
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
  return forEachPath(paths, { io, json, command: "mkdir" }, async (path) => {
    const isMade = await makeFolder(connection, path, { ...terms, clock: systemClock, digest64 });
    if (json) await io.out(`${toJson({ event: "made", path, isNew: isMade })}\n`);
    else if (isMade) await io.out(`Made ${escapeText(path)}/\n`);
    return 0;
  });
}
