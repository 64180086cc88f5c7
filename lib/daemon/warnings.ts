import type { CommError } from "../errors.ts";
import type { StateWarning } from "../state/exposed-state.ts";

/** What the operator of a server should know when it starts, as facts: the command line has the words. */
export type DaemonWarning =
  | StateWarning
  /** The repository holds a state folder or a key, which is not served. */
  | { readonly kind: "private place"; readonly place: string }
  /** Too few files may be open at once for all that was asked for. */
  | { readonly kind: "few descriptors"; readonly limit: number; readonly wanted: Seating; readonly left: LeftOver }
  /** Clients may write, but nothing can be written to the repository. */
  | { readonly kind: "unwritable repository"; readonly fault: string }
  /** The repository has no file locks. */
  | { readonly kind: "no file locks"; readonly fault: string }
  /** There is no invite for other programs of this user on this machine. */
  | { readonly kind: "no local invite"; readonly fault: CommError }
  /** No server has ever run with this state folder: an invite made from it is for one that starts without flags. */
  | { readonly kind: "never started"; readonly stateDir: string }
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
