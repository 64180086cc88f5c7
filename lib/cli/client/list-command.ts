import { askedFor } from "../../client/asked.ts";
import type { Asked } from "../../client/asked-params.ts";
import type { Client } from "../../client/client.ts";
import type { Filter } from "../../client/filter.ts";
import { toldByServer } from "../../client/left-out.ts";
import { formatBytes } from "../../format-bytes.ts";
import { isGlob } from "../../glob.ts";
import { baseName } from "../../path.ts";
import type { Entry, ListTrailer } from "../../protocol/methods.ts";
import { quote } from "../../quote.ts";
import type { Command } from "../command.ts";
import type { ConsoleIo } from "../console-io.ts";
import { escapeText, toJson } from "../escape.ts";
import { formatTime, plural } from "../format.ts";
import { CONNECTION_FLAGS, readConnectSettings } from "./connect-settings.ts";
import { FILTER_FLAGS, readFilter, unmatchedLine } from "./filter-flags.ts";
import { describeLeftOut } from "./left-out-line.ts";
import { isWithin, type ListShape, ListTotal, patternTo, readShape, rootOf, SHAPE_FLAGS } from "./list-shape.ts";
import { typedSource } from "./typed-paths.ts";
import { withClient } from "./with-connection.ts";

/** Characters of lines that are gathered before they are written. */
const WRITE_LENGTH = 32 * 1024;

export const list: Command = {
  description: "List the repository, or what a name or pattern selects",
  args: {
    glob: {
      type: "positional",
      required: false,
      description: 'A folder, a file, or a pattern in quotes: "docs/*.pdf", "**/*.txt"',
    },
    ...SHAPE_FLAGS,
    ...FILTER_FLAGS,
    ...CONNECTION_FLAGS,
  },
  completes: { glob: "remote" },
  async run(flags, io) {
    const source = flags._[0];
    const shape = readShape(flags);
    const filter = await readFilter(flags, Date.now());
    const settings = await readConnectSettings(flags);
    return withClient(settings, io, async (client, signal) => {
      const request = { source, filter, shape, signal };
      if (settings.isJson) await printJson(client, request, io);
      else await printEntries(client, request, io);
      return 0;
    });
  },
};

export interface ListRequest {
  /** What the user typed; absent: everything. */
  readonly source: string | undefined;
  readonly filter?: Filter | undefined;
  readonly shape?: ListShape;
  readonly signal: AbortSignal;
}

/** Print all entries, or those that the user asked for, as lines, with a note when something was left out. */
export async function printEntries(
  client: Client,
  request: ListRequest,
  io: Pick<ConsoleIo, "out" | "note">,
): Promise<void> {
  const asked = await askedBy(client, request.source);
  const total = request.shape?.isLong ? new ListTotal() : undefined;
  const format = (entry: Entry) => {
    total?.add(entry);
    return `${total === undefined ? formatEntry(entry) : formatLong(entry)}\n`;
  };
  const { trailer, written } = await writeEach(client, { ...request, asked }, format, io);
  const { skipped, entries, leftOut = [] } = trailer;
  if (entries === 0 && skipped === 0) io.note(nothingIn(asked));
  else if (written === 0 && request.filter !== undefined) io.note("Nothing in it passes the filters.");
  for (const pattern of request.filter?.unmatched ?? []) io.note(unmatchedLine(pattern));
  if (total !== undefined && written > 0) io.note(total.words);
  for (const told of leftOut) io.note(describeLeftOut(toldByServer(told)));
  const others = skipped - leftOut.length;
  if (others > 0) {
    io.note(
      `${plural(others, "entry").replace("entrys", "entries")} left out: unreadable, or with a name that can't be served.`,
    );
  }
}

/**
 * The entry or pattern that the user typed; nothing, `.` and `/` mean all.
 *
 * @throws StorageError BAD_PATH; as Client.stat()
 */
export async function askedBy(client: Client, source: string | undefined): Promise<Asked | undefined> {
  const typed = source === undefined ? "" : typedSource(source);
  return typed === "" ? undefined : askedFor(client, typed);
}

function nothingIn(asked: Asked | undefined): string {
  if (asked === undefined) return "The repository is empty.";
  if (typeof asked === "string" && isGlob(asked)) return `Nothing matches ${escapeText(quote(asked))}.`;
  return `There is nothing in ${escapeText(quote(typeof asked === "string" ? asked : asked.path))}.`;
}

