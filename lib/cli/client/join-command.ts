import { CommError } from "../../errors.ts";
import { parseInvite } from "../../protocol/invite.ts";
import { quote } from "../../quote.ts";
import type { Command } from "../command.ts";
import { escapeText, toJson } from "../escape.ts";
import { type Flags, stateDirFlag } from "../flags.ts";
import { readSecret } from "../secret-source.ts";
import { completeCommand } from "../shown-command.ts";
import { UsageError } from "../usage-error.ts";
import { ServerBook } from "./server-book.ts";
import { BOOK_FLAGS } from "./servers-command.ts";
import { serverOf } from "./target.ts";

/** What --server would take for an address must not be a name. */
const NAME = /^(?!localhost$)[A-Za-z][A-Za-z0-9_-]{0,63}$/;

export const join: Command = {
  description: "Remember a server by an invite: then --server NAME is enough",
  args: {
    invite: {
      type: "positional",
      required: false,
      // A terminal may have cut it into several words.
      valueHint: "…",
      description: "The line from the server; -: read it from standard input; absent: COMMSERVER_INVITE",
    },
    name: {
      type: "string",
      alias: "n",
      valueHint: "NAME",
      description: "What to call it; default: as it calls itself",
    },
    overwrite: { type: "boolean", description: "Replace what was known by that name" },
    ...BOOK_FLAGS,
  },
  async run(flags, io) {
    const invite = parseInvite(await inviteLine(flags));
    const name = String(flags["name"] ?? invite.label);
    if (!NAME.test(name))
      throw new UsageError(`${quote(name)} can't name a server: letters, digits, "_" and "-", a letter first.`);
    const book = new ServerBook(stateDirFlag(flags));
    const known = book.find(name);
    const server = serverOf(invite, name);
    // The same server with another token or address is no surprise; another server under its name is.
    if (known !== undefined && known.identity !== server.identity && flags["overwrite"] !== true) {
      throw new CommError("SERVER_KNOWN", `Another server is known as ${quote(name)}.`);
    }
    book.save(server);
    const warning = book.warningOf(server);
    if (warning !== undefined) io.note(escapeText(warning));
    const { addresses, identity } = server;
    if (flags["json"]) await io.out(`${toJson({ name, addresses, identity })}\n`);
    else {
      const talk = completeCommand(`commserver-client --server ${escapeText(name)}`, stateDirOf(flags));
      await io.out(`Joined ${escapeText(name)}. Talk to it with: ${talk}\n`);
    }
    return 0;
  },
};

/** The flags that the command to talk needs as well. */
function stateDirOf(flags: Flags): string[] {
  return flags["state-dir"] === undefined ? [] : ["--state-dir", String(flags["state-dir"])];
}

async function inviteLine(flags: Flags): Promise<string> {
  const given = flags._.length === 0 ? undefined : flags._.join("");
  const line = given === undefined || given === "-" ? await readSecret(given, "COMMSERVER_INVITE") : given;
  if (line === undefined) throw new UsageError("Which one? join INVITE, or join - to read it from standard input.");
  return line;
}
