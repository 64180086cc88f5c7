import type { Client } from "../../client/client.ts";
import type { Command } from "../command.ts";
import type { ConsoleIo } from "../console-io.ts";
import { escapeText, toJson } from "../escape.ts";
import { CONNECTION_FLAGS, readConnectSettings } from "./connect-settings.ts";
import { forEachPath } from "./each-path.ts";
import { typedPath } from "./typed-paths.ts";
import { withClient } from "./with-connection.ts";

export const remove: Command = {
  description: "Remove files or folders from the repository",
  args: {
    path: { type: "positional", valueHint: "…", description: "Files or folders of the repository" },
    recursive: { type: "boolean", alias: "r", description: "Remove folders and everything in them" },
    ...CONNECTION_FLAGS,
  },
  typedOnly: ["recursive"],
  completes: { path: "remote" },
  async run(flags, io) {
    const paths = flags._.map(typedPath);
    const settings = await readConnectSettings(flags);
    const terms = { recursive: flags["recursive"] === true, io, json: settings.isJson };
    return withClient(settings, io, (client) => removeAll(client, paths, terms));
  },
};

/** @returns the exit code of the first failure @throws as forEachPath() */
export function removeAll(
  client: Client,
  paths: readonly string[],
  { recursive, io, json }: { recursive: boolean; io: ConsoleIo; json: boolean },
): Promise<number> {
  return forEachPath(paths, { io, json, command: "remove" }, async (path) => {
    await client.remove(path, recursive);
    await io.out(json ? `${toJson({ event: "removed", path })}\n` : `Removed ${escapeText(path)}\n`);
  });
}