/** One JSON array with one entry per line, so that a program can also read it line by line. */
async function printJson(client: Client, request: ListRequest, io: ConsoleIo): Promise<void> {
  let separator = "[\n";
  const { written } = await writeEach(
    client,
    { ...request, asked: await askedBy(client, request.source) },
    (entry) => {
      const text = separator + toJson(entry);
      separator = ",\n";
      return text;
    },
    io,
  );
  await io.out(written === 0 ? "[]\n" : "\n]\n");
}

interface Asking extends Pick<ListRequest, "filter" | "shape" | "signal"> {
  readonly asked: Asked | undefined;
}

async function writeEach(
  client: Client,
  { asked, filter, shape = {}, signal }: Asking,
  format: (entry: Entry) => string,
  io: Pick<ConsoleIo, "out">,
): Promise<{ trailer: ListTrailer; written: number }> {
  const root = rootOf(asked);
  const passes = filter === undefined ? () => true : filterBelow(filter, root);
  const lines = new Pieces(format, io);
  const kept: Entry[] = [];
  const entries = client.list(await shallow(client, asked, shape.depth), signal);
  for (;;) {
    const step = await entries.next();
    if (step.done) {
      if (shape.order !== undefined) for (const entry of kept.sort(shape.order)) await lines.add(entry);
      return { trailer: step.value, written: await lines.end() };
    }
    if (!isWithin(step.value, root, shape.depth) || !passes(step.value)) continue;
    if (shape.order === undefined) await lines.add(step.value);
    else kept.push(step.value);
  }
}

/** What the server is asked for: no more than `depth` levels, where a pattern can say so. */
async function shallow(
  client: Client,
  asked: Asked | undefined,
  depth: number | undefined,
): Promise<Asked | undefined> {
  if (depth === undefined || (typeof asked === "string" && isGlob(asked))) return asked;
  const folder = rootOf(asked);
  const isFolder = folder === "" || (await client.stat(folder)).kind === "folder";
  return (isFolder ? patternTo(folder, depth) : undefined) ?? asked;
}

/** Writes the first entry at once, so that the user sees something, and the others in bulk. */
class Pieces {
  readonly #format: (entry: Entry) => string;
  readonly #io: Pick<ConsoleIo, "out">;
  #text = "";
  #count = 0;

  constructor(format: (entry: Entry) => string, io: Pick<ConsoleIo, "out">) {
    this.#format = format;
    this.#io = io;
  }

  async add(entry: Entry): Promise<void> {
    this.#text += this.#format(entry);
    if (this.#count++ === 0 || this.#text.length >= WRITE_LENGTH) await this.#write();
  }

  /** @returns how many there were */
  async end(): Promise<number> {
    if (this.#text !== "") await this.#write();
    return this.#count;
  }

  async #write(): Promise<void> {
    const text = this.#text;
    this.#text = "";
    await this.#io.out(text);
  }
}

/** The filter's paths are below the folder that is listed, or that the pattern begins in. */
function filterBelow(filter: Filter, root: string): (entry: Entry) => boolean {
  return (entry) => {
    if (entry.kind === "folder" && !filter.takesEmptyFolders) return false;
    const below = entry.path === root ? baseName(root) : entry.path.slice(root === "" ? 0 : root.length + 1);
    return filter.takes({ ...entry, path: below });
  };
}

/** What stands behind the name of an entry. */
export const KIND_MARKS: Readonly<Record<Entry["kind"], string>> = { file: "", folder: "/", link: "@", other: "?" };

/** `1.5 KB  2026-11-22 14:03:11  docs/report.pdf`; a folder ends with `/`, a link that is not followed with `@`. */
export function formatEntry({
  kind,
  size,
  modifiedAt,
  path,
}: Pick<Entry, "kind" | "size" | "modifiedAt" | "path">): string {
  const bytes = kind === "file" ? formatBytes(size) : "-";
  return `${bytes.padStart(8)}  ${formatTime(modifiedAt)}  ${escapeText(path)}${KIND_MARKS[kind]}`;
}

/** `          1500  2026-11-22 14:03:11  docs/report.pdf` */
function formatLong(entry: Entry): string {
  const bytes = entry.kind === "file" ? `${entry.size}` : "-";
  const name = `${escapeText(entry.path)}${KIND_MARKS[entry.kind]}`;
  return `${bytes.padStart(14)}  ${formatTime(entry.modifiedAt)}  ${name}`;
}
