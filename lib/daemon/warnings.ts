import type { CommError } from "../errors.ts";
import type { StateWarning } from "../state/exposed-state.ts";
import type { LockFault } from "../storage/local/locks/lock-probe.ts";

/** Warnings to a server's operator at the start, as facts: the command line words them. */
export type DaemonWarning =
  | StateWarning
  /** The repository holds a state folder or a key, which is not served. */
  | { readonly kind: "private place"; readonly place: string }
  /** Too few files may be open at once for the wanted seats. */
  | { readonly kind: "few descriptors"; readonly limit: number; readonly wanted: Seating; readonly left: LeftOver }
  /** Clients may write, but the repository can't be written. */
  | { readonly kind: "unwritable repository"; readonly fault: string }
  /** The repository has no file locks. */
  | { readonly kind: "no file locks"; readonly fault: LockFault }
  /** No invite could be left for other programs of this user on this machine. */
  | { readonly kind: "no local invite"; readonly fault: CommError }
  /** No server has ever run with this state folder: an invite made from it is for one that starts without flags. */
  | { readonly kind: "never started"; readonly stateDir: string }
  /** The server listens only where no other machine reaches it. */
  | { readonly kind: "not announced"; readonly host: string }
  | SocketWarning;

/** Why there is no operator's socket. */
export type SocketWarning =
  | { readonly kind: "long socket path"; readonly path: string; readonly maxBytes: number }
  /** Others on this machine could use it, or replace it. */
  | { readonly kind: "exposed socket" }
  | { readonly kind: "no socket"; readonly fault: string };

interface Seating {
  readonly maxClients: number;
  readonly maxWaiting: number;
}

interface LeftOver extends Seating {
  readonly maxFiles: number;
}
