import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Token } from "../../protocol/token.ts";
import { Tally } from "../tally.ts";
import { AccessError } from "./account.ts";
import { decoyVerifier, fits, type Verifier } from "./verifier.ts";

/** The most secrets of one address that may wait to be checked. */
export const MAX_WAITING_PER_GROUP = 16;

/** The form of createSecret()'s secrets: anything else need not be checked. */
const SECRET = /^[A-Za-z0-9_-]{43}$/;

const KEY_BYTES = 32;

/** A token of the token list: one object for as long as it is valid. */
interface Kept {
  readonly verifier: Verifier;
}

/**
 * Checks whether a secret is that of a token, at the cost of 4096 rounds (some 2 ms of a core, outside the event loop),
 * one secret at a time. A client sends its secret with every request: after the first correct one, each costs an HMAC.
 */
export class Secrets {
  readonly #saltOf: (name: string) => Uint8Array;
  /** HMACs of correct secrets, under a key of this process: no secret is kept. */
  readonly #known = new WeakMap<Kept, Uint8Array>();
  readonly #key = randomBytes(KEY_BYTES);
  readonly #waiting = new Tally();
  /** Checks under way, by a digest of address, name and secret. */
  readonly #asked = new Map<string, Promise<boolean>>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(saltOf: (name: string) => Uint8Array) {
    this.#saltOf = saltOf;
  }

  /**
   * `token`: undefined when no token has that name; the check takes as long. `group`: that of the client's address.
   *
   * @throws AccessError THROTTLED while too many secrets of the address wait
   */
  async isOf(token: Kept | undefined, { name, secret }: Token, group: string): Promise<boolean> {
    if (!SECRET.test(secret)) return false;
    const mark = createHmac("sha256", this.#key).update(`${name}:${secret}`).digest();
    const known = token && this.#known.get(token);
    if (known !== undefined && timingSafeEqual(known, mark)) return true;
    // When many connections show the same secret at once, it is checked only once.
    const key = `${group} ${mark.toString("base64")}`;
    const asked = this.#asked.get(key);
    if (asked !== undefined) return asked;
    const answer = this.#derive(token, { name, secret }, group);
    this.#asked.set(key, answer);
    try {
      const isRight = await answer;
      if (isRight && token !== undefined) this.#known.set(token, mark);
      return isRight;
    } finally {
      this.#asked.delete(key);
    }
  }

  /** @throws AccessError THROTTLED */
  async #derive(token: Kept | undefined, { name, secret }: Token, group: string): Promise<boolean> {
    if (this.#waiting.count(group) >= MAX_WAITING_PER_GROUP) {
      const words = "Too many secrets from this address are waiting to be checked. Try again in a second.";
      throw new AccessError("THROTTLED", words, words);
    }
    this.#waiting.add(group);
    const turn = this.#last.then(() => fits(token?.verifier ?? decoyVerifier(this.#saltOf(name)), secret));
    this.#last = turn.catch(() => {});
    try {
      return await turn;
    } finally {
      this.#waiting.remove(group);
    }
  }
}
