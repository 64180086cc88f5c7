import { createHash, createHmac, pbkdf2, pbkdf2Sync, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { MIN_ITERATIONS, PROOF_BYTES, xor } from "../../protocol/scram.ts";

const deriveKey = promisify(pbkdf2);

/** The server's record of a token: it can check a proof, but not make one. Source: RFC 5802, section 3. */
export interface Verifier {
  readonly salt: Uint8Array;
  readonly iterations: number;
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
}

export const SALT_BYTES = 16;

/** The verifier of a secret. More rounds would add nothing: the secret itself has 256 random bits. */
export function createVerifier(secret: string, salt: Uint8Array): Verifier {
  const salted = pbkdf2Sync(secret, salt, MIN_ITERATIONS, PROOF_BYTES, "sha256");
  const storedKey = createHash("sha256").update(hmac(salted, "Client Key")).digest();
  return { salt, iterations: MIN_ITERATIONS, storedKey, serverKey: hmac(salted, "Server Key") };
}

/** Whether the verifier is that of `secret`. The derivation runs outside the event loop. */
export async function fits({ salt, iterations, storedKey }: Verifier, secret: string): Promise<boolean> {
  const salted = await deriveKey(secret, salt, iterations, PROOF_BYTES, "sha256");
  return timingSafeEqual(createHash("sha256").update(hmac(salted, "Client Key")).digest(), storedKey);
}

/** A name's salt, always the same for the same key: it does not reveal whether the name has a token. */
export function saltFor(key: Uint8Array, name: string): Uint8Array {
  return hmac(key, `salt ${name}`).subarray(0, SALT_BYTES);
}

/** A verifier for a name that no token has: no proof fits it. */
export function decoyVerifier(salt: Uint8Array): Verifier {
  return { salt, iterations: MIN_ITERATIONS, storedKey: randomBytes(PROOF_BYTES), serverKey: randomBytes(PROOF_BYTES) };
}

/** True when `proof` proves the verifier's secret, for the exchange of `authMessage`. In constant time. */
export function verifies({ storedKey }: Verifier, authMessage: string, proof: Uint8Array): boolean {
  if (proof.length !== PROOF_BYTES) return false;
  const clientKey = xor(proof, hmac(storedKey, authMessage));
  return timingSafeEqual(createHash("sha256").update(clientKey).digest(), storedKey);
}

/** The server's own proof. */
export function sign({ serverKey }: Verifier, authMessage: string): Uint8Array {
  return hmac(serverKey, authMessage);
}

function hmac(key: Uint8Array, text: string): Uint8Array {
  return createHmac("sha256", key).update(text).digest();
}
