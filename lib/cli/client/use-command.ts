import { CommError } from "../../errors.ts";
import { quote } from "../../quote.ts";
import { formatAddress, parseAddress } from "../../transport/address.ts";
import { DefaultServer, knownWords } from "../../trust/default-server.ts";
import { isServerName, KnownServers } from "../../trust/known-servers.ts";
import { DEFAULT_SERVER } from "../../trust/target.ts";
import type { Command } from "../command.ts";
import { escapeText, toJson } from "../escape.ts";
import { stateDirFlag } from "../flag-values.ts";
import { serverVariable } from "../server-variable.ts";
import { UsageError } from "../usage-error.ts";
import { KNOWN_SERVER_FLAGS } from "./servers-command.ts";

export const use: Command = {
  description: "Choose the server for commands without --server, or show it",
  args: {
    server: {
      type: "positional",
      required: false,
      description: "A joined name, or an address; without it: show the present choice",
    },
    clear: { type: "boolean", description: "Choose none" },
    ...KNOWN_SERVER_FLAGS,
  },
  typedOnly: ["clear"],
  completes: { server: "server" },
  async run(flags, io) {
    const stateDir = stateDirFlag(flags);
    const [given] = flags._;
    if (given !== undefined && flags["clear"] === true) throw new UsageError("Name a server, or --clear, not both.");
    const choice = new DefaultServer(stateDir);
    if (flags["clear"] === true) choice.clear();
    if (given !== undefined) choice.choose(serverOf(given, new KnownServers(stateDir)));
    const variable = serverVariable();
    const chosen = choice.chosen();
    if (flags["json"]) {
      await io.out(`${toJson({ server: chosen ?? null, ...(variable !== undefined && { variable }) })}\n`);
    } else await io.out(`${escapeText(describe(chosen, given !== undefined))}\n`);
    if (variable !== undefined) {
      io.note(`COMMSERVER_SERVER is set and comes first: commands talk to ${escapeText(variable)}.`);
    }
    return 0;
  },
};

function describe(chosen: string | undefined, isNew: boolean): string {
  if (chosen !== undefined) return isNew ? `Commands without --server now talk to ${chosen}.` : chosen;
  return `No server is chosen: commands without --server talk to ${DEFAULT_SERVER}, or to the only known server if none runs there.`;
}

/** The server as it is kept: a known name, or an address with its port. @throws CommError NO_SUCH_SERVER, MALFORMED */
function serverOf(given: string, known: KnownServers): string {
  if (known.find(given) !== undefined) return given;
  if (!isServerName(given)) return formatAddress(parseAddress(given));
  const words = knownWords(known.list());
  throw new CommError("NO_SUCH_SERVER", `No server ${quote(given)} is known here. ${words}`.trim());
}
