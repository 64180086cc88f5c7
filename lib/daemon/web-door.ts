import { hostname } from "node:os";
import { fork, type NegotiatedTransport } from "../gateway/fork.ts";
import type { CommServer } from "../server/server.ts";
import type { Transport } from "../session/transport.ts";
import { parseAddress } from "../transport/address.ts";
import type { DescriptorBudget } from "./descriptor-budget.ts";
import type { Invitation } from "./invitation.ts";
import type { DaemonSettings } from "./settings.ts";

/** Takes the connections of clients. */
export interface ClientDoor {
  take(transport: NegotiatedTransport): void;
  /** End all connections at once that take() did not pass to `toSessions`. */
  abort(): void;
}

/** The door of a server: for its own protocol only, or for HTTP as well. */
export async function clientDoor(
  server: CommServer,
  { web, advertised }: Pick<DaemonSettings, "web" | "advertised">,
  limits: Pick<DescriptorBudget, "maxUnadmitted" | "maxUnadmittedPerAddress" | "maxWeb">,
  toSessions: (transport: Transport) => void,
): Promise<ClientDoor> {
  if (web === "off") return { take: toSessions, abort() {} };
  // Imported only now: node:http and the rest take 5 MB, which a server without HTTP should not pay for.
  const { Gateway } = await import("../gateway/gateway.ts");
  const gateway = new Gateway({
    server: server.gateway,
    maxConnections: limits.maxWeb,
    maxIdle: limits.maxUnadmitted,
    maxIdlePerAddress: limits.maxUnadmittedPerAddress,
    knownHosts: ownNames(advertised),
    mayWrite: web === "on",
  });
  return {
    take: (transport) => fork(transport, { toSessions, toHttp: (speaker) => gateway.accept(speaker) }),
    abort: () => gateway.abort(),
  };
}

/** The HTTP address of `place`, with the likeliest address of the server. */
export function webAddress(place: string, { addresses, identity }: Invitation): string | undefined {
  const [address] = addresses;
  return address === undefined ? undefined : `${identity === null ? "http" : "https"}://${address}${place}`;
}

/** Names of this machine, and the advertised ones. */
function ownNames(advertised: readonly string[] = []): ReadonlySet<string> {
  const own = hostname().toLowerCase();
  const [short = own] = own.split(".");
  const named = advertised
    .map((address) => parseAddress(address))
    .flatMap((address) => (address.kind === "tcp" ? address.host : []));
  return new Set([own, short, `${short}.local`, ...named.map((name) => name.toLowerCase())]);
}
