import fs from "node:fs";
import { digest64 } from "../../digest64.ts";

/** In place of a digest: a folder, of which only what is in it can change. */
export const FOLDER = 0n;

/** A digest of those facts of an entry that change with it. */
export type Signature = bigint;

/** The content of a folder: names, and the state of each when it was last reported. A few dozen bytes for each. */
export class FolderSnapshot {
  /** With slashes between them, which no name has. */
  #names = "";
  #signatures = new BigUint64Array(0);
  /** Reported since then; undefined: it is not there. */
  readonly #told = new Map<string, Signature | undefined>();

  constructor(entries: ReadonlyMap<string, Signature>) {
    this.#keep(entries);
  }

  /** The reported state of `name`. */
  note(name: string, signature: Signature | undefined): void {
    this.#told.set(name, signature);
  }

  /** All of it, as reported. */
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

/** Of facts without links followed. */
export function signatureOf(stats: fs.Stats): Signature {
  if (stats.isDirectory()) return FOLDER;
  facts[0] = stats.mtimeMs;
  facts[1] = stats.ctimeMs;
  facts[2] = stats.size;
  facts[3] = stats.mode;
  return digest64(factsBytes, 0) || 1n;
}

/** Of what is at `place`; undefined when nothing is there, or it is unreadable. */
export function signatureAt(place: string): Signature | undefined {
  try {
    return signatureOf(fs.lstatSync(place));
  } catch {
    return undefined;
  }
}
