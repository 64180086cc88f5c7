import fs from "node:fs";
import { join, resolve, sep } from "node:path";
import { errnoOf } from "../../errno.ts";
import type { StorageError } from "../../errors.ts";
import { storageFault, storageNotice } from "../../storage-faults.ts";
import { fromLocalName, toLocalPath } from "./names/local-names.ts";
import type { OpenFolder } from "./open-folder.ts";
import { trailOf } from "./private/trail.ts";
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
  /**
   * Opens the folder that is the root now, in place of what is at its path. Asked each time; nothing need be there at
   * first.
   *
   * @throws anything when nothing is there, or when it may not be the root
   */
  locate?(): OpenFolder;
}

/**
 * The place of a tree. A server's tree is whatever is at its path: after the folder was replaced, a disk was mounted or
 * a link was switched, requests get what is there now. A user's tree stays the folder that it was at first.
 */
export class TreeRoot {
  readonly #given: string;
  readonly #options: TreeRootOptions;
  #real: string;
  #isMissing = false;

  /** @throws the system's error when nothing is there */
  constructor(given: string, options: TreeRootOptions) {
    this.#given = resolve(given);
    this.#real = options.locate === undefined ? realPath(given) : this.#given;
    this.#options = options;
  }

  /** The path that leads to it: as it was given, unless the root is to be located. */
  get given(): string {
    return this.#options.locate === undefined ? this.#given : this.#real;
  }

  /** The real path, as it was last found. */
  get real(): string {
    return this.#real;
  }

  /**
   * As `real`, but checked now. A given path without links is not checked: it resolves to itself, until has() finds
   * otherwise.
   *
   * @throws StorageError UNREADABLE when nothing is there
   */
  find(): string {
    if (this.#options.locate !== undefined || this.#real !== this.#given) this.#renew();
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
    if (this.#options.isFixed || !["ENOENT", "ENOTDIR", "ENOTCONN", "ESTALE"].includes(errnoOf(cause))) return cause;
    try {
      if (fs.statSync(this.#locate()).isDirectory()) {
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

  /** As requireBelow(), for what the link at `way` aims at, which is missing. */
  requireAimedBelow(path: string, way: string): void {
    const place = this.placeOf(way);
    if (fs.lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink()) this.requireBelow(path, trailOf(place).real);
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

  #locate(): string {
    const folder = this.#options.locate?.();
    try {
      return folder?.real ?? realPath(this.#given);
    } finally {
      folder?.release();
    }
  }

  #renew(): void {
    if (this.#options.isFixed) return;
    let real: string;
    try {
      real = this.#locate();
    } catch (cause) {
      throw this.#missing(cause);
    }
    this.#isMissing = false;
    if (real === this.#real) return;
    this.#real = real;
    this.#options.onMoved(real);
    this.#options.onNotice(storageNotice.moved(this.#given, real));
  }

  #missing(cause: unknown): StorageError {
    if (!this.#isMissing) this.#options.onNotice(storageNotice.gone(this.#given));
    this.#isMissing = true;
    return storageFault.repositoryGone(cause);
  }
}
