import { toCommError } from "../errors.ts";
import { formatHostPort, parseAddress } from "../transport/address.ts";
import type { CodeServer } from "./redeem-code.ts";
import { DEFAULT_SERVER, findTarget, type TrustSettings } from "./target.ts";

/** How long servers may take to announce themselves. */
const LISTEN_MS = 2_000;

/**
 * The servers to ask for a code: the one that was named, or those that announce themselves on this machine's networks,
 * or else the one of this machine.
 *
 * @throws CommError MALFORMED; AbortError when `signal` aborts
 */
export async function serversForCode(
  settings: Pick<TrustSettings, "server" | "isPlaintext" | "stateDir">,
  signal: AbortSignal,
): Promise<CodeServer[]> {
  const { server, isPlaintext } = settings;
  if (server !== undefined) {
    const target = findTarget({ ...settings, invite: undefined, token: undefined, ca: undefined });
    return [{ name: target.name, addresses: target.addresses, isPlaintext: target.isPlaintext }];
  }
  // Loaded for this alone: it makes every start longer.
  const { findServers } = await import("../discovery/find-servers.ts");
  // A machine whose networks can't be asked may still run a server.
  const found = await findServers(LISTEN_MS, signal).catch((thrown) => {
    if (toCommError(thrown).code !== "CANNOT_CONNECT") throw thrown;
    return [];
  });
  if (found.length === 0) return [{ name: DEFAULT_SERVER, addresses: [parseAddress(DEFAULT_SERVER)], isPlaintext }];
  return found.map(({ name, hosts, port, isEncrypted }) => ({
    name: `${name} (${formatHostPort(hosts[0] ?? "", port)})`,
    addresses: hosts.map((host) => ({ kind: "tcp", host, port })),
    isPlaintext: isEncrypted === false,
  }));
}
