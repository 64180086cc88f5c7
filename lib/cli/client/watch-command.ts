import type { Client } from "../../client/client.ts";
import { CommError } from "../../errors.ts";
import { formatBytes } from "../../format-bytes.ts";
import type { Change } from "../../protocol/methods.ts";
import type { Command } from "../command.ts";
import type { ConsoleIo } from "../console-io.ts";
import { escapeText, toJson } from "../escape.ts";
import { plural } from "../format.ts";
import { CONNECTION_FLAGS, RECONNECT_FLAGS, readConnectSettings } from "./connect-settings.ts";
import { askedBy } from "./list-command.ts";
import { withConnection } from "./with-connection.ts";

export const watch: Command = {
  description: "Show what is added, changed or removed in the repository, as it happens",
  args: {
    glob: { type: "positional", required: false, description: 'A folder, a file, or a pattern in quotes: "**/*.txt"' },
    ...RECONNECT_FLAGS,
    ...CONNECTION_FLAGS,
  },
  completes: { glob: "remote" },
  async run(flags, io) {
    const source = flags._[0];
    const settings = await readConnectSettings(flags);
    return withConnection(settings, io, async (connection, signal) => {
      return connection.persist(async (client) => {
        await printChanges(client, { source, json: settings.isJson, signal, io }).finally(() => connection.noteHeld());
        // The server stops: it may come back.
        throw new CommError("LOST", "The server has ended the watch.");
      });
    });
  },
};

/** Print all changes, or those to what the user asked for, until the signal aborts or the server stops. */
export async function printChanges(
  client: Client,
  options: { source: string | undefined; json: boolean; signal: AbortSignal; io: ConsoleIo },
): Promise<void> {
  const { source, json, signal, io } = options;
  for await (const change of client.watch(await askedBy(client, source), signal)) {
    await io.out(json ? `${toJson(change)}\n` : `${formatChange(change)}\n`);
  }
}

export function formatChange(change: Change): string {
  switch (change.change) {
    case "missed":
      return formatMissed(change.count, change.message);
    case "removed":
      return `removed  ${escapeText(change.path)}`;
    default: {
      const { kind, size, path } = change;
      return `${change.change.padEnd(7)}  ${escapeText(path)}${kind === "folder" ? "/" : `  ${formatBytes(size)}`}`;
    }
  }
}

function formatMissed(count: number, message: string | undefined): string {
  const more = count > 0 || message === undefined ? plural(count, "more change") : "";
  return `(${[more, escapeText(message ?? "")].filter(Boolean).join(": ")})`;
}
