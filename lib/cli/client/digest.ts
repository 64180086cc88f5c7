import { escapeText, toJson } from "../escape.ts";
import type { Command } from "../program.ts";
import { CONNECTION_FLAGS, withClient } from "./connection.ts";
import { forEachPath } from "./each-path.ts";
import { typedPath } from "./fetch-plan.ts";

export const digest: Command = {
  description: "Show the SHA-256 of files of the repository, as sha256sum does",
  args: {
    path: { type: "positional", valueHint: "…", description: "Files of the repository" },
    ...CONNECTION_FLAGS,
  },
  run(flags, io) {
    const paths = flags._.map(typedPath);
    const json = flags["json"] === true;
    return withClient(flags, io, (client) =>
      forEachPath(paths, { io, json }, async (path) => {
        const { sha256, size, modifiedAt } = await client.digest(path);
        await io.out(json ? `${toJson({ path, sha256, size, modifiedAt })}\n` : `${sha256}  ${escapeText(path)}\n`);
      }),
    );
  },
};
