import { formatBytes } from "../../format-bytes.ts";
import { LocalStorage } from "../../storage/local/local.ts";
import { siblingNames } from "../../storage/local/names/part-names.ts";
import type { Unfinished } from "../../storage/storage.ts";
import type { Command } from "../command.ts";
import type { ConsoleIo } from "../console-io.ts";
import { escapeText, toJson } from "../escape.ts";
import { formatTable, formatTime, plural } from "../format.ts";

/** How long writing a small file may take. */
const MOMENT_MS = 60_000;

/** An unfinished file on this machine: its part, journal and lock together. */
interface Remains {
  /** The final path, without the suffixes of parts, journals and locks. */
  readonly path: string;
  readonly size: number;
  readonly modifiedAt: number;
  /** The names on the disk. */
  readonly names: readonly string[];
}

export const unfinished: Command = {
  description: "List what interrupted transfers left on this machine, or remove it",
  args: {
    folder: {
      type: "positional",
      valueHint: "…",
      required: false,
      description: "Folders to search, with their subfolders; default: the current one",
    },
    remove: { type: "boolean", description: "Remove it, except files that are being written now" },
    json: { type: "boolean", description: "Print JSON for programs" },
  },
  typedOnly: ["remove"],
  completes: { folder: "folder" },
  async run(flags, io) {
    const isJson = flags["json"] === true;
    const all: object[] = [];
    for (const folder of flags._.length === 0 ? ["."] : flags._) {
      const storage = await LocalStorage.ofUser(folder);
      const shown = (path: string) => (folder === "." ? path : `${folder.replace(/\/+$/, "")}/${path}`);
      const found = (await remainsIn(storage)).map((one) => ({ ...one, path: shown(one.path) }));
      if (flags["remove"] === true) all.push(...(await removeAll(storage, found, { io, isJson })));
      else {
        all.push(...found.map(({ path, size, modifiedAt }) => ({ path, size, modifiedAt })));
        if (!isJson && found.length > 0) await io.out(`${tableOf(found, io.outColumns)}\n`);
      }
    }
    if (isJson) await io.out(`${toJson(all)}\n`);
    else if (all.length === 0) io.note("Nothing is unfinished.");
    return 0;
  },
};

async function remainsIn(storage: LocalStorage): Promise<Remains[]> {
  const found = new Map<string, Remains>();
  for await (const one of storage.unfinished()) {
    const { part } = siblingNames(one.path);
    const before = found.get(part);
    found.set(part, {
      path: part.replace(/(\.[0-9a-f]{8})?\.commserver-part$/, ""),
      size: Math.max(before?.size ?? 0, one.path === part ? one.size : 0),
      modifiedAt: Math.max(before?.modifiedAt ?? 0, one.modifiedAt),
      names: [...(before?.names ?? []), one.path],
    });
  }
  return [...found.values()];
}

function tableOf(
  found: readonly Pick<Unfinished, "path" | "size" | "modifiedAt">[],
  columns: number | undefined,
): string {
  const rows = found.map(({ path, size, modifiedAt }) => [formatBytes(size), formatTime(modifiedAt), escapeText(path)]);
  return formatTable(["SIZE", "LAST WRITTEN", "OF"], rows, columns);
}

/** @returns the result for each, for --json @throws StorageError DISK_DENIED, DISK_FAILED */
async function removeAll(
  storage: LocalStorage,
  found: readonly Remains[],
  { io, isJson }: { io: ConsoleIo; isJson: boolean },
): Promise<object[]> {
  const outcomes: object[] = [];
  let busy = 0;
  for (const { path, size, modifiedAt, names } of found) {
    let removed = !isOfNow(names, modifiedAt);
    if (removed) for (const name of names) removed = (await storage.removeUnfinished(name)) && removed;
    if (!removed) busy++;
    outcomes.push({ path, size, modifiedAt, removed });
    if (!isJson && removed) await io.out(`Removed unfinished ${escapeText(path)} (${formatBytes(size)})\n`);
  }
  if (busy > 0 && !isJson) io.note(`${plural(busy, "file")} left alone: being written now, or a moment ago.`);
  return outcomes;
}

/**
 * A part without journal and lock belongs to a small file, written in one go: no lock says whether a program still
 * writes it.
 */
function isOfNow(names: readonly string[], modifiedAt: number): boolean {
  return names.every((name) => siblingNames(name).part === name) && Date.now() - modifiedAt < MOMENT_MS;
}
