import type { BlockTag, Digest64 } from "../block.ts";
import type { Token } from "../protocol/token.ts";
import type { Clock } from "../session/clock.ts";
import type { StreamLimits } from "../session/session-options.ts";
import type { PathTurns } from "../storage/ordered.ts";
import type { Storage } from "../storage/storage.ts";
import type { Sha256 } from "../transfer/digest-file.ts";
import type { Access } from "./access/access.ts";
import type { LinkStore } from "./access/link-store.ts";
import type { TokenStore } from "./access/token-store.ts";
import type { BandwidthLimits } from "./bandwidth.ts";
import type { CallRates } from "./call-rates.ts";
import type { Ledger } from "./ledger.ts";
import type { Mailbox } from "./mail/mailbox.ts";
import type { MemoryLimits } from "./memory-limits.ts";
import type { Reach } from "./parts.ts";
import type { ShareArea } from "./shares/shares.ts";

/** The parts that a server is made of, and its limits. */
export interface ServerOptions {
  readonly agent: string;
  readonly clock: Clock;
  readonly storage: Storage;
  /**
   * The tree below a folder of `storage` as a storage of its own, with the same limits: nothing leads out of it, and no
   * fault tells of the rest. While the folder is missing, its calls report that.
   */
  within(folder: string): Storage;
  /** Those of a gateway that changes the repository; undefined: there is none. */
  readonly turns?: PathTurns | undefined;
  readonly ledger: Ledger;
  readonly maxClients: number;
  readonly maxWaiting: number;
  /** Seats and places in the queue that one address may have. */
  readonly maxPerAddress: number;
  /** As DoorOptions. */
  readonly maxUnadmitted: number;
  readonly maxUnadmittedPerAddress: number;
  readonly maxPassing: number;
  readonly access: Access;
  readonly bandwidth: BandwidthLimits;
  /** The calls a second that a session may make. */
  readonly callRates: CallRates;
  /** How long a session may have no stream; undefined: for ever. */
  readonly idleMs: number | undefined;
  readonly handshakeMs: number;
  readonly heartbeatMs: number;
  /** How long a client's name and seat are kept after its link was lost. */
  readonly graceMs: number;
  /** The streams and credit that a client gets first; a stream whose turn has come gets more credit. */
  readonly limits: StreamLimits;
  /** The most bytes that may be under way on a stream. */
  readonly maxWindow: number;
  /** The memory that peers may use in the server. */
  readonly memory: MemoryLimits;
  /** Collect unused memory; called while peers send more than the server handles at once. */
  readonly collect?: () => void;
  /** Whether clients may change the repository. */
  readonly writable: boolean;
  readonly digest64: Digest64;
  readonly blockTag: BlockTag;
  createSha256(): Sha256;
  readonly tokens: TokenStore;
  /** Where the files of shares are kept; absent: there are none. */
  readonly shareArea?: ShareArea | undefined;
  readonly links: LinkStore;
  /** Where messages are kept for those who are not here; undefined: nowhere. The server closes it. */
  readonly mailbox?: Mailbox | undefined;
  /** As TokenParts.invite(). */
  invite(token: Token, addresses?: readonly string[]): string;
  /** As TokenParts.reach(). */
  reach(addresses?: readonly string[]): Reach;
  /** As LinkParts.address(). */
  linkAddress(place: string): string | undefined;
  /** An operator asked to stop. */
  onStopRequest(): void;
}
