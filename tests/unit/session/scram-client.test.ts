import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { CommError, ProtocolError } from "../../../lib/errors.ts";
import { checkSignature, ScramClient } from "../../../lib/session/scram-client.ts";

/** RFC 7677, section 3. */
const NONCE = "rOprNGfwEbeRWgbNEkqO";
const ALL = `${NONCE}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0`;
const CHALLENGE = `r=${ALL},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`;
const TOKEN = { name: "user", secret: "pencil" };

const client = (binding?: Uint8Array) => new ScramClient(TOKEN, binding, NONCE);

test("the example of RFC 7677: proof and signature", async () => {
  const scram = client();
  expect({ mechanism: scram.mechanism, first: scram.first }).toEqual({
    mechanism: "SCRAM-SHA-256",
    first: `n,,n=user,r=${NONCE}`,
  });
  const { message, signature } = await scram.answer(CHALLENGE);
  expect(message).toBe(`c=biws,r=${ALL},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`);
  checkSignature("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", signature);
});

test("with a binding the proof is of the other mechanism, and another proof", async () => {
  const scram = client(new Uint8Array(32).fill(1));
  expect(scram.mechanism).toBe("SCRAM-SHA-256-PLUS");
  expect(scram.first).toBe(`p=tls-exporter,,n=user,r=${NONCE}`);
  const { message } = await scram.answer(CHALLENGE);
  const other = await client(new Uint8Array(32).fill(2)).answer(CHALLENGE);
  const header = Buffer.concat([Buffer.from("p=tls-exporter,,"), Buffer.alloc(32, 1)]).toString("base64");
  expect(message).toStartWith(`c=${header},r=${ALL},p=`);
  expect(message.split(",p=")[1]).not.toBe(other.message.split(",p=")[1]);
});

test("each client has a nonce of its own, of 18 characters and more", () => {
  const firsts = Array.from({ length: 50 }, () => new ScramClient(TOKEN, undefined).first);
  expect(new Set(firsts).size).toBe(50);
  for (const first of firsts) expect((first.split(",r=")[1] as string).length).toBeGreaterThanOrEqual(18);
});

test("nothing that is sent holds the secret", async () => {
  const secret = "sEcReT-_".repeat(6).slice(0, 43);
  const scram = new ScramClient({ name: "user", secret }, undefined, NONCE);
  const { message } = await scram.answer(CHALLENGE);
  expect(scram.first + message + JSON.stringify(scram)).not.toContain(secret);
  expect(Bun.inspect(scram)).not.toContain(secret);
});

describe("a challenge is refused", () => {
  test.each([
    ["with the client's nonce alone", CHALLENGE.replace(ALL, NONCE)],
    ["with another nonce", CHALLENGE.replace(ALL, `x${ALL.slice(1)}`)],
    ["with the client's nonce behind another", CHALLENGE.replace(ALL, `abc${NONCE}`)],
    ["with too few rounds", CHALLENGE.replace("4096", "4095")],
    ["with one round", CHALLENGE.replace("4096", "1")],
    ["with more rounds than the client gives", CHALLENGE.replace("4096", "100001")],
    ["with very many rounds", CHALLENGE.replace("4096", "999999999")],
    ["that is none", "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="],
  ])("%s", async (_, challenge) => {
    await expect(client().answer(challenge)).rejects.toMatchObject({ name: "ProtocolError", code: "BAD_PAYLOAD" });
  });

  test("but the most rounds that the page allows are taken", async () => {
    expect((await client().answer(CHALLENGE.replace("4096", "100000"))).signature).toHaveLength(32);
  });
});

describe("the server's proof", () => {
  const right = Buffer.from("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", "base64");

  test("is refused with any bit changed", () => {
    fc.assert(
      fc.property(fc.nat(31), fc.nat(7), (byte, bit) => {
        const wrong = Buffer.from(right);
        wrong[byte] = (wrong[byte] as number) ^ (1 << bit);
        expect(() => checkSignature(`v=${wrong.toString("base64")}`, right)).toThrow(
          expect.objectContaining({ code: "WRONG_IDENTITY" }),
        );
      }),
    );
  });

  test("is refused when it is shorter or longer", () => {
    for (const wrong of [right.subarray(0, 31), Buffer.concat([right, Buffer.alloc(1)])]) {
      expect(() => checkSignature(`v=${wrong.toString("base64")}`, right)).toThrow(CommError);
    }
    expect(() => checkSignature("v=", right)).toThrow(ProtocolError);
  });
});
