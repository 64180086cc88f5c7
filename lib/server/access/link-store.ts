import { createHash, randomBytes } from "node:crypto";
import * as v from "valibot";
import { CommError } from "../../errors.ts";
import { count } from "../../protocol/shapes.ts";
import { quote } from "../../quote.ts";
import { readPrivate, writePrivate } from "../../state/private-file.ts";
import { parseVersioned } from "../../state/versioned-json.ts";
import { createSecret } from "./token-store.ts";

/** The most links, ended ones included. */
export const MAX_LINKS = 1_000;

/** How long a link is valid by default. */
export const LINK_MS = 7 * 24 * 3_600_000;

/** How long an ended link is remembered, so that its address can say why it leads nowhere. */
export const ENDED_LINK_MS = 7 * 24 * 3_600_000;

const NAME_BYTES = 4;

/** The form of a link's secret: createSecret(). */
const SECRET = /^[A-Za-z0-9_-]{43}$/;

/** The version of the file format. */
const FORM = 1;

const Stored = v.object({
  name: v.pipe(v.string(), v.regex(/^[0-9a-f]{8}$/)),
  path: v.string(),
  etag: v.string(),
  createdAt: count,
  expiresAt: count,
  revokedAt: v.nullable(count),
  digest: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
});
const StoredFile = v.object({ version: v.literal(FORM), links: v.array(Stored) });

/** The facts of a link. Times in milliseconds since 1970. */
export interface KnownLink {
  readonly name: string;
  /** The file that it leads to, in this one state. */
  readonly path: string;
  readonly etag: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly revokedAt: number | null;
  /** SHA-256 of the secret, in hexadecimal: the secret itself is not kept. Its 256 random bits need no salt. */
  readonly digest: string;
}

/**
 * Links to single files, in a file of the state folder. A link's secret gives access to its file, and to nothing else.
 * One process at a time may change it.
 */
export class LinkStore {
  readonly #file: string;
  /** By digest, oldest first. */
  #links: ReadonlyMap<string, KnownLink>;

  private constructor(file: string, links: readonly KnownLink[]) {
    this.#file = file;
    this.#links = byDigest(links);
  }

  /** @throws StorageError NEWER_STATE, DISK_FAILED when the file is damaged, DISK_DENIED */
  static open(file: string): LinkStore {
    const text = readPrivate(file);
    return new LinkStore(file, text === undefined ? [] : parseFile(text, file));
  }

  /** The links that have not ended. */
  list(now: number): KnownLink[] {
    return [...this.#links.values()].filter((link) => endOf(link) > now);
  }

  /** The link with this secret, even if it has ended. */
  find(secret: string): KnownLink | undefined {
    return SECRET.test(secret) ? this.#links.get(digestOf(secret)) : undefined;
  }

  /** Why the link `name` no longer works; undefined while it does. */
  faultOf(name: string, now: number): string | undefined {
    const link = this.#named(name);
    if (link === undefined || link.revokedAt !== null) return "The link was revoked.";
    return link.expiresAt > now ? undefined : "The link has expired.";
  }

  /**
   * Make a link to a file in one state. Its secret is not kept: only this call returns it.
   *
   * @throws CommError NOT_ALLOWED when there are too many; StorageError DISK_DENIED, DISK_FULL, DISK_FAILED
   */
  add({ path, etag }: { path: string; etag: string }, now: number, expiresAt: number): KnownLink & { secret: string } {
    const kept = this.#remembered(now);
    if (kept.length >= MAX_LINKS) {
      throw new CommError("NOT_ALLOWED", `There are ${MAX_LINKS} links already: revoke one first.`);
    }
    const secret = createSecret();
    const name = this.#newName();
    const link = { name, path, etag, createdAt: now, expiresAt, revokedAt: null, digest: digestOf(secret) };
    this.#save([...kept, link]);
    return { ...link, secret };
  }

  /** @throws CommError NOT_FOUND; StorageError as add() */
  revoke(name: string, now: number): void {
    const link = this.#named(name);
    if (link === undefined || endOf(link) <= now) throw new CommError("NOT_FOUND", `There is no link ${quote(name)}.`);
    const revoked = { ...link, revokedAt: now };
    this.#save(this.#remembered(now).map((kept) => (kept === link ? revoked : kept)));
  }

  #named(name: string): KnownLink | undefined {
    for (const link of this.#links.values()) if (link.name === name) return link;
    return undefined;
  }

  /** The links to keep. Ended ones make room for new ones. */
  #remembered(now: number): KnownLink[] {
    const recent = [...this.#links.values()].filter((link) => endOf(link) + ENDED_LINK_MS > now);
    const live = recent.filter((link) => endOf(link) > now);
    const room = MAX_LINKS - 1 - live.length;
    const ended = recent.filter((link) => endOf(link) <= now).sort((one, other) => endOf(other) - endOf(one));
    const kept = new Set([...live, ...ended.slice(0, Math.max(0, room))]);
    return recent.filter((link) => kept.has(link));
  }

  #newName(): string {
    for (;;) {
      const name = randomBytes(NAME_BYTES).toString("hex");
      if (this.#named(name) === undefined) return name;
    }
  }

  #save(links: readonly KnownLink[]): void {
    writePrivate(this.#file, `${JSON.stringify({ version: FORM, links }, null, 2)}\n`);
    this.#links = byDigest(links);
  }
}

function byDigest(links: readonly KnownLink[]): ReadonlyMap<string, KnownLink> {
  return new Map(links.map((link) => [link.digest, link]));
}

function endOf({ expiresAt, revokedAt }: KnownLink): number {
  return Math.min(expiresAt, revokedAt ?? expiresAt);
}

function digestOf(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

function parseFile(text: string, file: string): KnownLink[] {
  return parseVersioned(text, file, {
    form: FORM,
    read: (content) => v.parse(StoredFile, content).links,
    damaged: `The list of links ${quote(file)} is damaged: restore it, or move it away and make new links.`,
  });
}
