import type { Operator } from "../../client/operator.ts";
import { Role } from "../../protocol/messages.ts";
import { parseShellFlags, shellArgs } from "../client/shell-flags.ts";
import { splitWords } from "../client/shell-words.ts";
import { isTyped } from "../configuration/origins.ts";
import type { ConsoleIo } from "../console-io.ts";
import { escapeText } from "../escape.ts";
import { UsageError } from "../usage-error.ts";
import type { Answer } from "./operator-answer.ts";
import {
  describeNew,
  formatTokens,
  newToken,
  ONLY_ADD,
  takeTokenBack,
  token as tokenCommand,
} from "./token-command.ts";

/** The role is a word of its own here, and --role is taken as well. */
const ARGS = shellArgs({
  action: { type: "positional", required: false },
  name: { type: "positional", required: false },
  given: { type: "positional", required: false },
  ...Object.fromEntries(
    Object.entries(tokenCommand.args).filter(([name]) => !["action", "name", "json", "state-dir"].includes(name)),
  ),
});

const USAGE =
  "Write: token add NAME [read|write|operator] [--folder PATH] [--quota SIZE] [--drop] [--uses N] [--expires PERIOD], token list, or token revoke NAME";

/** As `token` on the command line, for the operator's terminal: `token add NAME [ROLE] [FLAGS]`. */
export async function runTokenLine(
  operator: Operator,
  rest: string,
  { outColumns }: Pick<ConsoleIo, "outColumns">,
): Promise<Answer> {
  const flags = parseShellFlags(splitWords(rest), ARGS);
  const [action = "", name, given] = flags._;
  const hasFlags = ONLY_ADD.some((flag) => isTyped(flags, flag));
  const role = given?.toLowerCase();
  if (action.toLowerCase() === "add" && name !== undefined && isRole(role) && !(role && flags["role"])) {
    const made = newToken(name, role === undefined ? flags : { ...flags, role });
    const result = await operator.issueToken(made);
    const facts = { name, role: made.role, expiresAt: made.expiresAt ?? null, ...result };
    return { text: describeNew(result).trimEnd(), facts };
  }
  if (action.toLowerCase() === "revoke" && name !== undefined && given === undefined && !hasFlags) {
    await operator.revokeToken(name);
    return { text: `${escapeText(name)} is revoked.`, facts: { name, revoked: true } };
  }
  if (action.toLowerCase() === "list" && name === undefined && !hasFlags) {
    const tokens = await Array.fromAsync(operator.tokens());
    return { text: formatTokens(tokens, Date.now(), { columns: outColumns }), facts: { tokens } };
  }
  throw new UsageError(USAGE);
}

function isRole(word: string | undefined): boolean {
  return word === undefined || Role.options.some((option) => option === word);
}

/** The answer to a token line could not be shown. @throws as takeBack(), for a token that the line made */
export async function forgetTokenLine(operator: Operator, facts: Answer["facts"], cause: unknown): Promise<void> {
  const { name, token } = facts as { name?: string; token?: string };
  if (name !== undefined && token !== undefined) await takeTokenBack(operator, name, cause);
}
