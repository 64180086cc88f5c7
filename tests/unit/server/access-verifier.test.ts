import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createVerifier, decoyVerifier, saltFor, sign, verifies } from "../../../lib/server/access/verifier.ts";

/** RFC 7677, section 3. */
const SALT = Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64");
const NONCE = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
const AUTH_MESSAGE = `n=user,r=rOprNGfwEbeRWgbNEkqO,r=${NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=${NONCE}`;
const PROOF = Buffer.from("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", "base64");

const verifier = createVerifier("pencil", SALT);

test("the example of RFC 7677: the server takes the proof and signs", () => {
  expect(verifier.iterations).toBe(4096);
  expect(verifies(verifier, AUTH_MESSAGE, PROOF)).toBe(true);
  expect(Buffer.from(sign(verifier, AUTH_MESSAGE)).toString("base64")).toBe(
    "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
  );
});

describe("a proof is refused", () => {
  test("with any bit changed", () => {
    fc.assert(
      fc.property(fc.nat(31), fc.nat(7), (byte, bit) => {
        const wrong = Buffer.from(PROOF);
        wrong[byte] = (wrong[byte] as number) ^ (1 << bit);
        expect(verifies(verifier, AUTH_MESSAGE, wrong)).toBe(false);
      }),
    );
  });

  test("of any other length, and of any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (proof) => {
        expect(verifies(verifier, AUTH_MESSAGE, proof)).toBe(false);
      }),
    );
  });

  test("for another exchange", () => {
    expect(verifies(verifier, AUTH_MESSAGE.replace("i=4096", "i=4097"), PROOF)).toBe(false);
  });

  test("for another secret, and for the same one with another salt", () => {
    expect(verifies(createVerifier("pencils", SALT), AUTH_MESSAGE, PROOF)).toBe(false);
    expect(verifies(createVerifier("pencil", Buffer.alloc(16)), AUTH_MESSAGE, PROOF)).toBe(false);
  });

  test("when it is made of the verifier, as a thief of the file would", () => {
    expect(verifies(verifier, AUTH_MESSAGE, verifier.storedKey)).toBe(false);
    expect(verifies(verifier, AUTH_MESSAGE, verifier.serverKey)).toBe(false);
  });
});

describe("a salt", () => {
  const key = new Uint8Array(32).fill(1);
  const salt = (from: Uint8Array, name: string) => Buffer.from(saltFor(from, name)).toString("hex");

  test("is the same each time, another for each name and key", () => {
    expect(salt(key, "a")).toBe(salt(key, "a"));
    expect(salt(key, "a")).not.toBe(salt(key, "b"));
    expect(salt(key, "a")).not.toBe(salt(new Uint8Array(32).fill(2), "a"));
    expect(saltFor(key, "a")).toHaveLength(16);
  });

  test("and the count of rounds are those of a known name for one that is not known", () => {
    const known = createVerifier("pencil", saltFor(key, "a"));
    const unknown = decoyVerifier(saltFor(key, "a"));
    expect([unknown.salt, unknown.iterations]).toEqual([known.salt, known.iterations]);
  });

  test("of a name that is not known takes no proof", () => {
    expect(verifies(decoyVerifier(SALT), AUTH_MESSAGE, PROOF)).toBe(false);
  });
});
