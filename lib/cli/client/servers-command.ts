import type { ArgsDef } from "citty";
import { parseToken } from "../../protocol/token.ts";
import { formatAddress, parseAddress } from "../../transport/address.ts";
import { DefaultServer } from "../../trust/default-server.ts";
import { type KnownServer, KnownServers } from "../../trust/known-servers.ts";
import type { Command } from "../command.ts";
import { escapeText, toJson } from "../escape.ts";
import { stateDirFlag } from "../flag-values.ts";
import { formatTable } from "../format.ts";
import { completeCommand } from "../shown-command.ts";

/** Flags of the commands that manage known servers, and connect to none. */
export const KNOWN_SERVER_FLAGS = {
  "state-dir": { type: "string", valueHint: "DIR", description: "Where known servers are kept" },
  json: { type: "boolean", description: "Print JSON for programs" },
} as const satisfies ArgsDef;

export const servers: Command = {
  description: "List the servers that are known here",
  args: KNOWN_SERVER_FLAGS,
  async run(flags, io) {
    let faults = 0;
    const stateDir = stateDirFlag(flags);
    const known = new KnownServers(stateDir).list((fault) => {
      faults++;
      io.note(`Left out: ${escapeText(fault.message)}`);
    });
    const chosen = new DefaultServer(stateDir).chosen();
    if (flags["json"]) {
      const shown = known.map(({ token, ...server }) => ({
        ...server,
        hasToken: token !== undefined,
        ...(server.name === chosen && { isDefault: true }),
      }));
      await io.out(`${toJson(shown)}\n`);
    } else if (known.length === 0 && faults === 0)
      io.note(`No server is known here. Join one with: ${completeCommand("commserver-client join INVITE")}`);
    else if (known.length > 0) {
      const rows = known.map((server) => serverCells(server, server.name === chosen));
      await io.out(`${formatTable(["NAME", "ADDRESSES", "IDENTITY", "TOKEN"], rows, io.outColumns)}\n`);
    }
    return 0;
  },
};

function serverCells({ name, addresses, identity, token }: KnownServer, isDefault: boolean): string[] {
  const tokenName = token === undefined ? "none" : parseToken(token).name;
  const shown = isDefault ? `${name} (default)` : name;
  return [shown, addresses.join(" "), identity ?? "not encrypted", tokenName].map(escapeText);
}

export const forget: Command = {
  description: "Forget a server: its identity and its token",
  args: { server: { type: "positional", description: "Its name, or its address" }, ...KNOWN_SERVER_FLAGS },
  completes: { server: "server" },
  async run(flags, io) {
    const given = String(flags._[0]);
    const stateDir = stateDirFlag(flags);
    const known = new KnownServers(stateDir);
    // An address may be written without its port.
    const name = isAddressOfKnown(known, given) ? formatAddress(parseAddress(given)) : given;
    known.forget(name);
    const choice = new DefaultServer(stateDir);
    const wasDefault = choice.chosen() === name;
    if (wasDefault) choice.clear();
    if (flags["json"]) await io.out(`${toJson({ name, forgotten: true })}\n`);
    else await io.out(`${escapeText(name)} is forgotten.\n`);
    if (wasDefault) io.note("It was the chosen server; commands without --server have none now.");
    return 0;
  },
};

function isAddressOfKnown(known: KnownServers, given: string): boolean {
  try {
    return known.find(given) === undefined && known.find(formatAddress(parseAddress(given))) !== undefined;
  } catch {
    return false;
  }
}
