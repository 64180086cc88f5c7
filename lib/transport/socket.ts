import type { Socket, SocketHandler } from "bun";
import { errnoOf } from "../errno.ts";
import { CommError, TransportError } from "../errors.ts";
import { libc } from "../platform/libc.ts";
import { isOwnPeer } from "../platform/peer-user.ts";
import type { PeerAddress } from "../session/transport.ts";
import { type Address, formatAddress, formatHostPort, isScopeless } from "./address.ts";
import { cannotConnect } from "./connect-fault.ts";
import { fdOf } from "./file-bytes.ts";
import { peerAddressOf, UNIX_ADDRESS } from "./peer-address.ts";
import { SocketTransport } from "./socket-transport.ts";
import { clientTls, isVerdict, peerOf, type ServerCredentials, serverTls, type Trust } from "./tls.ts";

export interface Listening {
  /** The address in use, with the real port if 0 was requested. */
  readonly address: Address;
  /** Accept no more connections. Open ones continue. */
  stop(): void;
  /**
   * Show new connections another certificate. Open ones continue, and none is refused meanwhile, or on systems other
   * than Linux only for a moment.
   *
   * @throws the system's error; then the former certificate stays, or on those systems nothing listens any more
   */
  renew(credentials: ServerCredentials): void;
}

/** Where to listen: an address, or a socket that the program was started with and that listens already. */
export type ListenAddress = Address | { readonly kind: "inherited"; readonly fd: number; readonly address: Address };

/**
 * Listen on `address`, with TLS if there are `credentials`; `onTransport` gets each connection and must start() it.
 * With TLS it gets them before the handshake, so that peers that never finish it count as well.
 *
 * A connection with the descriptor `closeFrom`, or a higher one, is closed at once: the system assigns the lowest free
 * descriptor, so all lower ones are in use. With none left, accept() would fail, and Bun would retry without a pause.
 *
 * On a Unix socket, connections of other users are closed at once.
 *
 * @throws CommError CANNOT_LISTEN, whose message has the reason
 */
export function listen(
  where: ListenAddress,
  onTransport: (transport: SocketTransport) => void,
  credentials?: ServerCredentials,
  closeFrom = Number.POSITIVE_INFINITY,
): Listening {
  const address = where.kind === "inherited" ? where.address : where;
  const tls = credentials && { withHttp: credentials.withHttp === true };
  const socket: SocketHandler<SocketTransport> = {
    ...events,
    open(opened) {
      const peer = remoteOf(opened, address);
      const isStranger = address.kind === "unix" && !isOwnPeer(fdOf(opened));
      if (peer === undefined || isStranger || fdOf(opened) >= closeFrom) {
        // No room, or gone already, such as the slower of a client's two attempts over IPv6 and IPv4.
        opened.terminate();
        return;
      }
      opened.data = new SocketTransport(opened, peer, tls);
      onTransport(opened.data);
    },
    handshake(shaken, isWhole, error) {
      try {
        shaken.data?.handleHandshake(isWhole ? null : (error ?? new Error("unknown")));
      } catch {
        // the transport's handler reports it
      }
    },
  };
  const open = (at: Place, shown = credentials) =>
    Bun.listen<SocketTransport>({
      ...at,
      allowHalfOpen: true,
      socket,
      ...(shown !== undefined && { tls: serverTls(shown) }),
    } as Parameters<typeof Bun.listen<SocketTransport>>[0]);
  try {
    let listener = open(placeOf(where));
    const bound =
      address.kind === "tcp" && where.kind !== "inherited" ? { ...address, port: portOf(listener) } : address;
    return {
      address: bound,
      stop: () => listener.stop(),
      renew(shown) {
        const former = listener;
        const copy = libc().duplicate?.(descriptorOf(former));
        // Its address is taken by the one who has opened it.
        if (copy === undefined && where.kind === "inherited")
          throw new Error("an inherited socket can't be renewed here");
        // Two listeners of one socket: each connection goes to one of them.
        if (copy !== undefined) listener = open({ fd: copy }, shown);
        former.stop();
        if (copy === undefined) listener = open(placeOf(bound), shown);
      },
    };
  } catch (cause) {
    throw new CommError(
      "CANNOT_LISTEN",
      `Cannot listen on ${formatAddress(address)}: ${listenFault(address, cause)}.`,
      {
        cause,
      },
    );
  }
}

/** What Bun.listen() takes; its types lack `fd`. */
type Place = { readonly hostname: string; readonly port: number } | { readonly unix: string } | { readonly fd: number };

function placeOf(where: ListenAddress): Place {
  switch (where.kind) {
    case "tcp":
      return { hostname: where.host, port: where.port };
    case "unix":
      return { unix: where.path };
    case "inherited":
      return { fd: where.fd };
  }
}

