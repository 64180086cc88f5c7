import type { Operator } from "../../client/operator.ts";
import { Role } from "../../protocol/messages.ts";
import type { IssueCodeResult } from "../../protocol/methods.ts";
import { quote } from "../../quote.ts";
import { escapeText } from "../escape.ts";
import { formatTime } from "../format.ts";
import { UsageError } from "../usage-error.ts";
import type { Answer } from "./operator-answer.ts";
import { takeBack } from "./take-back.ts";

/** Instructions for a code that was just made. */
export function describeCode(made: IssueCodeResult, { name, role }: { name: string; role: Role }): string {
  const { code, endsAt, address, isPlaintext, isAnnounced } = made;
  const join = `commserver-client join ${escapeText(code)}`;
  const plain = isPlaintext ? " --plaintext" : "";
  const away = `${join} --server ${escapeText(address)}${plain}`;
  const where = isAnnounced
    ? ["In the network of the server:", join, "From elsewhere:", away]
    : ["On the other machine:", away];
  const steps = where.map((line, index) => (index % 2 === 0 ? line : `\n  ${line}\n`));
  return (
    `The code works once, until ${formatTime(endsAt)}:\n\n  ${escapeText(code)}\n\n${steps.join("\n")}\n` +
    `It becomes the token ${escapeText(name)}, with the role ${role}.\n` +
    "A wrong try with its first three digits ends it.\n"
  );
}

/** `invite NAME [ROLE]` of the operator's terminal: always a code, since an invite is too long to type. */
export async function runInviteLine(operator: Operator, rest: string): Promise<Answer> {
  const [name, given = "read", ...more] = rest.split(/\s+/).filter(Boolean);
  const role = Role.options.find((option) => option === given.toLowerCase());
  if (name === undefined || role === undefined || more.length > 0) {
    throw new UsageError("Write: invite NAME [read|write|operator]");
  }
  const made = await operator.issueCode({ name, role });
  return { text: describeCode(made, { name, role }).trimEnd(), facts: { name, role, ...made } };
}

/** The answer could not be shown: end the code. @throws as takeBack() */
export async function forgetCode(
  operator: Pick<Operator, "revokeToken">,
  { name }: Answer["facts"],
  cause: unknown,
): Promise<void> {
  await takeBack(`The code for ${quote(String(name))}`, () => operator.revokeToken(String(name)), cause);
}
