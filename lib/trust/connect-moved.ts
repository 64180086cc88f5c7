import { CommError, toCommError } from "../errors.ts";
import { isLoopback } from "../transport/address.ts";
import { connectFirst } from "../transport/connect-first.ts";
import type { SocketTransport } from "../transport/socket-transport.ts";
import type { DialOptions } from "./dial-options.ts";
import { isServerName, KnownServers } from "./known-servers.ts";
import { locate } from "./locate.ts";
import type { Announced } from "./recognise.ts";
import type { Target } from "./target.ts";
import { trustIn } from "./verify.ts";

/** How long announcements are listened for. */
const LISTEN_MS = 2_000;
/** The most announced servers that are tried, and the most addresses that are known of one. */
const MAX_TRIED = 4;
const MAX_KNOWN = 8;

/**
 * A transport to a server that was joined, and does not answer at its known addresses, at the address where a server
 * with its identity announces itself. An announcement proves nothing: the server is verified as ever, and its address
 * is known only from then on.
 *
 * @returns undefined when there is none, or when `failure` is no reason to look for one
 * @throws CommError INTERRUPTED
 */
export async function connectMoved(
  target: Target,
  failure: unknown,
  options: DialOptions,
): Promise<SocketTransport | undefined> {
  const { prompts, timeoutMs, signal, find = findNearby } = options;
  const { code } = toCommError(failure);
  const isAway = code === "CANNOT_CONNECT" || code === "TIMEOUT";
  if (prompts.onMoved === undefined || !isAway || !mayMove(target)) return undefined;
  prompts.onMoved({ kind: "looking", server: target.name });
  const found = await find(LISTEN_MS, signal).catch(() => []);
  const same = found.filter(({ fingerprint }) => fingerprint === target.identity);
  for (const { hosts, port } of same.slice(0, MAX_TRIED)) {
    const places = hosts.map((host) => locate({ kind: "tcp", host, port }, options));
    const addresses = (await Promise.all(places)).flat();
    const trust = trustIn(target, { acceptNew: false, onTrusted() {} });
    try {
      const transport = await connectFirst(addresses, { timeoutMs, signal, trust });
      remember(target.name, transport.peer, options);
      prompts.onMoved({ kind: "found", server: target.name, address: transport.peer });
      return transport;
    } catch {
      // An announcement of somebody else, perhaps: what failed at the known address tells more.
    }
  }
  if (signal.aborted) throw new CommError("INTERRUPTED", "Interrupted.");
  return undefined;
}

/** Whether a server with this identity, and no other, may be at another address. */
function mayMove({ name, identity, ca, isKnown, addresses }: Target): boolean {
  const isPinned = ca === undefined && identity?.startsWith("SHA256:") === true;
  return (
    isKnown && isPinned && isServerName(name) && addresses.some((each) => each.kind === "tcp" && !isLoopback(each.host))
  );
}

/** Its known addresses come after the new one: it may go back. */
function remember(name: string, address: string, { stateDir, prompts }: DialOptions): void {
  const known = new KnownServers(stateDir);
  try {
    const server = known.find(name);
    if (server === undefined) return;
    const others = server.addresses.filter((each) => each !== address);
    known.save({ ...server, addresses: [address, ...others].slice(0, MAX_KNOWN) });
  } catch (thrown) {
    prompts.warn({ kind: "not saved", server: name, fault: toCommError(thrown) });
  }
}

async function findNearby(listenMs: number, signal: AbortSignal): Promise<readonly Announced[]> {
  // Loaded for this alone: it makes every start longer.
  const { findServers } = await import("../discovery/find-servers.ts");
  return findServers(listenMs, signal);
}
