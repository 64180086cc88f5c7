import { openTokenDesk, type TokenDesk } from "../../daemon/token-desk.ts";
import { CODE_MS, MAX_CODE_MS, MIN_CODE_MS } from "../../protocol/methods.ts";
import { quote } from "../../quote.ts";
import type { Command } from "../command.ts";
import { isTyped } from "../configuration/origins.ts";
import type { ConsoleIo } from "../console-io.ts";
import { escapeText, toJson } from "../escape.ts";
import { expiryFlag, stateDirFlag } from "../flag-values.ts";
import type { Flags } from "../flags.ts";
import { UsageError } from "../usage-error.ts";
import { describeCode, forgetCode } from "./invite-line.ts";
import { programOptions } from "./program-options.ts";
import { takeBack } from "./take-back.ts";
import { describeNew, NEW_TOKEN_COMPLETES, NEW_TOKEN_FLAGS, type NewToken, newToken } from "./token-command.ts";
import { warningText } from "./warning-words.ts";

export const invite: Command = {
  description: "Invite another machine: by a line to copy, or by ten digits to type",
  args: {
    name: { type: "positional", description: "The name of its token" },
    code: { type: "boolean", description: "Make a one-time code of ten digits in place of the long line" },
    "code-expires": {
      type: "string",
      valueHint: "PERIOD",
      default: "10m",
      description: "How long the code works, from 1m to 24h",
    },
    qr: { type: "boolean", description: "Show the line as a QR code, too" },
    ...NEW_TOKEN_FLAGS,
    "state-dir": { type: "string", valueHint: "DIR", description: "The state folder of the server" },
    json: { type: "boolean", description: "Print JSON for programs" },
  },
  completes: NEW_TOKEN_COMPLETES,
  async run(flags, io) {
    const token = newToken(String(flags._[0]), flags);
    const isCode = flags["code"] === true;
    if (isCode && flags["qr"] === true) throw new UsageError("--code is for typing, --qr for a camera: leave out one.");
    if (!isCode && isTyped(flags, "code-expires")) throw new UsageError("--code-expires needs --code.");
    if (flags["json"] === true && flags["qr"] === true) throw new UsageError("--qr is for people: leave out --json.");
    const lifeMs = codeLife(flags);
    const desk = await openTokenDesk(stateDirFlag(flags), { ...programOptions(), mayMake: !isCode });
    for (const warning of desk.warnings) io.note(`Warning: ${escapeText(warningText(warning))}`);
    try {
      if (isCode) await offerCode(desk, token, lifeMs, flags, io);
      else await makeInvite(desk, token, flags, io);
      return 0;
    } finally {
      await desk.close();
    }
  },
};

/** @throws UsageError */
function codeLife(flags: Flags): number {
  const ms = expiryFlag(flags, "code-expires", 0) ?? CODE_MS;
  if (ms >= MIN_CODE_MS && ms <= MAX_CODE_MS) return ms;
  throw new UsageError("--code-expires takes a period from 1m to 24h.");
}

async function offerCode(desk: TokenDesk, token: NewToken, lifeMs: number, flags: Flags, io: ConsoleIo): Promise<void> {
  const made = await desk.issueCode({ ...token, lifeMs });
  const { name, role } = token;
  const text = flags["json"] === true ? `${toJson({ name, role, ...made })}\n` : describeCode(made, token);
  await io.out(text).catch((cause) => forgetCode(desk, { name }, cause));
}

async function makeInvite(desk: TokenDesk, token: NewToken, flags: Flags, io: ConsoleIo): Promise<void> {
  const { name, role, expiresAt } = token;
  const made = await desk.issueToken(token);
  try {
    if (flags["json"] === true) {
      await io.out(`${toJson({ name, role, expiresAt: expiresAt ?? null, ...made })}\n`);
      return;
    }
    await io.out(describeNew(made));
    if (flags["qr"] === true) await io.out(`\n${await qrCode(made.invite, io)}`);
  } catch (cause) {
    await takeBack(`The token ${quote(name)}`, async () => desk.revokeToken(name), cause);
  }
}

async function qrCode(invite: string, io: ConsoleIo): Promise<string> {
  // Loaded for this alone: it makes every start longer.
  const { formatQrCode } = await import("../terminal/qr-code.ts");
  const { lines, columns } = formatQrCode(invite, io.outIsTty);
  if (io.outColumns !== undefined && columns > io.outColumns) {
    io.note(`The QR code is ${columns} columns wide, and this terminal ${io.outColumns}: it is not shown.`);
    return "";
  }
  return lines.map((line) => `${line}\n`).join("");
}
