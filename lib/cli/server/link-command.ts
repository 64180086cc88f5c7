import type { Operator } from "../../client/operator.ts";
import type { LinkRecord } from "../../protocol/methods.ts";
import { quote } from "../../quote.ts";
import { typedPath } from "../client/typed-paths.ts";
import type { ConsoleIo } from "../console-io.ts";
import { escapeText } from "../escape.ts";
import { expiryOf } from "../flag-values.ts";
import { formatTable, formatTime } from "../format.ts";
import { UsageError } from "../usage-error.ts";
import type { Answer } from "./operator-answer.ts";
import { takeBack } from "./take-back.ts";

/** A path, in quotes or as it is, and the period after it. */
const LINE = /^(?:"((?:[^"\\]|\\.)*)"|(.*?))(?:\s+--expires[=\s]\s*(\S+))?$/s;

/** A path that begins with one of these words is quoted, or begins with `./`. */
const ACTION = /^(list|revoke)(?:\s+(.*))?$/is;
const USAGE = "Write: link PATH [--expires PERIOD], link list, or link revoke NAME";

/** `link PATH [--expires PERIOD]`, `link list`, `link revoke NAME`. */
export async function runLinkLine(
  operator: Operator,
  rest: string,
  io: Pick<ConsoleIo, "outColumns">,
): Promise<Answer> {
  const [, word, name = ""] = ACTION.exec(rest) ?? [];
  const action = word?.toLowerCase();
  if (action === "list" && name === "") return listLinks(operator, io);
  if (action === "revoke" && /^\S+$/.test(name)) {
    await operator.revokeLink(name);
    return { text: `The link ${escapeText(name)} is revoked.`, facts: { link: { name } } };
  }
  if (action !== undefined) throw new UsageError(USAGE);
  const [, quoted, plain = "", expires] = LINE.exec(rest) ?? [];
  const typed = quoted?.replace(/\\(["\\])/g, "$1") ?? plain;
  if (typed === "") throw new UsageError(USAGE);
  const path = typedPath(typed);
  const expiresAt = expires === undefined ? undefined : expiryOf(expires, "expires", Date.now());
  const link = await operator.issueLink({ path, ...(expiresAt !== undefined && { expiresAt }) });
  const text =
    `It leads to ${escapeText(path)} as it is now, until ${formatTime(link.expiresAt)}:\n\n` +
    `  ${escapeText(link.url)}\n\n` +
    `Anyone who has it can get the file without a token. It is shown only once. To end it: link revoke ${escapeText(link.name)}`;
  return { text, facts: { link: { path, ...link } } };
}

/**
 * The answer could not be shown: revoke the link, since nobody knows its address.
 *
 * @throws as takeBack(), for a link that the line made
 */
export async function forgetLink(operator: Operator, facts: Answer["facts"], cause: unknown): Promise<void> {
  const { link } = facts as { link?: { name: string; url?: string } };
  if (link?.url === undefined) return;
  await takeBack(`The link ${quote(link.name)}`, () => operator.revokeLink(link.name), cause);
}

async function listLinks(operator: Operator, { outColumns }: Pick<ConsoleIo, "outColumns">): Promise<Answer> {
  const links = await Array.fromAsync(operator.links());
  return { text: formatLinks(links, outColumns), facts: { links } };
}

/** The list for people. */
export function formatLinks(links: readonly LinkRecord[], columns?: number | undefined): string {
  if (links.length === 0) return "There are no links. Make one with: link PATH";
  const rows = links.map(({ name, path, createdAt, expiresAt }) => [
    escapeText(name),
    formatTime(createdAt),
    formatTime(expiresAt),
    escapeText(path),
  ]);
  return formatTable(["NAME", "MADE", "EXPIRES", "PATH"], rows, columns);
}
