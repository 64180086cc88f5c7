import fs from "node:fs";
import { join, resolve, sep } from "node:path";
import { errnoOf } from "../../errno.ts";
import type { StorageError } from "../../errors.ts";
import { storageFault, storageNotice } from "../../storage-faults.ts";
import { fromLocalName, toLocalPath } from "./names/local-names.ts";
import { realPath } from "./real-path.ts";

/** Every system accepts a path of this many characters, of up to three bytes each. */
const SURELY_SHORT = 1023 / 3;

export interface TreeRootOptions {
  /** The tree stays this folder, whatever is at its path later. */
  readonly isFixed: boolean;
  /** Called with a message when the root is missing, or another folder. */
  onNotice(message: string): void;
  /** Called when the root is another folder from now on, with this real path. */
  onMoved(real: string): void;
}

/**
 * The place of a tree. A server's tree is whatever is at its path: after the folder was replaced, a disk was mounted or
 * a link was switched, requests get what is there now. A user's tree stays the folder that it was at first.
 */
export class TreeRoot {
  /** The path as it was given. */
  readonly given: string;
  readonly #isFixed: boolean;
  readonly #onNotice: (message: string) => void;
  readonly #onMoved: (real: string) => void;
  #real: string;
  #isMissing = false;

  /** @throws the system's error when nothing is there */
  constructor(given: string, { isFixed, onNotice, onMoved }: TreeRootOptions) {
    this.#real = realPath(given);
    this.given = resolve(given);
    this.#isFixed = isFixed;
    this.#onNotice = onNotice;
    this.#onMoved = onMoved;
  }

  /** The real path, as it was last found. */
  get real(): string {
    return this.#real;
  }

  /**
   * As `real`, but checked now. A path without links is not checked: it resolves to itself, until has() finds
   * otherwise.
   *
   * @throws StorageError UNREADABLE when nothing is there
   */
  find(): string {
    if (this.#real !== this.given) this.#renew();
    return this.#real;
  }

  /** Whether a real path lies in it. @throws as find() */
  has(real: string): boolean {
    if (this.#holds(real)) return true;
    this.#renew();
    return this.#holds(real);
  }

  /**
   * Explain an error of the system that found nothing.
   *
   * @returns `cause`, or the fault to report if the root itself is missing
   */
  explain(cause: unknown): unknown {
    if (this.#isFixed || !["ENOENT", "ENOTDIR", "ENOTCONN", "ESTALE"].includes(errnoOf(cause))) return cause;
    try {
      if (fs.statSync(this.given).isDirectory()) {
        this.#isMissing = false;
        return cause;
      }
    } catch {
      // not there
    }
    return this.#missing(cause);
  }

  /** The place of `path` by its names alone, unchecked. */
  placeOf(path: string): string {
    return join(this.#real, toLocalPath(path));
  }

  /** The path in the tree of a real path, for people. */
  pathOf(real: string): string {
    const names = real.slice(this.#real.length).split(sep).filter(Boolean);
    return names.map((name) => fromLocalName(name)).join("/");
  }

  /** @throws StorageError NOT_ALLOWED for a real path that is not in it */
  requireBelow(path: string, real: string): void {
    if (!this.has(real)) throw storageFault.linkOut(path);
  }

  /**
   * Through an open folder the system accepts a name however long its path is: without this check, some methods would
   * find files that others can't.
   *
   * @throws the system's ENAMETOOLONG when the path is too long for it
   */
  requireShort(path: string): void {
    if (this.#real.length + path.length <= SURELY_SHORT) return;
    try {
      fs.lstatSync(this.placeOf(path), { throwIfNoEntry: false });
    } catch (cause) {
      if (errnoOf(cause) === "ENAMETOOLONG") throw cause;
    }
  }

  /** False for a path that is too long for the system. */
  isShort(path: string): boolean {
    try {
      this.requireShort(path);
      return true;
    } catch {
      return false;
    }
  }

  #holds(real: string): boolean {
    const root = this.#real;
    return real === root || real.startsWith(root.endsWith(sep) ? root : root + sep);
  }

  #renew(): void {
    if (this.#isFixed) return;
    let real: string;
    try {
      real = realPath(this.given);
    } catch (cause) {
      throw this.#missing(cause);
    }
    this.#isMissing = false;
    if (real === this.#real) return;
    this.#real = real;
    this.#onMoved(real);
    this.#onNotice(storageNotice.moved(this.given, real));
  }

  #missing(cause: unknown): StorageError {
    if (!this.#isMissing) this.#onNotice(storageNotice.gone(this.given));
    this.#isMissing = true;
    return storageFault.repositoryGone(cause);
  }
}
