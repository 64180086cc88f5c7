import { randomBytes, timingSafeEqual } from "node:crypto";

/** The most links that wait to be opened. */
const MAX_WAITING = 16;
/** The most browsers that were let in. */
const MAX_ADMITTED = 64;

/**
 * Who may use the page of this machine. A link holds a key that admits one browser, once; the browser gets a secret of
 * its own for it, with which it comes back after a reload. Both live in this process alone.
 */
export class PageKeys {
  readonly #waiting: string[] = [];
  readonly #admitted: string[] = [];

  /** A new key, for a link. */
  issue(): string {
    return add(this.#waiting, MAX_WAITING);
  }

  /** Spend a key. @returns the browser's secret; undefined for a key that is spent, or none */
  admit(key: string): string | undefined {
    const at = this.#waiting.findIndex((each) => isSame(each, key));
    if (at === -1) return undefined;
    this.#waiting.splice(at, 1);
    return add(this.#admitted, MAX_ADMITTED);
  }

  /** Whether the secret is a browser's that was admitted. */
  knows(secret: string): boolean {
    return this.#admitted.some((each) => isSame(each, secret));
  }
}

function add(keys: string[], most: number): string {
  const key = randomBytes(24).toString("base64url");
  keys.push(key);
  if (keys.length > most) keys.shift();
  return key;
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
