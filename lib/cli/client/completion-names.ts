import { homedir } from "node:os";
import type { Client } from "../../client/client.ts";
import type { Entry } from "../../protocol/methods.ts";
import { Connector } from "../../trust/connector.ts";
import { KnownServers } from "../../trust/known-servers.ts";
import type { NamesOf } from "../completion/completions-command.ts";
import { stateDirFlag } from "../flag-values.ts";
import type { Flags } from "../flags.ts";
import { unlessAborted } from "../unless-aborted.ts";
import { readConnectSettings } from "./connect-settings.ts";
import { namesHere, pathsFrom } from "./server-names.ts";

/** How long a person waits at most for the names of a server, in milliseconds; for its connection alone: less. */
const FIND_MS = 2_000;
const CONNECT_SECONDS = "1";
/** The most names of a folder that are offered. */
const MAX_NAMES = 500;

/**
 * Names for completion: of known servers, and of what a server has. It connects as the typed flags say, but trusts no
 * new server, asks nothing and waits for no seat.
 *
 * @throws as Connector.connect() and the calls of Client; CommError INTERRUPTED after FIND_MS
 */
export const findNames: NamesOf = async (kind, typed, given) => {
  const flags = withHome(given);
  if (kind === "server") return new KnownServers(stateDirFlag(flags)).list().map(({ name }) => name);
  const signal = AbortSignal.timeout(FIND_MS);
  return unlessAborted(ask(flags, signal, kind === "client" ? namesHere : remoteNames(typed, kind)), signal);
};

/** The flags with their `~`, which the shell has not expanded yet. */
function withHome(flags: Flags): Flags {
  const values = Object.entries(flags).map(([name, value]) => [
    name,
    typeof value === "string" ? value.replace(/^~(?=\/)/, () => homedir()) : value,
  ]);
  return { ...Object.fromEntries(values), _: [] };
}

async function ask(
  flags: Flags,
  signal: AbortSignal,
  find: (client: Client, signal: AbortSignal) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const settings = await readConnectSettings({ ...flags, timeout: CONNECT_SECONDS, reconnect: undefined });
  const connector = new Connector(
    { ...settings, acceptNew: false, wait: false },
    { confirm: async () => false, warn() {}, onQueued() {} },
  );
  const client = await connector.connect(signal);
  try {
    return await find(client, signal);
  } finally {
    await client.close();
  }
}

/** Names of the repository that begin as typed. */
function remoteNames(typed: string, kind: "remote" | "remote folder") {
  return async (client: Client, signal: AbortSignal): Promise<readonly string[]> => {
    const [prefix = ""] = /^(?:\.\/)*/.exec(typed) ?? [];
    const takes = (entry: Entry) => kind === "remote" || entry.kind === "folder";
    const { names } = await pathsFrom(client, typed.slice(prefix.length), { signal, max: MAX_NAMES, takes });
    return names.map((name) => `${prefix}${name}`);
  };
}
