import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { findNamed } from "../../client/asked.ts";
import type { Client } from "../../client/client.ts";
import { CommError } from "../../errors.ts";
import { escapeGlob, isGlob } from "../../glob.ts";
import { baseName, joinPath } from "../../path.ts";
import { quote } from "../../quote.ts";
import { readError } from "../../storage/disk-error.ts";
import { type ConsoleIo, paint } from "../console-io.ts";
import { escapeText } from "../escape.ts";
import type { Flags } from "../flags.ts";
import { inColumns } from "../terminal/name-columns.ts";
import { formatEntry, KIND_MARKS } from "./list-command.ts";
import { typedSource } from "./typed-paths.ts";

/** An entry as `ls` shows it: its path below the folder that was asked for. */
export interface Shown {
  readonly name: string;
  readonly kind: "file" | "folder" | "link" | "other";
  readonly size: number;
  readonly modifiedAt: number;
}

/**
 * What is directly in a folder of the repository, or what a file's name or a pattern selects; sorted.
 *
 * @throws as Client.stat() and Client.list(); CommError NOT_FOUND when a pattern matches nothing
 */
export async function entriesIn(client: Client, typed: string, signal: AbortSignal): Promise<Shown[]> {
  const path = typedSource(typed);
  const named = path === "" ? undefined : await findNamed(client, path);
  if (named !== undefined && named.kind !== "folder") return [{ ...named, name: path }];
  const isFolder = path === "" || named !== undefined;
  const pattern = isFolder ? joinPath(escapeGlob(path), "*") : path;
  const shown: Shown[] = [];
  for await (const entry of client.list(pattern, signal)) {
    shown.push({ ...entry, name: isFolder ? baseName(entry.path) : entry.path });
  }
  if (shown.length === 0 && !isFolder && isGlob(path)) {
    throw new CommError("NOT_FOUND", `Nothing matches ${quote(path)}.`);
  }
  return sorted(shown);
}

/** What is in a folder of this machine, or the file of that name. @throws StorageError */
export function localEntries(folder: string): Shown[] {
  try {
    const stats = statSync(folder);
    if (!stats.isDirectory()) return [shownOf(folder, folder)];
    return sorted(readdirSync(folder).map((name) => shownOf(name, join(folder, name))));
  } catch (cause) {
    throw readError(cause, folder, "user");
  }
}

function shownOf(name: string, file: string): Shown {
  const stats = statSync(file, { throwIfNoEntry: false });
  const kind = stats === undefined ? "link" : stats.isDirectory() ? "folder" : stats.isFile() ? "file" : "other";
  return { name, kind, size: stats?.size ?? 0, modifiedAt: stats?.mtimeMs ?? 0 };
}

function sorted(entries: readonly Shown[]): Shown[] {
  return [...entries].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Names in columns on a terminal, else one on each line; `isLong`: with size and time, as `list` has them. */
export function formatListing(
  entries: readonly Shown[],
  io: Pick<ConsoleIo, "color" | "outColumns">,
  isLong: boolean,
): string {
  if (isLong) return entries.map((entry) => formatEntry({ ...entry, path: entry.name })).join("\n");
  const cells = entries.map(({ name, kind }) => {
    const text = `${escapeText(name)}${KIND_MARKS[kind]}`;
    return { text, shown: kind === "folder" ? paint(io, "bold", text) : text };
  });
  return inColumns(cells, io.outColumns);
}

/** How `ls` shows entries. */
export interface Listing {
  readonly isLong: boolean;
  /** One name on each line. */
  readonly isOne: boolean;
  readonly order: "name" | "time" | "size";
  readonly isReversed: boolean;
}

export function listingOf(flags: Flags): Listing {
  return {
    isLong: flags["long"] === true,
    isOne: flags["one"] === true,
    order: flags["time"] === true ? "time" : flags["size"] === true ? "size" : "name",
    isReversed: flags["reverse"] === true,
  };
}

/** Print entries, which are sorted by name, below a heading if there is one. */
export async function showEntries(
  entries: readonly Shown[],
  io: Pick<ConsoleIo, "out" | "note" | "color" | "outColumns">,
  { isLong, isOne, order, isReversed, heading }: Listing & { heading: string },
): Promise<void> {
  if (heading !== "") await io.out(`${escapeText(heading)}:\n`);
  if (entries.length === 0) return io.note("It is empty.");
  const inOrder = [...entries];
  if (order === "time") inOrder.sort((a, b) => b.modifiedAt - a.modifiedAt);
  if (order === "size") inOrder.sort((a, b) => b.size - a.size);
  if (isReversed) inOrder.reverse();
  const { color, outColumns } = io;
  await io.out(`${formatListing(inOrder, { color, outColumns: isOne ? undefined : outColumns }, isLong)}\n`);
}
