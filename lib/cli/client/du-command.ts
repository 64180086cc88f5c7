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
import { integerFlag } from "../flag-values.ts";
import type { Flags } from "../flags.ts";
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
    depth: {
      type: "string",
      valueHint: "N",
      description: "Levels of folders to show; default: 1 in one folder, else 0",
    },
    ...CONNECTION_FLAGS,
  },
  async run(flags, io) {
    const sources = flags._.map(typedSource);
    const depth = depthFlag(flags);
    const settings = await readConnectSettings(flags);
    return withClient(settings, io, async (client, signal) => {
      await showUsage(client, sources.length === 0 ? [""] : sources, { io, json: settings.isJson, depth, signal });
      return 0;
    });
  },
};

/** @throws UsageError */
export function depthFlag(flags: Flags): number | undefined {
  return flags["depth"] === undefined ? undefined : integerFlag(flags, "depth", 0, 128);
}

/** What a path holds: its files, and their bytes. */
interface Usage {
  readonly path: string;
  files: number;
  bytes: number;
  /** No other usage has it in it. */
  readonly isTop: boolean;
}

/**
 * Show what the sources hold, and what is in folders `depth` levels below them; absent: 1 for an only source.
 *
 * @throws as Client.stat() and Client.list()
 */
export async function showUsage(
  client: Client,
  sources: readonly string[],
  terms: { io: ConsoleIo; json: boolean; depth?: number | undefined; signal: AbortSignal },
): Promise<void> {
  const { io, json, signal, depth = sources.length === 1 ? 1 : 0 } = terms;
  const usages: Usage[] = [];
  for (const source of sources) usages.push(...(await usagesOf(client, source, depth, signal)));
  usages.sort((a, b) => b.bytes - a.bytes || (a.path < b.path ? -1 : 1));
  if (json) return io.out(`${toJson(usages.map(({ path, files, bytes }) => ({ path, files, bytes })))}\n`);
  const total = { path: "in all", ...sum(usages.filter(({ isTop }) => isTop)) };
  const rows = (usages.length > 1 ? [...usages, total] : usages).map(({ path, files, bytes }) => [
    formatBytes(bytes).padStart(7),
    `${files}`.padStart(5),
    escapeText(path === "" ? "." : path),
  ]);
  if (rows.length === 0) io.note("There is nothing in it.");
  else await io.out(`${formatTable(["   SIZE", "FILES", "OF"], rows, io.outColumns)}\n`);
}

async function usagesOf(client: Client, source: string, depth: number, signal: AbortSignal): Promise<Usage[]> {
  const named = source === "" ? undefined : await findNamed(client, source);
  const levels = source === "" || named?.kind === "folder" ? depth : 0;
  const usages = new Map<string, Usage>();
  for await (const { path, kind, size } of client.list(askedIn(source, named !== undefined), signal)) {
    for (const [level, key] of foldersOf(source, path, levels).entries()) {
      const usage = usages.get(key) ?? { path: key, files: 0, bytes: 0, isTop: level === 0 };
      usages.set(key, usage);
      if (kind !== "file") continue;
      usage.files++;
      usage.bytes += size;
    }
  }
  if (usages.size > 0 || levels > 0) return [...usages.values()];
  if (named === undefined && source !== "") throw new CommError("NOT_FOUND", `Nothing matches ${quote(source)}.`);
  return [{ path: source, files: 0, bytes: 0, isTop: true }];
}

/** A pattern's matches, and what is in them. */
function askedIn(source: string, isNamed: boolean): Asked | undefined {
  if (source === "") return undefined;
  return isNamed ? { path: source } : `{${source},${source}/**}`;
}

/** The entries on the way from `folder` to `path` and that itself, at most `levels` of them; with 0 `folder` alone. */
function foldersOf(folder: string, path: string, levels: number): string[] {
  if (levels === 0) return [folder];
  const names = (folder === "" ? path : path.slice(folder.length + 1)).split("/").slice(0, levels);
  return names.map((_, at) => joinPath(folder, names.slice(0, at + 1).join("/")));
}

function sum(usages: readonly Usage[]): Omit<Usage, "path"> {
  return {
    files: usages.reduce((files, usage) => files + usage.files, 0),
    bytes: usages.reduce((bytes, usage) => bytes + usage.bytes, 0),
    isTop: true,
  };
}
