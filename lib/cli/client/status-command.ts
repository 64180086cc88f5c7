import type { Client } from "../../client/client.ts";
import { formatBytes } from "../../format-bytes.ts";
import { type HereRow, MAX_HERE, MAX_STATUS_ROWS, type SessionRow, type StatusResult } from "../../protocol/methods.ts";
import type { Command } from "../command.ts";
import { type ConsoleIo, paint } from "../console-io.ts";
import { escapeText, toJson } from "../escape.ts";
import { integerFlag } from "../flag-values.ts";
import type { Flags } from "../flags.ts";
import { formatDuration, formatTable, formatTime, plural } from "../format.ts";
import { completeCommand } from "../shown-command.ts";
import { shownName } from "../shown-name.ts";
import { CONNECTION_FLAGS, readConnectSettings } from "./connect-settings.ts";
import { withClient } from "./with-connection.ts";

const MAX_LIMIT = 1_000_000;
const DEFAULT_LIMIT = 20;

export const status: Command = {
  description: "Show who you are, the server, and its sessions",
  args: {
    all: { type: "boolean", alias: "a", description: "Show the ledger: also the sessions that have ended" },
    limit: { type: "string", alias: "n", valueHint: "N", description: "Newest sessions of the ledger (default: 20)" },
    ...CONNECTION_FLAGS,
  },
  async run(flags, io) {
    limitOf(flags);
    const settings = await readConnectSettings(flags);
    return withClient(settings, io, async (client) => {
      if (settings.isJson) await io.out(`${toJson(await statusRecord(client, flags))}\n`);
      else await io.out(`${await statusText(client, flags, io, completeCommand("commserver-client status"))}\n`);
      return 0;
    });
  },
};

/** The ledger and who is here, for programs. @throws UsageError */
export async function statusRecord(client: Client, flags: Flags): Promise<StatusResult> {
  const limit = limitOf(flags);
  const { here } = await client.status({ here: true, limit: 1 });
  return { ...(await fetchStatus(client, limit)), ...(here && { here }) };
}

/** How long the rate of a transfer is measured. */
const RATE_MS = 400;

/** Who is here, or with `--all` or `--limit` the ledger, for people; `command` shows more. @throws UsageError */
export async function statusText(
  client: Client,
  flags: Flags,
  io: Pick<ConsoleIo, "color" | "outColumns">,
  command = "status",
): Promise<string> {
  const isLedger = flags["all"] === true || flags["limit"] !== undefined;
  const limit = limitOf(flags);
  const first = isLedger ? undefined : await client.status({ here: true, limit: 1 });
  // An older server has only the ledger.
  if (first?.here === undefined) return formatStatus(await fetchStatus(client, limit), io, command);
  if (!first.here.some(isMoving)) return formatHere(first, undefined, io, command);
  const startedAt = performance.now();
  await Bun.sleep(RATE_MS);
  const second = await client.status({ here: true, limit: 1 });
  return formatHere(second, { before: first.here, seconds: (performance.now() - startedAt) / 1000 }, io, command);
}

/** The number of sessions to show. @throws UsageError */
export function limitOf(flags: Flags): number {
  return integerFlag({ ...flags, limit: flags["limit"] ?? DEFAULT_LIMIT }, "limit", 1, MAX_LIMIT);
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
  const { sessions, total } = result;
  const lines = headOf(result, io);
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

/** Whether files move in the session. */
export function isMoving({ doing }: Pick<HereRow, "doing">): boolean {
  return doing.some((method) => method === "get" || method === "put");
}

/** `before`: the sessions as they were `seconds` ago. */
function formatHere(
  result: StatusResult,
  rates: { before: readonly HereRow[]; seconds: number } | undefined,
  io: Pick<ConsoleIo, "color" | "outColumns">,
  command: string,
): string {
  const { here = [], server, seats, total } = result;
  const now = server.startedAt + server.uptimeMs;
  const rows = here.map((row) => {
    const before = rates?.before.find(({ name }) => name === row.name);
    const bytes = before === undefined ? 0 : row.bytesIn + row.bytesOut - before.bytesIn - before.bytesOut;
    const rate = isMoving(row) && rates !== undefined ? ` ${formatBytes(Math.max(0, bytes) / rates.seconds)}/s` : "";
    const doing = row.doing.filter((method) => method !== "status").join(", ");
    const since = formatDuration(now - row.startedAt);
    return [shownName(row), since, escapeText(doing) + rate, escapeText(row.address)];
  });
  const lines = headOf(result, io);
  if (rows.length > 0) lines.push("", formatTable(["WHO", "FOR", "DOES", "FROM"], rows, io.outColumns));
  const hidden = seats.taken - here.length;
  if (here.length === MAX_HERE && hidden > 0) lines.push(paint(io, "dim", `… and ${plural(hidden, "more client")}`));
  if (total > here.length) lines.push(paint(io, "dim", `Who was here before: ${command} --all`));
  return lines.join("\n");
}

/** The folder of a limited token. */
function folderWords({ folder = "", quotaBytes, drop }: StatusResult["self"]): string {
  const quota = quotaBytes === undefined ? "" : `, at most ${formatBytes(quotaBytes)}`;
  return `${escapeText(folder)}${quota}${drop === true ? "; you can put files there, and see none" : ""}`;
}

function headOf(
  { self, server, seats, total, mailbox }: StatusResult,
  io: Pick<ConsoleIo, "color" | "outColumns">,
): string[] {
  const lines = [
    `You are ${paint(io, "bold", shownName(self))}, from ${escapeText(self.address)}.`,
    ...(self.folder === undefined ? [] : [`Your folder: ${folderWords(self)}.`]),
    `Server: ${escapeText(server.agent)}, up ${formatDuration(server.uptimeMs)}${server.draining ? ", admitting no clients" : ""}.`,
    `Seats: ${seats.taken} of ${seats.max} taken, ${seats.waiting} waiting (at most ${seats.maxWaiting}).`,
    `Sessions: ${total} in all.`,
  ];
  if (mailbox !== undefined) {
    const { messages, bytes, maxBytes } = mailbox;
    lines.push(`Kept: ${plural(messages, "message")}, ${formatBytes(bytes)} of ${formatBytes(maxBytes)}.`);
  }
  return lines;
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
