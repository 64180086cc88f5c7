import { homedir } from "node:os";
import type { Client } from "../../client/client.ts";
import { escapeGlob } from "../../glob.ts";
import { Connector } from "../../trust/connector.ts";
import { KnownServers } from "../../trust/known-servers.ts";
import type { NamesOf } from "../completion/completions-command.ts";
import { stateDirFlag } from "../flag-values.ts";
import type { Flags } from "../flags.ts";
import { unlessAborted } from "../unless-aborted.ts";
import { readConnectSettings } from "./connect-settings.ts";
import { fetchStatus } from "./status-command.ts";

/** How long a person waits at most for the names of a server, in milliseconds; for its connection alone: less. */
const FIND_MS = 2_000;
const CONNECT_SECONDS = "1";
/** The most names of a folder that are offered. */
const MAX_NAMES = 500;
/** The most entries that are read to find them. */
const MAX_HEARD = 2_000;
/** The newest sessions among which those of clients that are here are sought. */
const NEWEST_SESSIONS = 128;

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
  return unlessAborted(ask(flags, signal, kind === "client" ? clientNames : remoteNames(typed, kind)), signal);
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
    { confirm: async () => false, warn() {}, onQueued() {}, onMessage() {} },
  );
  const client = await connector.connect(signal);
  try {
    return await find(client, signal);
  } finally {
    await client.close();
  }
}

async function clientNames(client: Client): Promise<readonly string[]> {
  const { self, sessions } = await fetchStatus(client, NEWEST_SESSIONS);
  const here = sessions.filter(({ endedAt, name }) => endedAt === null && name !== self.name);
  return ["all", ...here.map(({ name }) => name).reverse()];
}

/** Names of the repository that begin as typed, folders with a slash. */
function remoteNames(typed: string, kind: "remote" | "remote folder") {
  return async (client: Client, signal: AbortSignal): Promise<readonly string[]> => {
    const [prefix = ""] = /^(?:\.\/)*/.exec(typed) ?? [];
    const found: string[] = [];
    let heard = 0;
    // The typed text is the beginning of a name, even if it looks like a pattern.
    for await (const { path, kind: is } of client.list(`${escapeGlob(typed.slice(prefix.length))}*`, signal)) {
      if (++heard > MAX_HEARD || found.length >= MAX_NAMES) break;
      if (is === "folder" || kind === "remote") found.push(`${prefix}${path}${is === "folder" ? "/" : ""}`);
    }
    return found;
  };
}
