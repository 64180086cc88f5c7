import { toCommError } from "../errors.ts";
import { type Address, formatAddress, isLoopback } from "../transport/address.ts";
import { connectFirst } from "../transport/connect-first.ts";
import type { SocketTransport } from "../transport/socket-transport.ts";
import { connectMoved } from "./connect-moved.ts";
import type { DialOptions } from "./dial-options.ts";
import { KnownServers } from "./known-servers.ts";
import { locate } from "./locate.ts";
import type { Target } from "./target.ts";
import { trustIn, UnknownIdentity } from "./verify.ts";

/**
 * A transport to the target server, and to no other. A new server is trusted, and known from then on, when `acceptNew`
 * is set or the user agrees.
 *
 * @throws as connect(); UnknownIdentity, ChangedIdentity; CommError WRONG_IDENTITY
 */
export async function dial(target: Target, options: DialOptions): Promise<SocketTransport> {
  const { prompts, signal, timeoutMs, acceptNew } = options;
  if (target.exposedToken !== undefined) prompts.warn({ kind: "exposed token", ...target.exposedToken });
  const addresses = (await Promise.all(target.addresses.map((each) => locate(each, options)))).flat();
  if (target.isPlaintext) {
    if (addresses.some(isAway)) prompts.warn({ kind: "plaintext", server: target.name });
    return connectFirst(addresses, { timeoutMs, signal });
  }
  const connectTo = (trusted: Target) => {
    const onTrusted = (identity: string) => remember(trusted, identity, options);
    return connectFirst(addresses, { timeoutMs, signal, trust: trustIn(trusted, { acceptNew, onTrusted }) });
  };
  try {
    return await connectTo(target);
  } catch (thrown) {
    if (!(thrown instanceof UnknownIdentity)) {
      const moved = await connectMoved(target, thrown, options);
      if (moved !== undefined) return moved;
      throw thrown;
    }
    const { fingerprint } = thrown;
    if (!(await prompts.confirm(target.name, fingerprint, signal))) throw thrown;
    remember(target, fingerprint, options);
    return connectTo({ ...target, identity: fingerprint });
  }
}

/**
 * Saves the identity; everything else known of the server stays. If saving fails, as in a read-only home, it is trusted
 * this once.
 */
function remember({ name, addresses }: Target, identity: string, { stateDir, prompts }: DialOptions): void {
  const known = new KnownServers(stateDir);
  try {
    known.save({ addresses: addresses.map(formatAddress), ...known.find(name), name, identity });
  } catch (thrown) {
    prompts.warn({ kind: "not saved", server: name, fault: toCommError(thrown) });
  }
}

function isAway(address: Address): boolean {
  return address.kind === "tcp" && !isLoopback(address.host);
}
