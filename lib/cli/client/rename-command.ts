import type { Client } from "../../client/client.ts";
import { baseName, joinPath } from "../../path.ts";
import type { Command } from "../command.ts";
import type { ConsoleIo } from "../console-io.ts";
import { escapeText, toJson } from "../escape.ts";
import { CONNECTION_FLAGS, readConnectSettings } from "./connect-settings.ts";
import { forEachPath } from "./each-path.ts";
import { typedFolder, typedNewPath, typedPath } from "./typed-paths.ts";
import { withClient } from "./with-connection.ts";

export const rename: Command = {
  description: "Rename or move files and folders of the repository",
  args: {
    from: { type: "positional", valueHint: "…", description: "Files or folders of the repository" },
    to: { type: "positional", description: "The new path; with / at its end, or for several: a folder" },
    overwrite: { type: "boolean", description: "Replace a file that exists" },
    ...CONNECTION_FLAGS,
  },
  completes: { from: "remote", to: "remote" },
  async run(flags, io) {
    const renames = renamesOf(flags._.slice(0, -1), flags._.at(-1) ?? "");
    const overwrite = flags["overwrite"] === true;
    const settings = await readConnectSettings(flags);
    return withClient(settings, io, (client) => renameAll(client, renames, { overwrite, io, json: settings.isJson }));
  },
};

/**
 * The new path of each old one: `to`, or with its own name in the folder `to`.
 *
 * @throws StorageError BAD_PATH
 */
export function renamesOf(from: readonly string[], to: string): ReadonlyMap<string, string> {
  const isInto = from.length > 1 || /(?:^|\/)\.?$/.test(to);
  const paths = from.map((typed) => typedPath(typed));
  if (!isInto || to === "") return new Map(paths.map((path) => [path, typedNewPath(to)]));
  const folder = typedFolder(to);
  return new Map(paths.map((path) => [path, joinPath(folder, baseName(path))]));
}

/** @returns the exit code of the first failure @throws as forEachPath() */
export function renameAll(
  client: Client,
  renames: ReadonlyMap<string, string>,
  { overwrite, io, json }: { overwrite: boolean; io: ConsoleIo; json: boolean },
): Promise<number> {
  return forEachPath([...renames.keys()], { io, json, command: "rename" }, async (from) => {
    const to = renames.get(from) ?? from;
    await client.rename(from, to, overwrite);
    const text = `Renamed ${escapeText(from)} to ${escapeText(to)}`;
    await io.out(json ? `${toJson({ event: "renamed", from, to })}\n` : `${text}\n`);
    return 0;
  });
}
