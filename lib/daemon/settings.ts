import type { BandwidthLimits } from "../server/bandwidth.ts";
import type { CallRates } from "../server/call-rates.ts";
import type { MailboxLimits } from "../server/mail/mailbox.ts";
import type { BudgetLimits } from "../storage/budget.ts";

/** The settings of a server. */
export interface DaemonSettings extends RepositorySettings {
  /** The address to listen on; undefined: all, IPv4 and IPv6. */
  readonly host: string | undefined;
  /** 0: any free port. */
  readonly port: number;
  /** A descriptor of a socket that listens already, instead of `host` and `port`. */
  readonly inherited?: number;
  /** Where metrics and health are served over HTTP; absent: nowhere. Port 0: any free one. */
  readonly metrics?: { readonly host: string; readonly port: number };
  /** Addresses for invites; undefined: those of this machine. */
  readonly advertised: readonly string[] | undefined;
  /** Announce the server on the networks of this machine, by this name or else the machine's; absent: don't. */
  readonly announce?: { readonly name: string | undefined };
  /** Anyone may read, without a token. */
  readonly isOpen: boolean;
  readonly isPlaintext: boolean;
  /** What HTTP clients may do. */
  readonly web: WebAccess;
  /** PEM files of an authority's certificate; absent: the identity in the state folder. */
  readonly certificate?: CertificateFiles;
  readonly maxClients: number;
  readonly maxWaiting: number;
  /** The most seats and queue places for one address with one token. */
  readonly maxPerAddress: number;
  readonly callRates: CallRates;
  /** How much is kept for names that are not here; absent: nothing. */
  readonly mailbox?: MailboxLimits;
  /** Where clients may keep files for each other, and how many bytes of one share; absent: nowhere. */
  readonly sharing?: { readonly folder: string; readonly bytes: number };
  /** The most memory that clients may use in the server, in bytes. */
  readonly maxMemory: number;
  readonly bandwidth: BandwidthLimits;
  /** How long a session may go without a request; undefined: for ever. */
  readonly idleMs: number | undefined;
  /** How long a client that loses its link keeps its seat. */
  readonly graceMs: number;
  /** How long transfers may continue when the server stops. */
  readonly stopTimeoutMs: number;
}

/**
 * "off": only CommServer's own protocol; "read": HTTP clients can also read files and folders; "on": and write them.
 */
export type WebAccess = "off" | "read" | "on";

export interface RepositorySettings {
  /** The folder to serve. */
  readonly repository: string;
  /** Clients may put, remove and rename files. */
  readonly isWritable: boolean;
  readonly budget: BudgetLimits;
  readonly stateDir: string;
  /** Further files of the server itself, such as its log, which are never served. */
  readonly ownFiles?: readonly string[];
  readonly certificate?: CertificateFiles;
}

export interface CertificateFiles {
  /** The certificate, with its chain. */
  readonly certFile: string;
  readonly keyFile: string;
}
