import type { CommError } from "../errors.ts";
import type { ExposedFile } from "./known-servers.ts";
import type { Announced } from "./recognise.ts";

/** Warnings to a client's user about a connection, as facts. */
export type TrustWarning =
  /** Others on this machine can read the server's token. */
  | ({ readonly kind: "exposed token" } & ExposedFile)
  /** The connection to a server on another machine is not encrypted. */
  | { readonly kind: "plaintext"; readonly server: string }
  /** The server is trusted this once: its identity could not be saved. */
  | { readonly kind: "not saved"; readonly server: string; readonly fault: CommError };

/** Questions and warnings, which the caller words. */
export interface TrustPrompts {
  /**
   * Asks whether to trust a new server from now on. False when nobody can answer.
   *
   * @throws CommError INTERRUPTED
   */
  confirm(server: string, fingerprint: string, signal: AbortSignal): Promise<boolean>;
  warn(warning: TrustWarning): void;
  /** A server that was joined is looked for where it announces itself; absent: it is not. */
  onMoved?: ((news: MovedNews) => void) | undefined;
}

/** News of a server that does not answer at its known addresses. */
export type MovedNews =
  | { readonly kind: "looking"; readonly server: string }
  | { readonly kind: "found"; readonly server: string; readonly address: string };

export interface DialOptions {
  readonly stateDir: string;
  readonly timeoutMs: number;
  /** Trust a new server without asking. */
  readonly acceptNew: boolean;
  readonly prompts: TrustPrompts;
  readonly signal: AbortSignal;
  /** The servers that announce themselves within so many milliseconds; absent: those of this machine's networks. */
  readonly find?: (listenMs: number, signal: AbortSignal) => Promise<readonly Announced[]>;
}
