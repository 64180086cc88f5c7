import type { Command } from "../command.ts";
import { escapeText, toJson } from "../escape.ts";
import { CONNECTION_FLAGS, readConnectSettings } from "./connect-settings.ts";
import { typedNewPath, typedPath } from "./typed-paths.ts";
import { withClient } from "./with-connection.ts";

export const rename: Command = {
  description: "Rename or move a file or folder of the repository",
  args: {
    from: { type: "positional", description: "A file or folder of the repository" },
    to: { type: "positional", description: "Its new path" },
    overwrite: { type: "boolean", description: "Replace a file that exists" },
    ...CONNECTION_FLAGS,
  },
  completes: { from: "remote", to: "remote" },
  async run(flags, io) {
    const [from, to] = namesOf(flags._);
    const overwrite = flags["overwrite"] === true;
    const settings = await readConnectSettings(flags);
    return withClient(settings, io, async (client) => {
      await client.rename(from, to, overwrite);
      const text = `Renamed ${escapeText(from)} to ${escapeText(to)}`;
      await io.out(settings.isJson ? `${toJson({ event: "renamed", from, to })}\n` : `${text}\n`);
      return 0;
    });
  },
};

/** The old path and the new one. @throws StorageError BAD_PATH */
export function namesOf([from = "", to = ""]: readonly string[]): [from: string, to: string] {
  return [typedPath(from), typedNewPath(to)];
}
