import { mkdtempSync, rmSync } from "node:fs";
import { type FileHandle, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BLOCK_BYTES } from "../../../block.ts";
import { Wakeup } from "../../../session/wakeup.ts";
import { writeError } from "../../../storage/disk-error.ts";
import type { StorageEntry } from "../../../storage/storage.ts";
import { HeldMember, type MemberPlace, stampOf } from "./held-member.ts";
import type { TarMember } from "./tar-members.ts";

/** The most bytes of members in memory, and those that each of them takes besides its own. */
const MAX_BYTES = 16 * 1024 * 1024;
const MEMBER_BYTES = 1024;
/** The most members in temporary files: one that is sent, and the next. */
const MAX_FILES = 2;

/** A tar that is a file: members can be read from it again. */
export interface TarFile {
  readonly path: string;
  /** As MemberPlace. */
  readonly stamp: string;
}

interface Held {
  readonly path: string;
  readonly bytes: number;
  readonly file: string | undefined;
}

/**
 * Keeps members of a tar until they have been sent: a lost link must not lose what can't be read again. Small ones are in
 * memory, larger ones in a temporary file that only this user can read, or where they are when the tar is a file.
 */
export class MemberRoom implements Disposable {
  readonly #tar: TarFile | undefined;
  readonly #held = new Map<unknown, Held>();
  readonly #changed = new Wakeup();
  #folder: string | undefined;
  #bytes = 0;
  #files = 0;
  #count = 0;

  constructor(tar: TarFile | undefined) {
    this.#tar = tar;
  }

  /** Take the bytes of a file when there is room for them, and no member for the same path. @throws StorageError */
  async take(path: string, member: TarMember, facts: Omit<StorageEntry, "etag">): Promise<HeldMember> {
    const isSmall = member.size <= BLOCK_BYTES;
    const needsFile = !isSmall && this.#tar === undefined;
    const bytes = MEMBER_BYTES + (isSmall ? member.size : 0);
    while (this.#isFull(path, bytes, needsFile)) await this.#changed.wait();
    const sha256 = new Bun.CryptoHasher("sha256");
    const file = needsFile ? join(this.#makeFolder(), `${this.#count++}`) : undefined;
    const place = isSmall ? await inMemory(member, sha256) : await this.#inFile(member, sha256, file);
    // The same member of another run is the same source: what has arrived of it is not sent again.
    const held = new HeldMember({ ...facts, etag: `tar-${sha256.digest("hex")}` }, place);
    this.#held.set(held, { path, bytes, file });
    this.#bytes += bytes;
    if (needsFile) this.#files++;
    return held;
  }

  /** The member has been sent, or never will be. */
  release(member: unknown): void {
    const held = this.#held.get(member);
    if (held === undefined) return;
    this.#held.delete(member);
    this.#bytes -= held.bytes;
    if (held.file !== undefined) {
      this.#files--;
      void rm(held.file, { force: true }).catch(() => {}); // the folder goes at the end
    }
    this.#changed.notify();
  }

  [Symbol.dispose](): void {
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }

  #isFull(path: string, bytes: number, needsFile: boolean): boolean {
    if (this.#bytes + bytes > MAX_BYTES || (needsFile && this.#files >= MAX_FILES)) return true;
    // Which of two is the later one must be seen at the server, too.
    return this.#held.values().some((held) => held.path === path);
  }

  async #inFile(member: TarMember, sha256: Bun.CryptoHasher, file: string | undefined): Promise<MemberPlace> {
    if (file === undefined) {
      for await (const piece of member.bytes) sha256.update(piece);
      return { path: this.#tar?.path ?? "", stamp: this.#tar?.stamp ?? "", offset: member.offset };
    }
    const handle = await open(file, "wx", 0o600).catch((cause) => {
      throw writeError(cause, file);
    });
    try {
      return { path: file, offset: 0, stamp: await spool(member, sha256, handle, file) };
    } finally {
      await handle.close();
    }
  }

  /** @throws StorageError */
  #makeFolder(): string {
    try {
      this.#folder ??= mkdtempSync(join(tmpdir(), "commserver-input-"));
      return this.#folder;
    } catch (cause) {
      throw writeError(cause, tmpdir());
    }
  }
}

async function inMemory(member: TarMember, sha256: Bun.CryptoHasher): Promise<MemberPlace> {
  const bytes = new Uint8Array(member.size);
  let at = 0;
  for await (const piece of member.bytes) {
    bytes.set(piece, at);
    at += piece.length;
  }
  sha256.update(bytes);
  return { bytes };
}

/** @returns the stamp of the file */
async function spool(member: TarMember, sha256: Bun.CryptoHasher, handle: FileHandle, path: string): Promise<string> {
  for await (const piece of member.bytes) {
    sha256.update(piece);
    await handle.writeFile(piece).catch((cause) => {
      throw writeError(cause, path);
    });
  }
  return stampOf(await handle.stat({ bigint: true }));
}
