import { formatBytes } from "../../format-bytes.ts";
import type { EventRecord } from "../../protocol/methods.ts";
import { escapeText } from "../escape.ts";
import { plural } from "../format.ts";
import { shownName } from "../shown-name.ts";

/** What the token of an `issued` event is limited to. */
function limits({ folder, uses }: EventRecord): string {
  const place = folder === undefined ? "" : `, in ${escapeText(textOf(folder))}`;
  return place + (uses === undefined ? "" : `, ${plural(Number(uses), "session")}`);
}

/** An event in words, on one line, safe to show. Unknown events of newer servers show their name and members. */
export function formatEvent(record: EventRecord): string {
  const text = (key: string) => escapeText(textOf(record[key]));
  const bytes = (key: string) => formatBytes(Number(textOf(record[key])) || 0);
  switch (record.event) {
    case "joined":
      return `${joinedName(record)} joined from ${text("address")}${account(record)}`;
    case "left":
      return (
        `${text("name")} left: ${text("reason")}${detail(record)} ` +
        `(received ${bytes("bytesOut")}, sent ${bytes("bytesIn")}, messages ${text("messagesIn")})`
      );
    case "waiting":
      return `${text("address")} waits for a seat, position ${text("position")}`;
    case "refused":
      return `${text("address")} was refused${times(text("count"))}: ${text("message")} [${text("code")}]`;
    case "message":
      return `${sender(record)}${aim(text("to"))}: ${text("text")}`;
    case "kept":
      return `Kept for ${text("to")}, who is not here: a message from ${sender(record)}`;
    case "collected":
      return `${collector(record)} got ${messages(record)} that ${record["messages"] === 1 ? "was" : "were"} kept`;
    case "dropped":
      return `${messages(record)} for ${text("token")} ${record["messages"] === 1 ? "was" : "were"} dropped: ${text("reason")}`;
    case "request":
      return (
        `${text("name")} asked for ${text("method")} ${text("target")}: ` +
        `${text("status")}, ${bytes("bytes")}${record["outcome"] === "cut" ? ", cut off" : ""}`
      );
    case "stored":
      return `${text("name")} stored ${text("path")} (${bytes("size")})`;
    case "removed":
      return `${text("name")} removed ${text("path")}`;
    case "renamed":
      return `${text("name")} renamed ${text("from")} to ${text("to")}`;
    case "away":
      return `${text("name")} lost its link; its seat is kept: ${text("message")}`;
    case "returned":
      return `${text("name")} is back from ${text("address")}`;
    case "cleaned":
      return `Unfinished file removed: ${text("path")} (${bytes("size")})`;
    case "failed":
      return `${text("method")} failed for ${text("name")}${times(text("count"))}: ${text("message")} [${text("code")}]`;
    case "issued":
      return `${text("name")} made the token ${text("token")} (${text("role")}${limits(record)})`;
    case "offered":
      return `${text("name")} made a one-time code for the token ${text("token")} (${text("role")})`;
    case "revoked":
      return `${text("name")} revoked the token ${text("token")}`;
    case "linked":
      return `${text("name")} made the link ${text("link")} to ${text("path")}`;
    case "unlinked":
      return `${text("name")} revoked the link ${text("link")}`;
    case "shared":
      return `${text("name")} offers ${text("share")} by a code`;
    case "unshared":
      return record["outcome"] === "fetched"
        ? `${text("share")} was fetched from ${text("address")}`
        : `${text("share")} is over: ${text("outcome")}`;
    case "reloaded":
      return reloaded(record["changed"]);
    case "draining":
      return record["on"] === true ? "Admitting no new clients" : "Admitting clients again";
    case "stopping":
    case "warning":
      return text("message");
    case "listening":
      return `Listening at ${text("address")}`;
    default:
      return escapeText(JSON.stringify(record));
  }
}

function reloaded(changed: unknown): string {
  const parts = Array.isArray(changed) ? changed.map((part) => escapeText(textOf(part))) : [];
  return parts.length === 0
    ? "Read settings, certificate and tokens again: nothing has changed"
    : `Read again, and new: ${parts.join(", ")}`;
}

/** Numbers and text as they are; anything else as JSON, since a peer of another version may send it. */
function textOf(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" || typeof value === "number" ? String(value) : JSON.stringify(value);
}

export function isWarning(record: EventRecord): boolean {
  return record.event === "warning" || record.event === "failed";
}

/** Its token follows in other words. */
function joinedName({ name, nick }: EventRecord): string {
  return shownName({ name: textOf(name), nick: nick === undefined ? undefined : textOf(nick) });
}

function sender({ from, token, nick }: EventRecord): string {
  const known = (value: unknown) => (value === undefined ? undefined : textOf(value));
  return shownName({ name: textOf(from), token: known(token), nick: known(nick) });
}

function collector({ name, token }: EventRecord): string {
  return shownName({ name: textOf(name), token: textOf(token) });
}

function messages(record: EventRecord): string {
  return plural(Number(textOf(record["messages"])) || 0, "message");
}

/** The access with which a client joined. */
function account(record: EventRecord): string {
  const { token, link } = record;
  if (link !== undefined) return ` by the link ${escapeText(textOf(link))}`;
  return token === undefined
    ? ""
    : ` with the token ${escapeText(textOf(token))} (${escapeText(textOf(record["role"]))})`;
}

/** The message for a protocol error or a lost link; the other reasons need none. */
function detail(record: EventRecord): string {
  return record["reason"] === "protocol error" || record["reason"] === "lost"
    ? `: ${escapeText(textOf(record["message"]))}`
    : "";
}

function times(count: string): string {
  return count === "" ? "" : ` ${count} times`;
}

function aim(to: string): string {
  return to.toLowerCase() === "server" ? "" : ` to ${to}`;
}
