import { askedFor } from "../../client/asked.ts";
import type { Asked } from "../../client/asked-params.ts";
import type { Client } from "../../client/client.ts";
import { toldByServer } from "../../client/left-out.ts";
import { isGlob } from "../../glob.ts";
import type { Entry, ListTrailer } from "../../protocol/methods.ts";
import { quote } from "../../quote.ts";
import type { Command } from "../command.ts";
import type { ConsoleIo } from "../console-io.ts";
import { escapeText, toJson } from "../escape.ts";
import { formatBytes, formatTime, plural } from "../format.ts";
import { CONNECTION_FLAGS, readConnectSettings } from "./connect-settings.ts";
import { describeLeftOut } from "./left-out-line.ts";
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
    ...CONNECTION_FLAGS,
  },
  async run(flags, io) {
    const source = flags._[0];
    const settings = await readConnectSettings(flags);
    return withClient(settings, io, async (client, signal) => {
      if (settings.isJson) await printJson(client, source, signal, io);
      else await printEntries(client, source, signal, io);
      return 0;
    });
  },
};

/** Print all entries, or those that the user asked for, as lines, with a note when something was left out. */
export async function printEntries(
  client: Client,
  source: string | undefined,
  signal: AbortSignal,
  io: Pick<ConsoleIo, "out" | "note">,
): Promise<void> {
  const asked = await askedBy(client, source);
  const trailer = await writeEach(client.list(asked, signal), (entry) => `${formatEntry(entry)}\n`, io);
  const { skipped, entries, leftOut = [] } = trailer;
  if (entries === 0 && skipped === 0) io.note(nothingIn(asked));
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
async function printJson(
  client: Client,
  source: string | undefined,
  signal: AbortSignal,
  io: ConsoleIo,
): Promise<void> {
  let separator = "[\n";
  const { entries } = await writeEach(
    client.list(await askedBy(client, source), signal),
    (entry) => {
      const text = separator + toJson(entry);
      separator = ",\n";
      return text;
    },
    io,
  );
  await io.out(entries === 0 ? "[]\n" : "\n]\n");
}

async function writeEach(
  entries: AsyncGenerator<Entry, ListTrailer>,
  format: (entry: Entry) => string,
  io: Pick<ConsoleIo, "out">,
): Promise<ListTrailer> {
  let text = "";
  let first = true;
  for (;;) {
    const step = await entries.next();
    if (!step.done) text += format(step.value);
    // The first entries at once, so that the user sees something; the others in bulk.
    if (text !== "" && (step.done || first || text.length >= WRITE_LENGTH)) {
      await io.out(text);
      text = "";
      first = false;
    }
    if (step.done) return step.value;
  }
}

/** `1.5 KB  2026-11-22 14:03:11  docs/report.pdf`; a folder ends with `/`, a link that is not followed with `@`. */
export function formatEntry({ kind, size, modifiedAt, path }: Entry): string {
  const mark = { file: "", folder: "/", link: "@", other: "?" }[kind];
  const bytes = kind === "file" ? formatBytes(size) : "-";
  return `${bytes.padStart(8)}  ${formatTime(modifiedAt)}  ${escapeText(path)}${mark}`;
}
