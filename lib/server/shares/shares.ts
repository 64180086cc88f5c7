import { randomBytes } from "node:crypto";
import { CommError, StreamError, toCommError } from "../../errors.ts";
import { MAX_CODE_INVITE } from "../../protocol/code-messages.ts";
import { shortenInvite } from "../../protocol/invite.ts";
import type { ShareOutcome } from "../../protocol/methods.ts";
import { formatToken } from "../../protocol/token.ts";
import type { Storage } from "../../storage/storage.ts";
import type { Account } from "../access/account.ts";
import type { TemporaryTokens } from "../access/temporary-tokens.ts";
import type { Rule } from "../guard.ts";
import type { LiveShare, ServerParts, ShareParts } from "../parts.ts";
import { Share } from "./share.ts";

/** Shares that hold files at once: of all clients, and of one token. */
export const MAX_SHARES = 16;
export const MAX_SHARES_PER_TOKEN = 4;
const ID_BYTES = 6;

/** What the sessions of a share may call: what moves files, and what is about the share itself. */
const METHODS: ReadonlySet<string> = new Set([
  "list",
  "stat",
  "get",
  "put",
  "digest",
  "offerShare",
  "awaitShare",
  "endShare",
]);

/** Where the files of shares are kept. */
export interface ShareArea {
  /** A new, empty storage of that name. @throws StorageError */
  open(id: string): Promise<Storage>;
  /** Remove it, and everything in it. @throws StorageError */
  remove(id: string): Promise<void>;
}

export interface SharesOptions {
  readonly area: ShareArea;
  readonly temporary: TemporaryTokens;
  readonly createSha256: ConstructorParameters<typeof Share>[3];
}

/**
 * Files that clients give each other by one-time codes: kept outside of the repository, gone after one fetch or a time.
 * They last no longer than the server runs. Source: PROTOCOL.md, "Shares".
 */
export class Shares implements ShareParts {
  readonly #options: SharesOptions;
  readonly #shares = new Map<string, Share>();
  /** Shares whose folders are being made. */
  #opening = 0;

  constructor(options: SharesOptions) {
    this.#options = options;
  }

  of({ account }: { readonly account: Account }): Share | undefined {
    if (account.share === undefined) return undefined;
    return this.#live(account.share);
  }

  #live(id: string): Share {
    const share = this.#shares.get(id);
    if (share === undefined) throw new StreamError("NOT_ALLOWED", "This share is over.");
    return share;
  }

  async open(
    token: string | undefined,
    lifeMs: number,
    server: ServerParts,
  ): Promise<{ token: string; endsAt: number }> {
    const { area, temporary, createSha256 } = this.#options;
    const live = [...this.#shares.values()].filter(({ outcome }) => outcome === undefined);
    const isFull = live.length + this.#opening >= MAX_SHARES;
    if (isFull || (token !== undefined && live.filter(({ owner }) => owner === token).length >= MAX_SHARES_PER_TOKEN)) {
      const whose = isFull ? "This server" : "Your token";
      throw new CommError("OVERLOADED", `${whose} has as many shares as it may have: end one, or wait for its end.`);
    }
    const id = `share-${randomBytes(ID_BYTES).toString("hex")}`;
    const createdAt = server.clock.wallTime();
    const endsAt = createdAt + lifeMs;
    this.#opening++;
    try {
      const storage = await area.open(id);
      this.#shares.set(id, new Share({ id, owner: token, endsAt }, storage, server, createSha256));
    } finally {
      this.#opening--;
    }
    const made = temporary.add({ name: id, role: "write", createdAt, expiresAt: endsAt, share: id });
    server.tokens.watchExpiry();
    return { token: formatToken(made), endsAt };
  }

  async offer({ id }: LiveShare, server: ServerParts): Promise<string> {
    const share = this.#live(id);
    if (share.isComplete) throw new StreamError("NOT_ALLOWED", "It was offered already.");
    share.isOffered = true;
    const { temporary } = this.#options;
    const redeem = () => {
      const createdAt = server.clock.wallTime();
      const facts = {
        name: `${share.id}-fetch`,
        role: "read",
        createdAt,
        expiresAt: share.endsAt,
        share: share.id,
      } as const;
      const token = temporary.add(facts);
      share.fetcher = token.name;
      return {
        account: temporary.accountOf(facts),
        invite: shortenInvite(server.tokens.invite(token), MAX_CODE_INVITE),
      };
    };
    const onSpoilt = () => this.end(share, { outcome: "spoilt" }, server);
    return server.codes.issue({ name: share.id, redeem, onSpoilt }, share.endsAt - server.clock.wallTime());
  }

  end({ id }: LiveShare, outcome: ShareOutcome, server: ServerParts): void {
    const share = this.#live(id);
    if (!share.end(outcome)) return;
    const { area, temporary } = this.#options;
    server.codes.end(share.id);
    if (share.fetcher !== undefined) temporary.end(share.fetcher);
    area.remove(share.id).catch((thrown) => {
      const message = `The files of ${share.id} can't be removed: ${toCommError(thrown).message}`;
      server.events.emit({ event: "warning", message });
    });
    server.events.emit({ event: "unshared", share: share.id, ...outcome });
  }

  /** End shares whose time is over. Call it when temporary tokens expire. */
  expire(server: ServerParts): void {
    const now = server.clock.wallTime();
    for (const share of this.#shares.values()) {
      if (share.endsAt > now) continue;
      this.end(share, { outcome: "expired" }, server);
      this.#options.temporary.end(share.id);
      this.#shares.delete(share.id);
    }
  }
}

/** The rights of a session of a share, in place of those of the repository. @throws StreamError NOT_ALLOWED */
export function checkShareRights({ name, role, leavesRepository }: Rule, share: LiveShare): void {
  if (!METHODS.has(name)) throw new StreamError("NOT_ALLOWED", `A session of a share can't call ${name}.`);
  if (role === "write" && leavesRepository !== true && share.isComplete) {
    throw new StreamError("NOT_ALLOWED", "This share was offered: nothing can be put any more.");
  }
}
