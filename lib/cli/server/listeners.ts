import { chmodSync, rmSync } from "node:fs";
import { CommError } from "../../errors.ts";
import type { Transport } from "../../session/transport.ts";
import { OPEN_SOCKET, socketFault } from "../../state/exposed-state.ts";
import { exposureOf } from "../../state/exposure.ts";
import { operatorSocket } from "../../state/state-dir.ts";
import { errnoOf } from "../../storage/disk-error.ts";
import { type Listening, listen } from "../../transport/socket.ts";
import type { Credentials } from "../../transport/tls.ts";

/** Longest path of a Unix socket that every system takes (sun_path of macOS, less the NUL). */
const MAX_SOCKET_PATH = 103;

type OnTransport = (transport: Transport) => void;

/**
 * Listen for clients, with TLS when there are `credentials`; without a host at all addresses, IPv4 and IPv6, or IPv4 alone where there is no IPv6.
 *
 * @throws CommError CANNOT_LISTEN
 */
export function listenPublic(
  host: string | undefined,
  port: number,
  onTransport: OnTransport,
  credentials: Credentials | undefined,
  closeFrom?: number,
): { port: number; stop(): void } {
  let listening: Listening;
  try {
    listening = listen({ kind: "tcp", host: host ?? "::", port }, onTransport, credentials, closeFrom);
  } catch (error) {
    const noIpv6 = error instanceof CommError && ["EAFNOSUPPORT", "EADDRNOTAVAIL"].includes(errnoOf(error.cause));
    if (host !== undefined || !noIpv6) throw error;
    listening = listen({ kind: "tcp", host: "0.0.0.0", port }, onTransport, credentials, closeFrom);
  }
  const { address, stop } = listening;
  return { port: address.kind === "tcp" ? address.port : 0, stop };
}

/**
 * Listen for operators at a socket in the state folder that only its owner can use. A server without one
 * still serves: then there is a warning instead.
 */
export function listenOperator(
  stateDir: string,
  onTransport: OnTransport,
  closeFrom?: number,
): { warning?: string; stop(): void } {
  const path = operatorSocket(stateDir);
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH) {
    return { warning: `No operator's socket: its path ${path} is longer than ${MAX_SOCKET_PATH} bytes.`, stop() {} };
  }
  const umask = process.umask(0o177);
  try {
    // What a killed server left: the ledger's lock says that no other server lives here.
    rmSync(path, { force: true });
    const fault = socketFault(stateDir);
    if (fault !== undefined) return { warning: fault, stop() {} };
    const listening = listen({ kind: "unix", path }, onTransport, undefined, closeFrom);
    tryClose(path);
    if (!exposureOf(path).canWrite) return listening;
    listening.stop();
    return { warning: OPEN_SOCKET, stop() {} };
  } catch (error) {
    return { warning: `No operator's socket: ${error instanceof Error ? error.message : error}`, stop() {} };
  } finally {
    process.umask(umask);
  }
}

/** The umask has done it already, where there are rights and the disk has none of its own to give. */
function tryClose(path: string): void {
  try {
    chmodSync(path, 0o600);
  } catch {
    // then it is looked at as it is
  }
}
