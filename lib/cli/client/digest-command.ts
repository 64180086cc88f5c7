import type { Connection } from "../../client/connection.ts";
import { type DigestSourcesOptions, digestSources } from "../../client/digest-sources.ts";
import type { CommError } from "../../errors.ts";
import { escapeGlob, isGlob } from "../../glob.ts";
import { joinPath } from "../../path.ts";
import { systemClock } from "../../session/clock.ts";
import { digest64 } from "../../storage/digest64.ts";
import type { Command } from "../command.ts";
import { isTyped } from "../configuration/origins.ts";
import type { ConsoleIo } from "../console-io.ts";
import { escapeText, toJson } from "../escape.ts";
import type { Flags } from "../flags.ts";
import { LineWriter } from "../line-writer.ts";
import { reportError } from "../report.ts";
import { UsageError } from "../usage-error.ts";
import { CONNECTION_FLAGS, RECONNECT_FLAGS, readConnectSettings } from "./connect-settings.ts";
import { givenItems } from "./given-items.ts";
import { describeLeftOut } from "./left-out-line.ts";
import { NAMES_FILE_FLAGS, NAMES_FILE_TYPED, type NamesFile, namesFile } from "./names-file.ts";
import { requireOneInput } from "./standard-input.ts";
import { type CheckRequest, checkDigests } from "./sum-check.ts";
import { formatSum } from "./sum-line.ts";
import { typedFolder, typedPath, typedSource, withSlash } from "./typed-paths.ts";
import { withConnection } from "./with-connection.ts";

/** Lines that may wait for a slow reader. */
const LINES_AHEAD = 512;

export const digest: Command = {
  description: "Show the SHA-256 of files, or check them, as sha256sum does",
  args: {
    path: {
      type: "positional",
      valueHint: "…",
      required: false,
      description: "Files, folders or patterns of the repository; . for everything",
    },
    check: {
      type: "string",
      alias: "c",
      valueHint: "FILE",
      description: "Check the repository's files against this list of sha256sum; -: standard input",
    },
    in: { type: "string", valueHint: "DIR", description: "The folder of the repository in which names begin" },
    quiet: { type: "boolean", description: "With --check: show only what differs" },
    "ignore-missing": { type: "boolean", description: "With --check: leave out what the repository does not have" },
    strict: { type: "boolean", description: "With --check: fail if a line can't be read" },
    ...NAMES_FILE_FLAGS,
    ...RECONNECT_FLAGS,
    ...CONNECTION_FLAGS,
  },
  typedOnly: ["check", "in", "quiet", "ignore-missing", ...NAMES_FILE_TYPED],
  completes: { path: "remote", in: "remote folder", check: "file" },
  async run(flags, io) {
    const request = digestRequest(flags);
    const settings = await readConnectSettings(flags);
    return withConnection(settings, io, (connection, signal) =>
      showDigests(connection, request, { io, json: settings.isJson, signal }),
    );
  },
};

export interface DigestRequest {
  /** Files, folders and patterns; "" is everything. */
  readonly sources: readonly string[];
  /** More of them. */
  readonly names?: NamesFile | undefined;
  /** The folder in which they and the shown names begin; "" is the root. */
  readonly folder: string;
  /** The list to check. */
  readonly check?: CheckRequest | undefined;
}

export interface DigestTerms {
  readonly io: ConsoleIo;
  readonly json: boolean;
  readonly signal: AbortSignal;
}

/** The request that the flags make. @throws UsageError, StorageError BAD_PATH */
export function digestRequest(flags: Flags): DigestRequest {
  requireOneInput(flags);
  const folder = flags["in"] === undefined ? "" : typedFolder(String(flags["in"]));
  const sources = flags._.map(typedSource);
  if (flags["check"] !== undefined) {
    if (sources.length > 0) throw new UsageError("With --check, the list has the names.");
    const check = {
      file: String(flags["check"]),
      isQuiet: flags["quiet"] === true,
      ignoresMissing: flags["ignore-missing"] === true,
      isStrict: flags["strict"] === true,
    };
    return { sources, folder, check };
  }
  const surplus = ["quiet", "ignore-missing", "strict"].find((name) => flags[name] === true && isTyped(flags, name));
  if (surplus !== undefined) throw new UsageError(`--${surplus} is for --check.`);
  const isAll = sources.length === 0 && folder !== "" && flags["files-from"] === undefined;
  const names = isAll ? undefined : namesFile(flags);
  if (names !== undefined) return { sources, names, folder };
  return { sources: sources.length === 0 ? [""] : sources, folder };
}

/**
 * Print the digests, or with `check` how the files differ from those of the list.
 *
 * @returns the exit code of the first failure
 * @throws as digestSources(), checkDigests()
 */
export async function showDigests(
  connection: Connection,
  { sources, names, folder, check }: DigestRequest,
  { io, json, signal }: DigestTerms,
): Promise<number> {
  const lines = new LineWriter((text) => io.out(text));
  const common = { connection, clock: systemClock, digest64, signal };
  if (check !== undefined) return checkDigests({ ...check, folder }, { ...common, io, json, lines });
  let [exit, count] = [0, 0];
  const named = (path: string) => (folder === "" ? path : path.slice(folder.length + 1));
  const options: DigestSourcesOptions = {
    ...common,
    async onDigest(path, { sha256, size, modifiedAt }) {
      const name = named(path);
      // Only a terminal needs the escapes: sha256sum reads names as they are.
      const line = formatSum(io.outIsTty ? escapeText(name) : name, sha256);
      lines.add(json ? toJson({ path: name, sha256, size, modifiedAt }) : line);
      if (++count % LINES_AHEAD === 0) await lines.flush();
    },
    onFailed(path, error: CommError) {
      // Every failure is reported; the exit code is that of the first.
      const code = reportError(withSlash(error, path), io, { program: "commserver-client", json });
      exit ||= code;
    },
    onLeftOut(left) {
      const { path, code, why } = left;
      io.note(json ? toJson({ event: "left-out", path, code, message: why }) : describeLeftOut(left));
    },
  };
  try {
    for await (const some of names === undefined ? [sources] : givenItems(names.file, { isNul: names.isNul, signal })) {
      const areNames = names !== undefined;
      const typed = some.map((source) => (areNames ? joinPath(folder, typedPath(source)) : sourceIn(folder, source)));
      await digestSources(typed, { ...options, areNames });
    }
  } finally {
    await lines.flush();
  }
  return exit;
}

/** A source that was typed in a folder. */
function sourceIn(folder: string, source: string): string {
  if (source === "" || folder === "") return joinPath(folder, source);
  return joinPath(isGlob(source) ? escapeGlob(folder) : folder, source);
}
