import { randomBytes, timingSafeEqual } from "node:crypto";
import * as scram from "../../protocol/scram.ts";
import type { Account } from "./account.ts";
import type { ProofUnderWay } from "./proof-under-way.ts";
import { sign, type Verifier, verifies } from "./verifier.ts";

const NONCE_BYTES = 18;

export interface ScramServerOptions {
  readonly first: scram.ClientFirst;
  /** The transport's binding; empty without encryption. */
  readonly binding: Uint8Array;
  readonly verifier: Verifier;
  /** Decide; `fault` is what is wrong with the proof. @throws AccessError */
  finish(fault: string | undefined): Account;
}

/** The proof of a token under way, at the server. Source: RFC 5802, section 3. */
export class ScramServer implements ProofUnderWay {
  readonly #options: ScramServerOptions;
  readonly #nonce: string;
  readonly challenge: string;

  constructor(options: ScramServerOptions) {
    const { first, verifier } = options;
    this.#options = options;
    this.#nonce = first.nonce + randomBytes(NONCE_BYTES).toString("base64");
    this.challenge = scram.formatServerFirst(this.#nonce, verifier.salt, verifier.iterations);
  }

  finish(message: string): { account: Account; answer: string } {
    const { first, verifier, finish } = this.#options;
    const { withoutProof, proof, binding, nonce } = scram.parseClientFinal(message);
    const all = scram.authMessage(first.bare, this.challenge, withoutProof);
    const isRight = verifies(verifier, all, proof);
    const account = finish(this.#faultOf(nonce, binding) ?? (isRight ? undefined : "The proof is wrong."));
    return { account, answer: scram.formatServerFinal(sign(verifier, all)) };
  }

  #faultOf(nonce: string, binding: Uint8Array): string | undefined {
    if (nonce !== this.#nonce) return "The proof is of another exchange.";
    const expected = scram.bindingInput(this.#options.first.gs2Header, this.#options.binding);
    const isBound = binding.length === expected.length && timingSafeEqual(binding, expected);
    return isBound ? undefined : "The proof is bound to another channel: somebody may be intercepting the connection.";
  }
}
