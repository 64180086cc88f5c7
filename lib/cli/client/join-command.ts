import { parseInvite } from "../../protocol/invite.ts";
import { quote } from "../../quote.ts";
import { isServerName, KnownServers } from "../../trust/known-servers.ts";
import { serverOf } from "../../trust/target.ts";
import type { Command } from "../command.ts";
import { escapeText, toJson } from "../escape.ts";
import { exposedTokenWarning } from "../exposure-words.ts";
import { stateDirFlag } from "../flag-values.ts";
import type { Flags } from "../flags.ts";
import { readSecret } from "../secret-source.ts";
import { completeCommand } from "../shown-command.ts";
import { UsageError } from "../usage-error.ts";
import { KNOWN_SERVER_FLAGS } from "./servers-command.ts";

export const join: Command = {
  description: "Remember a server from its invite; then --server NAME is enough",
  args: {
    invite: {
      type: "positional",
      required: false,
      // Copied from a terminal, an invite may be cut into several words.
      valueHint: "…",
      description: "The line from the server; -: read it from standard input; default: COMMSERVER_INVITE",
    },
    name: {
      type: "string",
      alias: "n",
      valueHint: "NAME",
      description: "What to call the server; default: its own name",
    },
    overwrite: { type: "boolean", description: "Replace a known server of that name" },
    ...KNOWN_SERVER_FLAGS,
  },
  async run(flags, io) {
    const invite = parseInvite(await inviteLine(flags));
    const name = String(flags["name"] ?? invite.label);
    if (!isServerName(name))
      throw new UsageError(`${quote(name)} can't name a server: letters, digits, "_" and "-", a letter first.`);
    const known = new KnownServers(stateDirFlag(flags));
    const server = serverOf(invite, name);
    known.join(server, { replace: flags["overwrite"] === true });
    const exposed = known.exposedToken(server);
    if (exposed !== undefined) io.note(escapeText(exposedTokenWarning(exposed)));
    const { addresses, identity } = server;
    if (flags["json"]) await io.out(`${toJson({ name, addresses, identity })}\n`);
    else {
      const talk = completeCommand(`commserver-client --server ${escapeText(name)}`, stateDirOf(flags));
      await io.out(`Joined ${escapeText(name)}. Connect to it with: ${talk}\n`);
    }
    return 0;
  },
};

/** The flags that the suggested command needs as well. */
function stateDirOf(flags: Flags): string[] {
  return flags["state-dir"] === undefined ? [] : ["--state-dir", String(flags["state-dir"])];
}

async function inviteLine(flags: Flags): Promise<string> {
  const given = flags._.length === 0 ? undefined : flags._.join("");
  const line = given === undefined || given === "-" ? await readSecret(given, "COMMSERVER_INVITE") : given;
  if (line === undefined) throw new UsageError("Which invite? join INVITE, or join - to read it from standard input.");
  return line;
}
