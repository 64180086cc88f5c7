import type { Client } from "../../client/client.ts";
import { MAX_STATUS_ROWS, type SessionRow, type StatusResult } from "../../protocol/methods.ts";
import type { Command } from "../command.ts";
import { type ConsoleIo, paint } from "../console-io.ts";
import { escapeText, toJson } from "../escape.ts";
import { integerFlag } from "../flag-values.ts";
import type { Flags } from "../flags.ts";
import { formatBytes, formatDuration, formatTable, formatTime, plural } from "../format.ts";
import { completeCommand } from "../shown-command.ts";
import { CONNECTION_FLAGS, readConnectSettings } from "./connect-settings.ts";
import { withClient } from "./with-connection.ts";

const MAX_LIMIT = 1_000_000;

export const status: Command = {
  description: "Show who you are, the server, and its sessions",
  args: {
    limit: { type: "string", alias: "n", valueHint: "N", default: "20", description: "Newest sessions to show" },
    ...CONNECTION_FLAGS,
  },
  async run(flags, io) {
    const limit = limitOf(flags);
    const settings = await readConnectSettings(flags);
    return withClient(settings, io, async (client) => {
      const result = await fetchStatus(client, limit);
      await io.out(
        settings.isJson
          ? `${toJson(result)}\n`
          : `${formatStatus(result, io, completeCommand("commserver-client status"))}\n`,
      );
      return 0;
    });
  },
};

/** The number of sessions to show. @throws UsageError */
export function limitOf(flags: Flags): number {
  return integerFlag(flags, "limit", 1, MAX_LIMIT);
}

/** The status with the newest `limit` sessions, however many pages that takes. */
export async function fetchStatus(client: Client, limit: number): Promise<StatusResult> {
  const result = await client.status({ limit: Math.min(limit, MAX_STATUS_ROWS) });
  const { sessions } = result;
  let { next } = result;
  while (next !== null && sessions.length < limit) {
    const page = await client.status({ before: next, limit: Math.min(limit - sessions.length, MAX_STATUS_ROWS) });
    // A faulty server that repeats pages must not keep us asking for ever.
    if (page.sessions.length === 0 || (page.next !== null && page.next >= next)) break;
    sessions.push(...page.sessions);
    next = page.next;
  }
  return { ...result, sessions, next };
}

/** The status for people; `command` shows more sessions. */
export function formatStatus(
  result: StatusResult,
  io: Pick<ConsoleIo, "color" | "outColumns">,
  command = "status",
): string {
  const { self, server, seats, sessions, total } = result;
  const lines = [
    `You are ${paint(io, "bold", escapeText(self.name))}, from ${escapeText(self.address)}.`,
    `Server: ${escapeText(server.agent)}, up ${formatDuration(server.uptimeMs)}${server.draining ? ", admitting no clients" : ""}.`,
    `Seats: ${seats.taken} of ${seats.max} taken, ${seats.waiting} waiting (at most ${seats.maxWaiting}).`,
    `Sessions: ${total} in all.`,
  ];
  if (sessions.length > 0) {
    const headings = ["NAME", "ADDRESS", "STARTED", "ENDED", "WHY", "SENT", "RECEIVED", "MESSAGES"];
    lines.push("", formatTable(headings, sessions.map(sessionCells), io.outColumns));
  }
  const hidden = total - sessions.length;
  if (hidden > 0)
    lines.push(
      paint(io, "dim", `… and ${plural(hidden, "older session")}: ${command} --limit ${Math.min(total, MAX_LIMIT)}`),
    );
  return lines.join("\n");
}

/** Sent and received from the client's point of view. */
function sessionCells(row: SessionRow): string[] {
  return [
    escapeText(row.name),
    escapeText(row.address),
    formatTime(row.startedAt),
    row.endedAt === null ? "connected" : formatTime(row.endedAt),
    escapeText(row.reason ?? ""),
    formatBytes(row.bytesIn),
    formatBytes(row.bytesOut),
    `${row.messagesIn} sent, ${row.messagesOut} received`,
  ];
}
