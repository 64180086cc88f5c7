import { findNamed } from "../../client/asked.ts";
import type { Asked } from "../../client/asked-params.ts";
import type { Client } from "../../client/client.ts";
import { CommError } from "../../errors.ts";
import { formatBytes } from "../../format-bytes.ts";
import { joinPath } from "../../path.ts";
import { quote } from "../../quote.ts";
import type { Command } from "../command.ts";
import type { ConsoleIo } from "../console-io.ts";
import { escapeText, toJson } from "../escape.ts";
import { formatTable } from "../format.ts";
import { CONNECTION_FLAGS, readConnectSettings } from "./connect-settings.ts";
import { typedSource } from "./typed-paths.ts";
import { withClient } from "./with-connection.ts";

export const du: Command = {
  description: "How much folders of the repository hold",
  args: {
    path: {
      type: "positional",
      valueHint: "…",
      required: false,
      description: "Folders, files or patterns; default: what is at the top",
    },
    ...CONNECTION_FLAGS,
  },
  async run(flags, io) {
    const sources = flags._.map(typedSource);
    const settings = await readConnectSettings(flags);
    return withClient(settings, io, async (client, signal) => {
      await showUsage(client, sources.length === 0 ? [""] : sources, { io, json: settings.isJson, signal });
      return 0;
    });
  },
};

/** What a path holds: its files, and their bytes. */
interface Usage {
  readonly path: string;
  files: number;
  bytes: number;
}

/**
 * Show what the sources hold. Of a single folder, each entry in it has a line of its own.
 *
 * @throws as Client.stat() and Client.list()
 */
export async function showUsage(
  client: Client,
  sources: readonly string[],
  { io, json, signal }: { io: ConsoleIo; json: boolean; signal: AbortSignal },
): Promise<void> {
  const usages: Usage[] = [];
  for (const source of sources) usages.push(...(await usagesOf(client, source, sources.length === 1, signal)));
  usages.sort((a, b) => b.bytes - a.bytes || (a.path < b.path ? -1 : 1));
  if (json) return io.out(`${toJson(usages)}\n`);
  const total = { path: "in all", ...sum(usages) };
  const rows = (usages.length > 1 ? [...usages, total] : usages).map(({ path, files, bytes }) => [
    formatBytes(bytes).padStart(7),
    `${files}`.padStart(5),
    escapeText(path === "" ? "." : path),
  ]);
  if (rows.length === 0) io.note("There is nothing in it.");
  else await io.out(`${formatTable(["   SIZE", "FILES", "OF"], rows, io.outColumns)}\n`);
}

async function usagesOf(client: Client, source: string, isDetailed: boolean, signal: AbortSignal): Promise<Usage[]> {
  const named = source === "" ? undefined : await findNamed(client, source);
  const isFolder = source === "" || named?.kind === "folder";
  const usages = new Map<string, Usage>();
  for await (const { path, kind, size } of client.list(askedIn(source, named !== undefined), signal)) {
    const key = isDetailed && isFolder ? childOf(source, path) : source;
    const usage = usages.get(key) ?? { path: key, files: 0, bytes: 0 };
    usages.set(key, usage);
    if (kind !== "file") continue;
    usage.files++;
    usage.bytes += size;
  }
  if (usages.size > 0 || (isDetailed && isFolder)) return [...usages.values()];
  if (named === undefined) throw new CommError("NOT_FOUND", `Nothing matches ${quote(source)}.`);
  return [{ path: source, files: 0, bytes: 0 }];
}

/** A pattern's matches, and what is in them. */
function askedIn(source: string, isNamed: boolean): Asked | undefined {
  if (source === "") return undefined;
  return isNamed ? { path: source } : `{${source},${source}/**}`;
}

/** The entry of `folder` that is `path`, or has it in it. */
function childOf(folder: string, path: string): string {
  const [first = ""] = (folder === "" ? path : path.slice(folder.length + 1)).split("/");
  return joinPath(folder, first);
}

function sum(usages: readonly Usage[]): { files: number; bytes: number } {
  return {
    files: usages.reduce((files, usage) => files + usage.files, 0),
    bytes: usages.reduce((bytes, usage) => bytes + usage.bytes, 0),
  };
}