function portOf(listener: object): number {
  return (listener as { readonly port: number }).port;
}

/** Missing in Bun's types. */
function descriptorOf(listener: object): number {
  return (listener as { readonly fd: number }).fd;
}

/**
 * Connect to `address`, with TLS if there is a `trust`, which then verifies the other end.
 *
 * @throws TransportError CANNOT_CONNECT, TLS_FAILED, TIMEOUT after `timeoutMs`
 * @throws CommError INTERRUPTED when `signal` aborts; what `trust` throws
 */
export async function connect(
  address: Address,
  options: { timeoutMs: number; signal?: AbortSignal | undefined; trust?: Trust | undefined },
): Promise<SocketTransport> {
  const { trust } = options;
  const secured = trust && { withHttp: false };
  const outcome = Promise.withResolvers<SocketTransport>();
  let transport: SocketTransport | undefined;
  let given = false;
  const startedAt = performance.now();
  const fail = (cause: unknown) =>
    void cannotConnect(address, cause, performance.now() - startedAt).then(outcome.reject, outcome.reject);
  const socket: SocketHandler<SocketTransport> = {
    ...events,
    open(opened) {
      const where = address.kind === "unix" ? UNIX_ADDRESS : peerAddressOf(opened.remoteAddress);
      transport = new SocketTransport(opened, { name: formatAddress(address), address: where }, secured);
      opened.data = transport;
      if (given) transport.abort();
      else if (trust === undefined) outcome.resolve(transport);
    },
    handshake(shaken, _, error) {
      if (given) return;
      try {
        shaken.data.handleHandshake(isVerdict(error) ? null : error);
        trust?.verify(peerOf(shaken, error));
        outcome.resolve(shaken.data);
      } catch (thrown) {
        outcome.reject(thrown);
      }
    },
    close(closed, error) {
      outcome.reject(closedEarly(address, error));
      closed.data.handleClose(error);
    },
    connectError(_, cause) {
      fail(cause);
    },
  };
  const timer = setTimeout(() => {
    const seconds = options.timeoutMs / 1000;
    outcome.reject(new TransportError("TIMEOUT", `No connection to ${formatAddress(address)} within ${seconds} s.`));
  }, options.timeoutMs);
  const onAbort = () => outcome.reject(new CommError("INTERRUPTED", "Interrupted."));
  options.signal?.addEventListener("abort", onAbort);
  if (options.signal?.aborted) onAbort();
  const tls = trust === undefined ? {} : { tls: clientTls(trust, address.kind === "tcp" ? address : undefined) };
  const opening =
    address.kind === "unix"
      ? Bun.connect({ unix: address.path, allowHalfOpen: true, socket, ...tls })
      : Bun.connect({ hostname: address.ip ?? address.host, port: address.port, allowHalfOpen: true, socket, ...tls });
  opening.catch(fail);
  try {
    return await outcome.promise;
  } catch (thrown) {
    transport?.abort();
    throw thrown;
  } finally {
    given = true; // a socket that opens later is closed
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", onAbort);
  }
}

/** Handlers that all sockets share; `socket.data` is the transport, once there is one. */
const events = {
  data: (socket, bytes) => socket.data?.handleData(bytes),
  drain: (socket) => socket.data?.handleDrain(),
  end: (socket) => socket.data?.handleEnd(),
  close: (socket, error) => socket.data?.handleClose(error),
  // A handler above threw: a bug of ours, which must end this connection only.
  error: (socket, error) => socket.data?.handleDefect(error),
} satisfies SocketHandler<SocketTransport | undefined>;

function remoteOf(
  socket: Socket<SocketTransport>,
  address: Address,
): { name: string; address: PeerAddress } | undefined {
  if (address.kind === "unix") return { name: "unix", address: UNIX_ADDRESS };
  // Typed as a string, but undefined for a socket that the peer has closed.
  const host = socket.remoteAddress as string | undefined;
  if (host === undefined) return undefined;
  return { name: formatHostPort(host, socket.remotePort), address: peerAddressOf(host) };
}

/** The TLS handshake failed. After it, the transport reports a close. */
function closedEarly(address: Address, cause: Error | undefined): TransportError {
  const what = `No TLS at ${formatAddress(address)}: the other end closed during the handshake.`;
  return new TransportError("TLS_FAILED", what, { cause });
}

function listenFault(address: Address, cause: unknown): string {
  if (address.kind === "tcp" && isScopeless(address.host)) {
    return `it is a link-local address, and needs the network interface: ${address.host}%eth0`;
  }
  switch (errnoOf(cause)) {
    case "EADDRINUSE":
      return "the port is in use by another program";
    case "EACCES":
      return "permission denied";
    case "EADDRNOTAVAIL":
      return "this machine has no such address";
    default:
      return cause instanceof Error ? cause.message : String(cause);
  }
}
