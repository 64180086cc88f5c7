import type * as v from "valibot";
import type { Digest64 } from "../block.ts";
import type { Role } from "../protocol/messages.ts";
import type { Token } from "../protocol/token.ts";
import type { Clock } from "../session/clock.ts";
import type { Stream } from "../session/stream.ts";
import type { Storage } from "../storage/storage.ts";
import type { SpareBuffers } from "../transfer/spare-buffers.ts";
import type { TokenStore } from "./access/token-store.ts";
import type { BlockDigestCache } from "./block-digests.ts";
import type { CallKind, CallRates } from "./call-rates.ts";
import type { DigestCache } from "./digest-cache.ts";
import type { EventFeed } from "./event-feed.ts";
import type { Failures } from "./failures.ts";
import type { Ledger } from "./ledger.ts";
import type { Member } from "./member.ts";
import type { Members } from "./members.ts";
import type { Seats } from "./seats.ts";

/** What the methods see of the server. */
export interface Host {
  readonly agent: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** The same on the clock that nobody sets. */
  readonly runningSince: number;
  readonly clock: Clock;
  readonly storage: Storage;
  /** Whether the repository may be changed. */
  readonly writable: boolean;
  readonly digests: DigestCache;
  readonly ledger: Ledger;
  readonly seats: Seats;
  readonly members: Members;
  readonly events: EventFeed;
  readonly failures: Failures;
  /** Aborts when the server begins to stop. */
  readonly stopping: AbortSignal;
  /** While true nobody new is admitted. */
  readonly draining: boolean;
  setDraining(on: boolean): void;
  /** End a client's session, also of one whose link is lost. @returns its name @throws CommError NO_SUCH_CLIENT */
  kick(name: string, message: string): string;
  /** The most bytes that may be under way on a stream. */
  readonly maxWindow: number;
  /** For blocks of files on their way. */
  readonly buffers: SpareBuffers;
  readonly digest64: Digest64;
  readonly blockDigests: BlockDigestCache;
  readonly callRates: CallRates;
  readonly tokens: TokenStore;
  /** The invite that holds `token`; `addresses` in place of the server's own. */
  invite(token: Token, addresses?: readonly string[]): string;
  /** End the sessions whose token was revoked or has expired. */
  expel(): void;
  /** A token may be the next to expire. */
  watchExpiry(): void;
  /** Ask the program to stop; it decides how. */
  requestStop(): void;
}

/**
 * One request under way. It lives as long as its stream: work behind it ends when `stream.isClosed`, or `stream.signal`
 * aborts, and what it keeps for the caller is reserved in `member.memory`. Long work takes a turn of `member.transfers` or
 * `member.lookups`.
 */
export interface Call<Params> {
  readonly params: Params;
  readonly stream: Stream;
  readonly member: Member;
  readonly host: Host;
}

/** Something that a peer can ask for. */
export interface Method<Schema extends v.GenericSchema = v.GenericSchema> {
  readonly name: string;
  /** The least role that may call it. */
  readonly role: Role;
  readonly params: Schema;
  /** Whose rate it counts for; absent: it may be called as often as one likes. */
  readonly kind?: CallKind;
  /** True for one whose request has a body. */
  readonly takesBody?: boolean;
  /** Answer on `call.stream`. A thrown CommError becomes a RESET with its code. */
  handle(call: Call<v.InferOutput<Schema>>): Promise<void>;
}

/** Ties the type of the parameters to their schema. */
export function defineMethod<Schema extends v.GenericSchema>(method: Method<Schema>): Method<Schema> {
  return method;
}
