import { chmodSync, rmSync } from "node:fs";
import { isChangeable } from "../state/exposed-state.ts";
import { exposureOf } from "../state/exposure.ts";
import { operatorSocket } from "../state/state-dir.ts";
import { listen } from "../transport/socket.ts";
import type { OnTransport } from "./listeners.ts";
import type { SocketWarning } from "./warnings.ts";

/** The longest path of a Unix socket, in bytes, that every system takes (sun_path of macOS, less the NUL). */
const MAX_SOCKET_PATH = 103;

export interface OperatorListener {
  /** Why there is no socket. */
  readonly warnings: readonly SocketWarning[];
  stop(): void;
}

/**
 * Listen for operators on a socket in the state folder that only its owner can use. A server without one still serves,
 * with a warning. `closeFrom` as in listenClients().
 */
export function listenOperators(stateDir: string, onTransport: OnTransport, closeFrom?: number): OperatorListener {
  const path = operatorSocket(stateDir);
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH) {
    return noSocket({ kind: "long socket path", path, maxBytes: MAX_SOCKET_PATH });
  }
  const umask = process.umask(0o177);
  try {
    // A killed server may have left the socket: the ledger's lock shows that no other server runs here.
    rmSync(path, { force: true });
    if (isChangeable(stateDir)) return noSocket({ kind: "exposed socket" });
    const { stop } = listen({ kind: "unix", path }, onTransport, undefined, closeFrom);
    tryClose(path);
    if (!exposureOf(path).canWrite) return { warnings: [], stop };
    stop();
    return noSocket({ kind: "exposed socket" });
  } catch (error) {
    return noSocket({ kind: "no socket", fault: error instanceof Error ? error.message : String(error) });
  } finally {
    process.umask(umask);
  }
}

function noSocket(warning: SocketWarning): OperatorListener {
  return { warnings: [warning], stop() {} };
}

/** The umask has done it already, unless the disk sets its own permissions, or keeps none. */
function tryClose(path: string): void {
  try {
    chmodSync(path, 0o600);
  } catch {
    // the next check sees the permissions as they are
  }
}
