import type { BlockTag, Digest64 } from "../block.ts";
import type { ShareOutcome } from "../protocol/methods.ts";
import type { Token } from "../protocol/token.ts";
import type { Clock } from "../session/clock.ts";
import type { PathTurns } from "../storage/ordered.ts";
import type { Storage } from "../storage/storage.ts";
import type { SpareBuffers } from "../transfer/spare-buffers.ts";
import type { Access } from "./access/access.ts";
import type { Account } from "./access/account.ts";
import type { CodeBook } from "./access/code-book.ts";
import type { LinkStore } from "./access/link-store.ts";
import type { TokenStore } from "./access/token-store.ts";
import type { BlockDigestCache } from "./block-digests.ts";
import type { DigestCache } from "./digest-cache.ts";
import type { EventFeed } from "./event-feed.ts";
import type { Failures } from "./failures.ts";
import type { Permissions } from "./guard.ts";
import type { Guests } from "./guests.ts";
import type { Ledger } from "./ledger.ts";
import type { Lifecycle } from "./lifecycle.ts";
import type { Mail } from "./mail/mail.ts";
import type { Member } from "./member.ts";
import type { Members } from "./members.ts";
import type { Seats } from "./seats.ts";

/**
 * The parts of a server that its methods work with. The type of a method's call names those that it uses. A session of a
 * limited token gets other ones: limited/limited-parts.ts.
 */
export interface ServerParts {
  readonly about: ServerFacts;
  readonly clock: Clock;
  /** The repository. */
  readonly storage: Storage;
  readonly digests: Pick<DigestCache, "digest" | "known">;
  readonly transfers: TransferParts;
  readonly ledger: Pick<Ledger, "page" | "total">;
  readonly seats: Pick<Seats, "max" | "taken" | "maxWaiting" | "waiting">;
  readonly members: Pick<Members, "clients" | "find">;
  readonly kicks: Kicks;
  readonly tokens: TokenParts;
  readonly codes: CodeBook;
  /** What clients share with each other by codes; undefined: they can't. */
  readonly shares: ShareParts | undefined;
  readonly links: LinkParts;
  /** Keeps messages for those who are not here; undefined: the server keeps none. */
  readonly mail: Mail | undefined;
  readonly events: Pick<EventFeed, "emit" | "subscribe" | "ended">;
  readonly failures: Failures;
  readonly lifecycle: Lifecycle;
}

/** What a gateway of another protocol uses: the parts, the limits, and the access check. */
export interface GatewayParts extends ServerParts, Permissions {
  readonly access: Access;
  readonly guests: Guests;
  /** The parts for the requests of that client. */
  partsFor(member: Member): GatewayParts | Promise<GatewayParts>;
  /** Of changes. The others take them as well. */
  readonly turns: PathTurns;
}

/** A server's facts about itself. */
export interface ServerFacts {
  /** Name and version of the program. */
  readonly agent: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** The same on the monotonic clock. */
  readonly runningSince: number;
}

/** What `get` and `put` share. */
export interface TransferParts {
  readonly digest64: Digest64;
  readonly blockTag: BlockTag;
  /** Buffers for blocks of moving files. */
  readonly buffers: SpareBuffers;
  readonly blockDigests: Pick<BlockDigestCache, "of">;
  /** The most bytes that may be under way on a stream. */
  readonly maxWindow: number;
}

/** Ends sessions by name. */
export interface Kicks {
  /** End a client's session, even if its link is lost. @returns its name @throws CommError NO_SUCH_CLIENT */
  kick(name: string, message: string): string;
}

/** The links to single files. */
export interface LinkParts {
  readonly store: LinkStore;
  /** The HTTP address of `place`, a path that begins with a slash, as others reach it; undefined if they can't. */
  address(place: string): string | undefined;
}

/** How a client that knows nothing yet reaches the server. */
export interface Reach {
  /** `HOST:PORT`, the likeliest. */
  readonly address: string;
  readonly isPlaintext: boolean;
  /** Whether the server announces itself on its networks. */
  readonly isAnnounced: boolean;
}

/** The shares of files between clients. */
export interface ShareParts {
  /** The share of a session; undefined for a session that sees the repository. @throws StreamError NOT_ALLOWED */
  of(caller: { readonly account: Account }): LiveShare | undefined;
  /**
   * Begin a share of the client with that token.
   *
   * @returns the temporary token with which its files are put
   * @throws CommError OVERLOADED; StorageError
   */
  open(owner: string | undefined, lifeMs: number, server: ServerParts): Promise<{ token: string; endsAt: number }>;
  /**
   * The files of the share are complete: nothing more can be put.
   *
   * @returns the code for the client that fetches them
   * @throws StreamError NOT_ALLOWED when it was offered before
   */
  offer(share: LiveShare, server: ServerParts): Promise<string>;
  /** The share is over: its files go, and so do its code and the sessions of its fetcher. */
  end(share: LiveShare, outcome: ShareOutcome, server: ServerParts): void;
}

/** A share, as its sessions and methods see it. */
export interface LiveShare {
  /** The name of its sharer's temporary token, and of its folder. */
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly endsAt: number;
  /** The parts of the server for its sessions. */
  readonly parts: ServerParts;
  /** The name of the fetching client's temporary token, once the code was proven. */
  readonly fetcher: string | undefined;
  /** Nothing can be put any more. */
  readonly isComplete: boolean;
  /** What came of it; undefined while it lives. */
  readonly outcome: ShareOutcome | undefined;
  /** Aborts when it is over. */
  readonly over: AbortSignal;
}

/** The tokens, and what must happen when they change. */
export interface TokenParts {
  readonly store: TokenStore;
  /** The account of a client that has the token of this name. */
  accountOf(name: string): Account;
  /** The invite that holds `token`; `addresses` in place of the server's own. */
  invite(token: Token, addresses?: readonly string[]): string;
  /** How the machine of a new client reaches the server; `addresses` as in invite(). */
  reach(addresses?: readonly string[]): Reach;
  /**
   * Make the folder of a token, if it is missing.
   *
   * @throws StorageError as Storage.makeFolder(); NOT_FOUND, EXISTS on a server that changes nothing
   */
  makeFolder(folder: string): Promise<void>;
  /** End the sessions whose token was revoked or has expired. */
  expel(): void;
  /** Call after a token was issued, which may be the next to expire. */
  watchExpiry(): void;
}
