import type { Operator } from "../../client/operator.ts";
import { formatBytes } from "../../format-bytes.ts";
import type { MailRecord } from "../../protocol/methods.ts";
import type { ConsoleIo } from "../console-io.ts";
import { escapeText } from "../escape.ts";
import { formatTable, formatTime, plural } from "../format.ts";
import { UsageError } from "../usage-error.ts";
import type { Answer } from "./operator-answer.ts";

/** `mailbox`, `mailbox list`, `mailbox clear NAME`. */
export async function runMailboxLine(
  operator: Operator,
  rest: string,
  { outColumns }: Pick<ConsoleIo, "outColumns">,
): Promise<Answer> {
  const [word = "list", name, ...more] = rest.split(/\s+/).filter(Boolean);
  const action = word.toLowerCase();
  if (action === "list" && name === undefined) {
    const mailboxes = await Array.fromAsync(operator.mailboxes());
    return { text: formatMailboxes(mailboxes, outColumns), facts: { mailboxes } };
  }
  if (action === "clear" && name !== undefined && more.length === 0) {
    const messages = await operator.clearMailbox(name);
    return { text: `${plural(messages, "message")} for ${escapeText(name)} removed.`, facts: { name, messages } };
  }
  throw new UsageError("Write: mailbox list, or mailbox clear NAME");
}

/** The list for people. */
export function formatMailboxes(mailboxes: readonly MailRecord[], columns?: number | undefined): string {
  if (mailboxes.length === 0) return "No messages are kept.";
  const rows = mailboxes.map(({ name, messages, bytes, oldestAt }) => [
    escapeText(name),
    String(messages),
    formatBytes(bytes),
    formatTime(oldestAt),
  ]);
  return formatTable(["NAME", "MESSAGES", "SIZE", "OLDEST"], rows, columns);
}
