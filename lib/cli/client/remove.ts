import { escapeText, toJson } from "../escape.ts";
import type { Command } from "../program.ts";
import { reportError } from "../report.ts";
import { CONNECTION_FLAGS, withClient } from "./connection.ts";
import { typedPath } from "./fetch-plan.ts";

export const remove: Command = {
  description: "Remove files or folders from the repository",
  args: {
    path: { type: "positional", valueHint: "…", description: "Files or folders of the repository" },
    recursive: { type: "boolean", alias: "r", description: "Folders with all that is below them" },
    ...CONNECTION_FLAGS,
  },
  run(flags, io) {
    const paths = flags._.map(typedPath);
    const json = flags["json"] === true;
    return withClient(flags, io, async (client) => {
      let exit = 0;
      for (const path of paths) {
        try {
          await client.remove(path, flags["recursive"] === true);
          await io.out(json ? `${toJson({ event: "removed", path })}\n` : `Removed ${escapeText(path)}\n`);
        } catch (thrown) {
          if (paths.length === 1) throw thrown;
          exit ||= reportError(thrown, io, { program: "commserver-client", json });
        }
      }
      return exit;
    });
  },
};
