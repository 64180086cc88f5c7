import { CommError, ProtocolError } from "../errors.ts";
import { encodeBase64 } from "../protocol/base64.ts";
import * as scram from "../protocol/scram.ts";
import type { Token } from "../protocol/token.ts";
import type { Proof, Prover } from "./prover.ts";

const NONCE_BYTES = 24;
const encoder = new TextEncoder();

/** `signature`: what the server must answer with. */
interface ScramProof extends Proof {
  readonly signature: Uint8Array;
}

/**
 * The client's side of the proof of a token. The secret never leaves this object, and the sent messages are useless
 * elsewhere. Source: RFC 5802, section 3.
 */
export class ScramClient implements Prover {
  readonly mechanism: scram.Mechanism;
  /** The first message. */
  readonly first: string;
  readonly #token: Token;
  readonly #binding: Uint8Array;
  readonly #nonce: string;
  readonly #bare: string;

  /** `binding`: that of the transport; without one the proof is bound to nothing. `nonce` is for tests. */
  constructor(token: Token, binding: Uint8Array | undefined, nonce = randomNonce()) {
    this.#token = token;
    this.#binding = binding ?? new Uint8Array(0);
    this.#nonce = nonce;
    this.mechanism = binding === undefined ? "SCRAM-SHA-256" : "SCRAM-SHA-256-PLUS";
    const { bare, message } = scram.formatClientFirst(this.mechanism, token.name, nonce);
    this.#bare = bare;
    this.first = message;
  }

  /**
   * The proof for the server's challenge.
   *
   * @throws ProtocolError BAD_PAYLOAD when the challenge is invalid, or demands too little or too much work
   */
  async answer(challenge: string): Promise<ScramProof> {
    const { nonce, salt, iterations } = scram.parseServerFirst(challenge);
    // "The client MUST close at a count outside 4096 to 100000, and at a server nonce that does not begin with the
    // client's own." (PROTOCOL.md, "Proof")
    if (!nonce.startsWith(this.#nonce) || nonce.length === this.#nonce.length) {
      throw new ProtocolError("BAD_PAYLOAD", "The server's challenge does not continue ours.");
    }
    if (iterations < scram.MIN_ITERATIONS || iterations > scram.MAX_ITERATIONS) {
      throw new ProtocolError("BAD_PAYLOAD", `The server demands ${iterations} rounds for the proof.`);
    }
    const salted = await stretch(this.#token.secret, salt, iterations);
    const clientKey = await hmac(salted, "Client Key");
    const storedKey = new Uint8Array(await crypto.subtle.digest("SHA-256", clientKey));
    const header = scram.gs2HeaderOf(this.mechanism);
    const withoutProof = scram.formatClientFinal(header, this.#binding, nonce);
    const all = scram.authMessage(this.#bare, challenge, withoutProof);
    const proof = scram.xor(clientKey, await hmac(storedKey, all));
    const signature = await hmac(await hmac(salted, "Server Key"), all);
    return {
      message: scram.addProof(withoutProof, proof),
      signature,
      check: (answer) => checkSignature(answer, signature),
    };
  }
}

/** @throws CommError WRONG_IDENTITY when the server does not know the token's verifier; ProtocolError BAD_PAYLOAD */
export function checkSignature(message: string, expected: Uint8Array): void {
  const signature = scram.parseServerFinal(message);
  // The client's own check of a value that is used once: its timing reveals nothing.
  if (signature.length === expected.length && scram.xor(signature, expected).every((byte) => byte === 0)) return;
  throw new CommError("WRONG_IDENTITY", "The server can't prove that it knows this token.");
}

function randomNonce(): string {
  return encodeBase64(crypto.getRandomValues(new Uint8Array(NONCE_BYTES)));
}

async function stretch(secret: string, salt: Uint8Array, iterations: number): Promise<Uint8Array<ArrayBuffer>> {
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), "PBKDF2", false, ["deriveBits"]);
  const parameters = { name: "PBKDF2", hash: "SHA-256", salt: new Uint8Array(salt), iterations };
  return new Uint8Array(await crypto.subtle.deriveBits(parameters, key, 8 * scram.PROOF_BYTES));
}

async function hmac(key: Uint8Array<ArrayBuffer>, text: string): Promise<Uint8Array<ArrayBuffer>> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", key, algorithm, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, encoder.encode(text)));
}
