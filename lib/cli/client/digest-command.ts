import type { Client } from "../../client/client.ts";
import { digestAll } from "../../client/digests.ts";
import type { DigestResult } from "../../protocol/methods.ts";
import { systemClock } from "../../session/clock.ts";
import { digest64 } from "../../storage/digest64.ts";
import type { Command } from "../command.ts";
import type { ConsoleIo } from "../console-io.ts";
import { escapeText, toJson } from "../escape.ts";
import { reportError } from "../report.ts";
import { CONNECTION_FLAGS, readConnectSettings } from "./connect-settings.ts";
import { inWords } from "./each-path.ts";
import { typedPath } from "./typed-paths.ts";
import { withClient } from "./with-connection.ts";

export const digest: Command = {
  description: "Show the SHA-256 of files of the repository, as sha256sum does",
  args: {
    path: { type: "positional", valueHint: "…", description: "Files of the repository" },
    ...CONNECTION_FLAGS,
  },
  completes: { path: "remote" },
  async run(flags, io) {
    const paths = flags._.map(typedPath);
    const settings = await readConnectSettings(flags);
    return withClient(settings, io, (client, signal) =>
      showDigests(client, paths, { io, json: settings.isJson, signal }),
    );
  },
};

/**
 * Print the digest of each path, or why it has none.
 *
 * @returns the exit code of the first failure
 * @throws the error of the only path; as digestAll()
 */
export async function showDigests(
  client: Client,
  paths: readonly string[],
  { io, json, signal }: { io: ConsoleIo; json: boolean; signal: AbortSignal },
): Promise<number> {
  const show = (path: string, { sha256, size, modifiedAt }: DigestResult) =>
    io.out(json ? `${toJson({ path, sha256, size, modifiedAt })}\n` : `${sha256}  ${escapeText(path)}\n`);
  const [first] = paths;
  if (paths.length === 1 && first !== undefined) {
    const found = await client.digest(first).catch((thrown) => {
      throw inWords(thrown, first, "digest");
    });
    await show(first, found);
    return 0;
  }
  let exit = 0;
  await digestAll(client, paths, {
    clock: systemClock,
    digest64,
    signal,
    onDigest: show,
    onFailed(path, error) {
      // Every failure is reported; the exit code is that of the first.
      const code = reportError(inWords(error, path, "digest"), io, { program: "commserver-client", json });
      exit ||= code;
    },
  });
  return exit;
}
