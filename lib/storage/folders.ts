import fs from "node:fs";
import { join, sep } from "node:path";
import { StorageError } from "../errors.ts";
import { baseName, parentOf, quote } from "../path.ts";
import { errnoOf } from "./disk-error.ts";
import { toLocalName } from "./local-names.ts";
import { OpenFolder } from "./open-folder.ts";
import { isUnfinished } from "./part-names.ts";

/** How long an open folder stands for its path: files of a tree come and go by thousands in it. */
const REUSE_MS = 50;
const MAX_KEPT = 16;

/** Finds the folders of a tree, none of them outside of it. */
export class Folders {
  /** The root with all links resolved; everything lies below. */
  readonly root: string;
  /** Folders opened a moment ago, in that order. */
  readonly #kept = new Map<string, { folder: OpenFolder; until: number }>();

  constructor(root: string) {
    this.root = root;
  }

  /**
   * The real path of `path`.
   *
   * @throws StorageError NOT_ALLOWED when it lies outside, also when it does not exist there; system errors
   */
  resolve(path: string): string {
    requireNotPart(path);
    try {
      const real = fs.realpathSync.native(join(this.root, ...path.split("/").map((name) => toLocalName(name))));
      this.requireBelow(path, real);
      return real;
    } catch (cause) {
      // What is missing behind a link that leads out must not be told from what is there.
      if (!(cause instanceof StorageError) && path.includes("/")) this.resolve(parentOf(path));
      throw cause;
    }
  }

  /** @throws StorageError NOT_ALLOWED when the real path `real` lies outside */
  requireBelow(path: string, real: string): void {
    const { root } = this;
    const inside = real === root || real.startsWith(root.endsWith(sep) ? root : root + sep);
    if (!inside) throw new StorageError("NOT_ALLOWED", `${quote(path)} is a link that leads out of the repository.`);
  }

  /** The open folder at `path`, which the caller releases. @throws as resolve() */
  open(path: string): OpenFolder {
    const kept = this.#kept.get(path);
    if (kept !== undefined) {
      if (performance.now() < kept.until && !kept.folder.isGone) return kept.folder.retain();
      this.#kept.delete(path);
      kept.folder.release();
    }
    const folder = OpenFolder.open(this.resolve(path), (real) => this.requireBelow(path, real));
    this.#keep(path, folder);
    return folder.retain();
  }

  /** As open(), made where it is missing. @throws as open(), StorageError EXISTS when a file is in the way */
  make(path: string): OpenFolder {
    try {
      return this.open(path);
    } catch (cause) {
      if (errnoOf(cause) === "ENOTDIR") throw new StorageError("EXISTS", `${quote(path)} is not a folder.`, { cause });
      if (errnoOf(cause) !== "ENOENT" || path === "") throw cause;
    }
    const parent = this.make(parentOf(path));
    try {
      fs.mkdirSync(parent.at(baseName(path)));
    } catch (cause) {
      // Somebody else was quicker, or it is a link that leads nowhere, which open() will tell.
      if (errnoOf(cause) !== "EEXIST") throw cause;
    } finally {
      parent.release();
    }
    return this.open(path);
  }

  /** Make the folder at `path`. @returns false when it was there @throws as make() */
  ensure(path: string): boolean {
    try {
      this.open(path).release();
      return false;
    } catch {
      this.make(path).release();
      return true;
    }
  }

  /** The folder that holds `path`, and its name there; the caller releases the folder. @throws as open() */
  holder(path: string, options: { make: boolean } = { make: false }): { folder: OpenFolder; name: string } {
    requireNotPart(path);
    const parent = parentOf(path);
    return { folder: options.make ? this.make(parent) : this.open(parent), name: baseName(path) };
  }

  /** Let go of what was kept: a folder was renamed or removed. */
  forget(): void {
    for (const { folder } of this.#kept.values()) folder.release();
    this.#kept.clear();
  }

  #keep(path: string, folder: OpenFolder): void {
    if (this.#kept.size === 0) this.#scheduleForget();
    this.#kept.set(path, { folder, until: performance.now() + REUSE_MS });
    if (this.#kept.size <= MAX_KEPT) return;
    const [oldest, { folder: first }] = this.#kept.entries().next().value as [string, { folder: OpenFolder }];
    this.#kept.delete(oldest);
    first.release();
  }

  /** An open folder can't be unmounted: none is kept while nothing happens. */
  #scheduleForget(): void {
    setTimeout(() => {
      const now = performance.now();
      for (const [path, { folder, until }] of this.#kept) {
        if (until > now) continue;
        this.#kept.delete(path);
        folder.release();
      }
      if (this.#kept.size > 0) this.#scheduleForget();
    }, 10 * REUSE_MS).unref();
  }
}

/** @throws StorageError NOT_ALLOWED for the names that unfinished files have */
function requireNotPart(path: string): void {
  if (path.includes(".commserver-") && path.split("/").some(isUnfinished)) {
    throw new StorageError("NOT_ALLOWED", `${quote(path)} is the name of an unfinished file.`);
  }
}
