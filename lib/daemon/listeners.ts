import { errnoOf } from "../errno.ts";
import { CommError } from "../errors.ts";
import type { NegotiatedTransport } from "../gateway/fork.ts";
import { libc } from "../platform/libc.ts";
import { type Listening, listen } from "../transport/socket.ts";
import type { ServerCredentials } from "../transport/tls.ts";
import type { DaemonSettings } from "./settings.ts";

export type OnTransport = (transport: NegotiatedTransport) => void;

/** The address and options of a listener. */
export interface ClientListener {
  readonly port: number;
  /** As in the settings, or where the inherited socket listens; undefined: all addresses. */
  readonly host: string | undefined;
  stop(): void;
  /** As Listening.renew(). */
  renew(credentials: ServerCredentials): void;
}

export interface ClientListenerOptions {
  /** For TLS; undefined: no encryption. */
  readonly credentials: ServerCredentials | undefined;
  /** Connections with this descriptor or a higher one are closed at once; undefined: none are. */
  readonly closeFrom: number | undefined;
}

/**
 * Listen for clients, at the inherited socket if there is one. Without a host: on all addresses, IPv4 and IPv6, or only
 * IPv4 on a machine without IPv6.
 *
 * @throws CommError CANNOT_LISTEN
 */
export function listenClients(
  { host, port, inherited }: Pick<DaemonSettings, "host" | "port" | "inherited">,
  onTransport: OnTransport,
  { credentials, closeFrom }: ClientListenerOptions,
): ClientListener {
  if (inherited !== undefined) return listenAt(inherited, { host, port }, onTransport, { credentials, closeFrom });
  let listening: Listening;
  try {
    listening = listen({ kind: "tcp", host: host ?? "::", port }, onTransport, credentials, closeFrom);
  } catch (error) {
    const noIpv6 = error instanceof CommError && ["EAFNOSUPPORT", "EADDRNOTAVAIL"].includes(errnoOf(error.cause));
    if (host !== undefined || !noIpv6) throw error;
    listening = listen({ kind: "tcp", host: "0.0.0.0", port }, onTransport, credentials, closeFrom);
  }
  const { address, stop, renew } = listening;
  return { port: address.kind === "tcp" ? address.port : 0, host, stop, renew };
}

/** Its address is that of the settings where the system can't tell it. */
function listenAt(
  fd: number,
  { host = "::", port }: Pick<DaemonSettings, "host" | "port">,
  onTransport: OnTransport,
  { credentials, closeFrom }: ClientListenerOptions,
): ClientListener {
  const bound = libc().boundAddress?.(fd) ?? { host, port };
  const address = { kind: "tcp", ...bound } as const;
  const { stop, renew } = listen({ kind: "inherited", fd, address }, onTransport, credentials, closeFrom);
  const isEverywhere = bound.host === "::" || bound.host === "0.0.0.0";
  return { port: bound.port, host: isEverywhere ? undefined : bound.host, stop, renew };
}
