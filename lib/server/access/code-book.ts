import { randomInt, timingSafeEqual } from "node:crypto";
import type { Agreement, CodeExchange } from "../../codes/code-exchange.ts";
import { CommError, toCommError } from "../../errors.ts";
import * as messages from "../../protocol/code-messages.ts";
import { formatCode, type OneTimeCode, PLATE_DIGITS, SECRET_DIGITS } from "../../protocol/one-time-code.ts";
import { quote } from "../../quote.ts";
import type { Clock } from "../../session/clock.ts";
import type { PeerAddress } from "../../session/transport.ts";
import type { Throttle } from "../throttle.ts";
import { AccessError, type Account } from "./account.ts";
import type { ProofUnderWay } from "./proof-under-way.ts";

/** The codes that may be valid at once. Of 1000 plates, enough stay free that a random one is found soon. */
export const MAX_CODES = 100;
/** A code ends when more proofs of it are begun: each takes the server some time, and a person needs one. */
export const MAX_BEGUN = 10;

const NO_CODE = "This server has no such code: it was used, has expired, or was tried wrongly.";
const NOT_MADE = "The code is right, but the server can't make its token. The code can't be used any more.";
const WRONG = "The code is wrong, and can't be used any more.";

/** What a code stands for. */
export interface CodePurpose {
  /** Its name in the log: that of its token. */
  readonly name: string;
  /**
   * The code was proven, which happens once.
   *
   * @returns the account of the client, and what is handed over to it
   * @throws CommError
   */
  redeem(): { readonly account: Account; readonly invite: string };
  /** The code was ended by wrong tries: nobody can prove it any more. */
  onSpoilt?(): void;
}

interface Code extends OneTimeCode {
  readonly purpose: CodePurpose;
  /** On the monotonic clock. */
  readonly endsAt: number;
  begun: number;
}

/**
 * The valid one-time codes, in memory only. Each admits one right proof. One wrong proof ends it, whatever address it
 * comes from, so that all guesses together find one code in a million. Source: PROTOCOL.md, "Codes".
 */
export class CodeBook {
  readonly #clock: Clock;
  /** Counts wrong and unknown codes, by address. */
  readonly #throttle: Throttle;
  readonly #codes = new Map<string, Code>();
  /** Loaded with the first code: it takes a while, and most servers issue none. */
  #Exchange: typeof CodeExchange | undefined;

  constructor(clock: Clock, throttle: Throttle) {
    this.#clock = clock;
    this.#throttle = throttle;
  }

  /**
   * Make a code; an earlier one of the same name ends.
   *
   * @returns the code, as people read it
   * @throws CommError OVERLOADED when there are too many
   */
  async issue(purpose: CodePurpose, lifeMs: number): Promise<string> {
    this.#Exchange ??= (await import("../../codes/code-exchange.ts")).CodeExchange;
    this.end(purpose.name);
    this.#expire();
    if (this.#codes.size >= MAX_CODES) {
      throw new CommError("OVERLOADED", `There are ${MAX_CODES} codes already: wait until some are used or expire.`);
    }
    let plate = randomDigits(PLATE_DIGITS);
    while (this.#codes.has(plate)) plate = randomDigits(PLATE_DIGITS);
    const code = { plate, secret: randomDigits(SECRET_DIGITS) };
    this.#codes.set(plate, { ...code, purpose, endsAt: this.#clock.now() + lifeMs, begun: 0 });
    return formatCode(code);
  }

  /** End the code of this name. @returns whether there was one */
  end(name: string): boolean {
    this.#expire();
    const code = this.#codes.values().find(({ purpose }) => purpose.name === name);
    return code !== undefined && this.#codes.delete(code.plate);
  }

  /**
   * Begin the proof of a code. `binding` as in Access.begin().
   *
   * @throws AccessError NO_SUCH_CODE, THROTTLED; ProtocolError BAD_PAYLOAD
   */
  begin(message: string, { group }: PeerAddress, binding: Uint8Array | undefined): ProofUnderWay {
    const { plate, share } = messages.parseClientFirst(message);
    // Unlike a token's, a proof from an address with too many wrong ones is not judged: it could end a code.
    if (this.#throttle.isSpent(group)) {
      const words = "Too many codes from this address were wrong. Try again in a minute.";
      throw new AccessError("THROTTLED", words, `${describe(plate)}: not looked at.`);
    }
    const code = this.#find(plate);
    if (code === undefined || this.#Exchange === undefined) {
      this.#throttle.take(group);
      throw new AccessError("NO_SUCH_CODE", NO_CODE, `${describe(plate)}: There is none.`);
    }
    const exchange = new this.#Exchange("server", code, binding);
    const agreement = exchange.agree(share);
    return {
      challenge: messages.formatServerFirst(exchange.share),
      finish: (proof) => this.#finish(code, agreement, messages.parseClientFinal(proof), group),
    };
  }

  /** The code of a proof that begins. */
  #find(plate: string): Code | undefined {
    this.#expire();
    const code = this.#codes.get(plate);
    if (code === undefined || ++code.begun <= MAX_BEGUN) return code;
    this.#codes.delete(plate);
    code.purpose.onSpoilt?.();
    return undefined;
  }

  #finish(code: Code, { tags, seal }: Agreement, tag: Uint8Array, group: string): { account: Account; answer: string } {
    const { plate, purpose } = code;
    const about = `${describe(plate)}, for ${quote(purpose.name)}`;
    this.#expire();
    // Another proof that was under way may have ended it.
    if (this.#codes.get(plate) !== code) throw new AccessError("NO_SUCH_CODE", NO_CODE, `${about}: It has ended.`);
    this.#codes.delete(plate);
    if (!timingSafeEqual(tag, tags.client)) {
      this.#throttle.take(group);
      purpose.onSpoilt?.();
      throw new AccessError("ACCESS_DENIED", WRONG, `${about}: It was tried wrongly, and has ended.`);
    }
    try {
      const { account, invite } = purpose.redeem();
      return { account, answer: messages.formatServerFinal(tags.server, seal(invite)) };
    } catch (thrown) {
      // The peer has no use for the details of the server's disk.
      throw new AccessError("UNAVAILABLE", NOT_MADE, `${about}: ${toCommError(thrown).message}`);
    }
  }

  /** Without timers: nobody waits for the end of a code. */
  #expire(): void {
    const now = this.#clock.now();
    for (const [plate, { endsAt }] of this.#codes) if (endsAt <= now) this.#codes.delete(plate);
  }
}

function randomDigits(count: number): string {
  return randomInt(10 ** count)
    .toString()
    .padStart(count, "0");
}

/** For the log: never the secret. */
function describe(plate: string): string {
  return `Code ${plate}-…`;
}
