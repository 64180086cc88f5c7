import type { ArgsDef } from "citty";
import { openTokenDesk, type TokenDesk } from "../../daemon/token-desk.ts";
import { Role } from "../../protocol/messages.ts";
import type { IssueTokenResult, TokenRecord } from "../../protocol/methods.ts";
import { quote } from "../../quote.ts";
import type { Command } from "../command.ts";
import { isTyped } from "../configuration/origins.ts";
import type { ConsoleIo } from "../console-io.ts";
import { escapeText, toJson } from "../escape.ts";
import { expiryFlag, stateDirFlag } from "../flag-values.ts";
import type { Flags } from "../flags.ts";
import { formatTable, formatTime } from "../format.ts";
import { completeCommand } from "../shown-command.ts";
import { UsageError } from "../usage-error.ts";
import { advertiseFlag } from "./advertise-flag.ts";
import { programOptions } from "./program-options.ts";
import { takeBack } from "./take-back.ts";
import { LIMIT_FLAGS, limitCell, limitFlags, limitWords } from "./token-limits.ts";
import { warningText } from "./warning-words.ts";

const ACTIONS = ["add", "list", "revoke"] as const;

/** What a new token may do. */
export const NEW_TOKEN_FLAGS = {
  role: {
    type: "string",
    valueHint: "ROLE",
    description: `What it allows: ${Role.options.join(", ")}; default: read`,
  },
  expires: { type: "string", valueHint: "PERIOD", description: "When it ends, such as 12h or 30d; default: never" },
  ...LIMIT_FLAGS,
  advertise: { type: "string", valueHint: "HOST[:PORT],…", description: "Addresses for the invite" },
} as const satisfies ArgsDef;

export const NEW_TOKEN_COMPLETES = { role: Role.options };

export const token: Command = {
  description: "Make, list and revoke the tokens that clients connect with",
  args: {
    action: { type: "positional", required: false, description: ACTIONS.join(", ") },
    name: { type: "positional", required: false, description: "The token's name, for add and revoke" },
    ...NEW_TOKEN_FLAGS,
    "state-dir": { type: "string", valueHint: "DIR", description: "The state folder of the server" },
    json: { type: "boolean", description: "Print JSON for programs" },
  },
  completes: { action: ACTIONS, ...NEW_TOKEN_COMPLETES },
  async run(flags, io) {
    const request = tokenRequest(flags);
    const json = flags["json"] === true;
    const desk = await openTokenDesk(stateDirFlag(flags), { ...programOptions(), mayMake: request.action === "add" });
    for (const warning of desk.warnings) io.note(`Warning: ${escapeText(warningText(warning))}`);
    try {
      if (request.action === "add") await add(desk, request.token, json, io);
      else if (request.action === "revoke") await revoke(desk, request.name, json, io);
      else await list(desk, json, io);
      return 0;
    } finally {
      await desk.close();
    }
  },
};

/** Flags that only a new token takes. */
export const ONLY_ADD = Object.keys(NEW_TOKEN_FLAGS);

export type NewToken = Parameters<TokenDesk["issueToken"]>[0];

type TokenRequest =
  | { readonly action: "add"; readonly token: NewToken }
  | { readonly action: "list" }
  | { readonly action: "revoke"; readonly name: string };

/** The request that the flags make. @throws UsageError */
function tokenRequest(flags: Flags): TokenRequest {
  const [word, name] = flags._;
  const action = ACTIONS.find((known) => known === word);
  if (action === undefined) throw new UsageError("Write: token add NAME, token list, or token revoke NAME.");
  if (action === "list" && name !== undefined) throw new UsageError("token list takes no name.");
  if (action !== "list" && name === undefined) throw new UsageError(`Name the token: token ${action} NAME`);
  const surplus = action === "add" ? undefined : ONLY_ADD.find((flag) => isTyped(flags, flag));
  if (surplus !== undefined) throw new UsageError(`--${surplus} is only for token add.`);
  if (action === "list") return { action };
  return action === "add" ? { action, token: newToken(String(name), flags) } : { action, name: String(name) };
}

/** The token that the flags make. @throws UsageError; StorageError BAD_PATH */
export function newToken(name: string, flags: Flags): NewToken {
  const role = Role.options.find((option) => option === (flags["role"] ?? "read"));
  if (role === undefined) throw new UsageError(`--role takes read, write or operator, not "${flags["role"]}".`);
  const expiresAt = expiryFlag(flags, "expires", Date.now());
  const addresses = advertiseFlag(flags);
  return {
    name,
    role,
    ...(expiresAt !== undefined && { expiresAt }),
    ...(addresses !== undefined && { addresses }),
    ...limitFlags(flags),
  };
}

async function add(desk: TokenDesk, token: NewToken, json: boolean, io: ConsoleIo): Promise<void> {
  const { name, role, expiresAt } = token;
  const made = await desk.issueToken(token);
  const text = json ? `${toJson({ name, role, expiresAt: expiresAt ?? null, ...made })}\n` : describeNew(made);
  await io.out(text).catch((cause) => takeTokenBack(desk, name, cause));
}

/** A token that could not be shown would block the next try. @throws as takeBack() */
export function takeTokenBack(desk: Pick<TokenDesk, "revokeToken">, name: string, cause: unknown): Promise<never> {
  return takeBack(`The token ${quote(name)}`, async () => desk.revokeToken(name), cause);
}

/** Instructions for a token that was just made. */
export function describeNew({ token, invite, ...limits }: IssueTokenResult): string {
  return (
    `${limitWords(limits)}` +
    "It is shown only once. On the other machine:\n\n" +
    // Trying it would be a session.
    `  commserver-client join ${limits.uses === undefined ? "" : "--offline "}${escapeText(invite)}\n\n` +
    `The token alone, for COMMSERVER_TOKEN, --token-file, or HTTP (curl --user):\n\n  ${escapeText(token)}\n`
  );
}

async function revoke(desk: TokenDesk, name: string, json: boolean, io: ConsoleIo): Promise<void> {
  await desk.revokeToken(name);
  if (json) await io.out(`${toJson({ name, revoked: true })}\n`);
  else await io.out(`${escapeText(name)} is revoked: it admits nobody any more, and its sessions have ended.\n`);
}

async function list(desk: TokenDesk, json: boolean, io: ConsoleIo): Promise<void> {
  const records = await Array.fromAsync(desk.tokens());
  if (json) return io.out(`${toJson(records)}\n`);
  const shown = { command: completeCommand("commserver-server token add NAME"), columns: io.outColumns };
  await io.out(`${formatTokens(records, Date.now(), shown)}\n`);
}

/** The list for people; `command` makes a token. */
export function formatTokens(
  records: readonly TokenRecord[],
  now: number,
  { command = "token add NAME", columns }: { command?: string; columns?: number | undefined } = {},
): string {
  if (records.length === 0) return `There are no tokens. Make one with: ${command}`;
  const limits = records.map(limitCell);
  const hasLimits = limits.some((cell) => cell !== "");
  const rows = records.map(({ name, role, createdAt, expiresAt }, index) => [
    escapeText(name),
    role,
    formatTime(createdAt),
    expiresAt === null ? "never" : `${formatTime(expiresAt)}${expiresAt <= now ? " (expired)" : ""}`,
    ...(hasLimits ? [limits[index] ?? ""] : []),
  ]);
  return formatTable(["NAME", "ROLE", "MADE", "EXPIRES", ...(hasLimits ? ["LIMITS"] : [])], rows, columns);
}
