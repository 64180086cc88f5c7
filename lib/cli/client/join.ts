import type { ArgsDef } from "citty";
import { CommError, UsageError } from "../../errors.ts";
import { quote } from "../../path.ts";
import { parseInvite } from "../../protocol/invite.ts";
import { parseToken } from "../../protocol/token.ts";
import { formatAddress } from "../../transport/address.ts";
import { escapeText, toJson } from "../escape.ts";
import type { Flags } from "../flags.ts";
import { formatTable } from "../format.ts";
import type { Command } from "../program.ts";
import { readSecret } from "../secret-source.ts";
import type { KnownServer } from "./server-book.ts";
import { bookOf, parseGiven, serverOf } from "./target.ts";

/** What --server would take for an address must not be a name. */
const NAME = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;

const STATE_DIR = {
  "state-dir": { type: "string", valueHint: "DIR", description: "Where known servers are" },
  json: { type: "boolean", description: "Print JSON for programs" },
} as const satisfies ArgsDef;

export const join: Command = {
  description: "Remember a server by an invite: then --server NAME is enough",
  args: {
    invite: {
      type: "positional",
      required: false,
      description: "The line from the server; -: read it from standard input; absent: COMMSERVER_INVITE",
    },
    name: {
      type: "string",
      alias: "n",
      valueHint: "NAME",
      description: "What to call it; default: as it calls itself",
    },
    overwrite: { type: "boolean", description: "Replace what was known by that name" },
    ...STATE_DIR,
  },
  async run(flags, io) {
    const invite = parseInvite(inviteLine(flags));
    const name = String(flags["name"] ?? invite.label);
    if (!NAME.test(name))
      throw new UsageError(`${quote(name)} can't name a server: letters, digits, "_" and "-", a letter first.`);
    const book = bookOf(flags);
    const known = book.find(name);
    const server = serverOf(invite, name);
    // The same server with another token or address is no surprise; another server under its name is.
    if (known !== undefined && known.identity !== server.identity && flags["overwrite"] !== true) {
      throw new CommError(
        "EXISTS",
        `Another server is known as ${quote(name)}: choose a name with --name, or replace it with --overwrite.`,
      );
    }
    book.save(server);
    const { addresses, identity } = server;
    if (flags["json"]) await io.out(`${toJson({ name, addresses, identity })}\n`);
    else await io.out(`Joined ${escapeText(name)}. Talk to it with: commserver-client --server ${escapeText(name)}\n`);
    return 0;
  },
};

function inviteLine(flags: Flags): string {
  const [given] = flags._;
  const line = given === undefined || given === "-" ? readSecret(given, "COMMSERVER_INVITE") : given;
  if (line === undefined) throw new UsageError("Which one? join INVITE, or join - to read it from standard input.");
  return line;
}

export const servers: Command = {
  description: "List the servers that are known here",
  args: STATE_DIR,
  async run(flags, io) {
    const known = bookOf(flags).list();
    if (flags["json"]) {
      const shown = known.map(({ token, ...server }) => ({ ...server, hasToken: token !== undefined }));
      await io.out(`${toJson(shown)}\n`);
    } else if (known.length === 0) io.note("No server is known here. Join one with: commserver-client join INVITE");
    else await io.out(`${formatTable(["NAME", "ADDRESSES", "IDENTITY", "TOKEN"], known.map(serverCells))}\n`);
    return 0;
  },
};

function serverCells({ name, addresses, identity, token }: KnownServer): string[] {
  const tokenName = token === undefined ? "none" : parseToken(token).name;
  return [name, addresses.join(" "), identity ?? "not encrypted", tokenName].map(escapeText);
}

export const forget: Command = {
  description: "Forget a server: its identity, and the token for it",
  args: { server: { type: "positional", description: "Its name, or its address" }, ...STATE_DIR },
  async run(flags, io) {
    const given = String(flags._[0]);
    const book = bookOf(flags);
    // An address may be written without its port.
    const name = book.find(given) === undefined ? formatAddress(parseGiven(given)) : given;
    book.forget(name);
    if (flags["json"]) await io.out(`${toJson({ name, forgotten: true })}\n`);
    else await io.out(`${escapeText(name)} is forgotten.\n`);
    return 0;
  },
};
