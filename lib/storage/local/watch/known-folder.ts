import { NameDigests } from "./name-digests.ts";

/**
 * A folder of a watched tree, as it was told: its folders by name, and of what else is in it only digests of the names,
 * for there may be millions. A folder goes, and moves, in one step with all below it.
 */
export class KnownFolder {
  /** undefined for the root, and for one that has gone. */
  #parent: KnownFolder | undefined;
  #name: string;
  readonly #isRoot: boolean;
  #folders: Map<string, KnownFolder> | undefined;
  #others: NameDigests | undefined;
  /** By which the source that watches it knows the folder itself, whatever its name: the one or the other. */
  watchId: number | undefined;
  identity: string | undefined;
  /** What is in it is known, and what happens in it is told. */
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

  /** Its path; undefined when it has gone, or a folder above it. */
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

  /** The folder `name` in it, made known when it was not. */
  addFolder(name: string): KnownFolder {
    const there = this.folder(name);
    if (there !== undefined) return there;
    const added = new KnownFolder(name, this);
    this.#folders ??= new Map();
    this.#folders.set(name, added);
    return added;
  }

  /** A folder that has gone comes here, with all below it. */
  adopt(name: string, folder: KnownFolder): void {
    folder.#name = name;
    folder.#parent = this;
    this.#folders ??= new Map();
    this.#folders.set(name, folder);
  }

  /** It goes with all below it. */
  detach(): void {
    if (this.#parent?.folder(this.#name) === this) this.#parent.#folders?.delete(this.#name);
    this.#parent = undefined;
  }

  /** Whether something else than a folder is known by this name. */
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

  /** What else than folders is known in it is forgotten. */
  clearOthers(): void {
    this.#others = undefined;
  }
}
