import { escapeText, toJson } from "../escape.ts";
import type { Command } from "../program.ts";
import { CONNECTION_FLAGS, withClient } from "./connection.ts";
import { forEachPath } from "./each-path.ts";
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
    return withClient(flags, io, (client) =>
      forEachPath(paths, { io, json }, async (path) => {
        await client.remove(path, flags["recursive"] === true);
        await io.out(json ? `${toJson({ event: "removed", path })}\n` : `Removed ${escapeText(path)}\n`);
      }),
    );
  },
};
