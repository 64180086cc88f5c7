import fs from "node:fs";
import { digest64 } from "../../digest64.ts";

/** In place of a digest: a folder, whose changes are those of its entries. */
export const FOLDER = 0n;

/** A digest of the facts of an entry that change with it. */
export type Signature = bigint;

/** The contents of a folder: each name, and its state when it was last reported. A few dozen bytes for each. */
export class FolderSnapshot {
  /** All names, separated by slashes, which no name has. */
  #names = "";
  #signatures = new BigUint64Array(0);
  /** States reported since then; undefined: it does not exist. */
  readonly #told = new Map<string, Signature | undefined>();

  constructor(entries: ReadonlyMap<string, Signature>) {
    this.#keep(entries);
  }

  /** Note the reported state of `name`. */
  note(name: string, signature: Signature | undefined): void {
    this.#told.set(name, signature);
  }

  /** All entries, as reported. */
  entries(): Map<string, Signature> {
    const entries = new Map<string, Signature>();
    if (this.#names !== "") {
      for (const [at, name] of this.#names.split("/").entries()) entries.set(name, this.#signatures[at] ?? FOLDER);
    }
    for (const [name, signature] of this.#told) {
      if (signature === undefined) entries.delete(name);
      else entries.set(name, signature);
    }
    if (this.#told.size > 0) this.#keep(entries);
    return entries;
  }

  #keep(entries: ReadonlyMap<string, Signature>): void {
    this.#names = [...entries.keys()].join("/");
    this.#signatures = BigUint64Array.from(entries.values());
    this.#told.clear();
  }
}

const facts = new Float64Array(4);
const factsBytes = new Uint8Array(facts.buffer);

/** The signature of these facts, without following links. */
export function signatureOf(stats: fs.Stats): Signature {
  if (stats.isDirectory()) return FOLDER;
  facts[0] = stats.mtimeMs;
  facts[1] = stats.ctimeMs;
  facts[2] = stats.size;
  facts[3] = stats.mode;
  return digest64(factsBytes, 0) || 1n;
}

/** The signature of the entry at `place`; undefined when nothing is there, or it is unreadable. */
export function signatureAt(place: string): Signature | undefined {
  try {
    return signatureOf(fs.lstatSync(place));
  } catch {
    return undefined;
  }
}
