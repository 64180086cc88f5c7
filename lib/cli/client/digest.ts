import { digestAll } from "../../client/digests.ts";
import type { DigestResult } from "../../protocol/methods.ts";
import { systemClock } from "../../session/clock.ts";
import { digest64 } from "../../storage/digest64.ts";
import { escapeText, toJson } from "../escape.ts";
import type { Command } from "../program.ts";
import { reportError } from "../report.ts";
import { CONNECTION_FLAGS, withClient } from "./connection.ts";
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
    const show = (path: string, { sha256, size, modifiedAt }: DigestResult) =>
      io.out(json ? `${toJson({ path, sha256, size, modifiedAt })}\n` : `${sha256}  ${escapeText(path)}\n`);
    return withClient(flags, io, async (client, signal) => {
      const [first] = paths;
      if (paths.length === 1 && first !== undefined) {
        await show(first, await client.digest(first));
        return 0;
      }
      let exit = 0;
      await digestAll(client, paths, {
        clock: systemClock,
        digest64,
        signal,
        onDigest: show,
        onFailed(_, error) {
          exit ||= reportError(error, io, { program: "commserver-client", json });
        },
      });
      return exit;
    });
  },
};
