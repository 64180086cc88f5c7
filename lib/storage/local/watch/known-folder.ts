import { NameDigests } from "./name-digests.ts";

/**
 * A folder of a watched tree, as it was reported: its folders by name, and only digests of the other names, because
 * there may be millions. A folder is removed or moved in one step with everything below it.
 */
export class KnownFolder {
  /** undefined for the root, and for a removed folder. */
  #parent: KnownFolder | undefined;
  #name: string;
  readonly #isRoot: boolean;
  #folders: Map<string, KnownFolder> | undefined;
  #others: NameDigests | undefined;
  /** How the source that watches it recognizes the folder itself, whatever its name: by one or the other. */
  watchId: number | undefined;
  identity: string | undefined;
  /** True when its contents are known, and changes in it are reported. */
  isLearnt = false;

  private constructor(name: string, parent: KnownFolder | undefined) {
    this.#name = name;
    this.#parent = parent;
    this.#isRoot = parent === undefined;
  }

  static root(): KnownFolder {
    return new KnownFolder("", undefined);
  }

  get name(): string {
    return this.#name;
  }

  get parent(): KnownFolder | undefined {
    return this.#parent;
  }

  /** Its path; undefined when it or a folder above it was removed. */
  get path(): string | undefined {
    if (this.#isRoot) return "";
    const above = this.#parent?.path;
    return above === "" ? this.#name : above === undefined ? undefined : `${above}/${this.#name}`;
  }

  /** The path of `name` in it; undefined as `path`. */
  pathOf(name: string): string | undefined {
    const { path } = this;
    return path === "" ? name : path === undefined ? undefined : `${path}/${name}`;
  }

  get folders(): Iterable<KnownFolder> {
    return this.#folders?.values() ?? [];
  }

  folder(name: string): KnownFolder | undefined {
    return this.#folders?.get(name);
  }

  /** The folder `name` in it, added if it was not known. */
  addFolder(name: string): KnownFolder {
    const there = this.folder(name);
    if (there !== undefined) return there;
    const added = new KnownFolder(name, this);
    this.#folders ??= new Map();
    this.#folders.set(name, added);
    return added;
  }

  /** Add a folder that was moved here from elsewhere, with everything below it. */
  adopt(name: string, folder: KnownFolder): void {
    folder.#name = name;
    folder.#parent = this;
    this.#folders ??= new Map();
    this.#folders.set(name, folder);
  }

  /** Remove it, with everything below it. */
  detach(): void {
    if (this.#parent?.folder(this.#name) === this) this.#parent.#folders?.delete(this.#name);
    this.#parent = undefined;
  }

  /** Whether something other than a folder is known under this name. */
  hasOther(name: string): boolean {
    return this.#others?.has(name) ?? false;
  }

  addOther(name: string): void {
    this.#others ??= new NameDigests();
    this.#others.add(name);
  }

  /** @returns whether it was known */
  deleteOther(name: string): boolean {
    return this.#others?.delete(name) ?? false;
  }

  /** Forget all names except those of folders. */
  clearOthers(): void {
    this.#others = undefined;
  }
}
