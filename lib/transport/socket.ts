import type { Socket, SocketHandler } from "bun";
import { CommError, TransportError } from "../errors.ts";
import { type Address, formatAddress, formatHostPort } from "./address.ts";
import { SocketTransport } from "./socket-transport.ts";

/** Where TLS will wrap both ends: the socket options of listen() and connect(). */

export interface Listening {
  /** The address in use; the port is the real one when 0 was asked for. */
  readonly address: Address;
  /** Take no more connections. Open ones go on. */
  stop(): void;
}

/**
 * Listen at `address`; `onTransport` gets each connection and must start() it.
 *
 * @throws CommError CANNOT_LISTEN with the reason in words
 */
export function listen(address: Address, onTransport: (transport: SocketTransport) => void): Listening {
  const socket: SocketHandler<SocketTransport> = {
    ...events,
    open(opened) {
      const peer = peerOf(opened, address);
      if (peer === undefined) {
        // Gone already, as the slower one of the two attempts that a client makes over IPv6 and IPv4.
        opened.terminate();
        return;
      }
      opened.data = new SocketTransport(opened, peer);
      onTransport(opened.data);
    },
  };
  try {
    if (address.kind === "unix") {
      const listener = Bun.listen<SocketTransport>({ unix: address.path, allowHalfOpen: true, socket });
      return { address, stop: () => listener.stop() };
    }
    const { host: hostname, port } = address;
    const listener = Bun.listen<SocketTransport>({ hostname, port, allowHalfOpen: true, socket });
    return { address: { ...address, port: listener.port }, stop: () => listener.stop() };
  } catch (cause) {
    throw new CommError("CANNOT_LISTEN", `Cannot listen at ${formatAddress(address)}: ${listenFault(cause)}.`, {
      cause,
    });
  }
}

/**
 * Connect to `address`.
 *
 * @throws TransportError CANNOT_CONNECT, TIMEOUT after `timeoutMs`
 * @throws CommError INTERRUPTED when `signal` aborts
 */
export async function connect(
  address: Address,
  options: { timeoutMs: number; signal?: AbortSignal },
): Promise<SocketTransport> {
  const outcome = Promise.withResolvers<SocketTransport>();
  let given = false;
  const socket: SocketHandler<SocketTransport> = {
    ...events,
    open(opened) {
      opened.data = new SocketTransport(opened, formatAddress(address));
      if (given) opened.data.abort();
      else outcome.resolve(opened.data);
    },
    connectError(_, cause) {
      outcome.reject(cannotConnect(address, cause));
    },
  };
  const timer = setTimeout(() => {
    const seconds = options.timeoutMs / 1000;
    outcome.reject(new TransportError("TIMEOUT", `No connection to ${formatAddress(address)} within ${seconds} s.`));
  }, options.timeoutMs);
  const onAbort = () => outcome.reject(new CommError("INTERRUPTED", "Interrupted."));
  options.signal?.addEventListener("abort", onAbort);
  if (options.signal?.aborted) onAbort();
  const opening =
    address.kind === "unix"
      ? Bun.connect({ unix: address.path, allowHalfOpen: true, socket })
      : Bun.connect({ hostname: address.host, port: address.port, allowHalfOpen: true, socket });
  opening.catch((cause) => outcome.reject(cannotConnect(address, cause)));
  try {
    return await outcome.promise;
  } finally {
    given = true; // a socket that opens after all is nobody's
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", onAbort);
  }
}

/** Handlers that Bun shares between all sockets; `socket.data` is the transport, once there is one. */
const events = {
  data: (socket, bytes) => socket.data?.handleData(bytes),
  drain: (socket) => socket.data?.handleDrain(),
  end: (socket) => socket.data?.handleEnd(),
  close: (socket, error) => socket.data?.handleClose(error),
  // One of the handlers above threw: a defect of ours, which shall cost this connection and no other.
  error: (socket, error) => socket.data?.handleDefect(error),
} satisfies SocketHandler<SocketTransport | undefined>;

function peerOf(socket: Socket<SocketTransport>, address: Address): string | undefined {
  if (address.kind === "unix") return "unix";
  // Typed as a string, but undefined for a socket that the peer has closed.
  const host = socket.remoteAddress as string | undefined;
  return host === undefined ? undefined : formatHostPort(host, socket.remotePort);
}

function cannotConnect(address: Address, cause: unknown): TransportError {
  return new TransportError("CANNOT_CONNECT", `Cannot connect to ${formatAddress(address)}: ${connectFault(cause)}.`, {
    cause,
  });
}

function errnoOf(cause: unknown): string {
  return cause instanceof Error && "code" in cause ? String(cause.code) : "";
}

function connectFault(cause: unknown): string {
  switch (errnoOf(cause)) {
    case "ECONNREFUSED":
      return "nobody listens there";
    case "ENOENT":
      return "there is no such socket";
    case "EACCES":
      return "permission denied";
    case "ENOTFOUND":
      return "there is no host of that name";
    case "ETIMEDOUT":
      return "the host does not answer";
    default:
      return cause instanceof Error ? cause.message : String(cause);
  }
}

function listenFault(cause: unknown): string {
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
