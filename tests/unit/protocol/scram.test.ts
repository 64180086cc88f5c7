import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ProtocolError } from "../../../lib/errors.ts";
import * as scram from "../../../lib/protocol/scram.ts";

/** RFC 7677, section 3. */
const FIRST = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
const CHALLENGE = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
const FINAL =
  "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
const SIGNATURE = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

const NONCE = "rOprNGfwEbeRWgbNEkqO";
const READERS: [string, (message: string) => unknown][] = [
  ["the client's first", scram.parseClientFirst],
  ["the server's first", scram.parseServerFirst],
  ["the client's last", scram.parseClientFinal],
  ["the server's last", scram.parseServerFinal],
];

function expectBadPayload(read: () => unknown): void {
  expect(read).toThrow(ProtocolError);
  expect(read).toThrow(expect.objectContaining({ code: "BAD_PAYLOAD" }));
}

describe("the example of RFC 7677", () => {
  test("is read", () => {
    expect(scram.parseClientFirst(FIRST)).toEqual({
      gs2Header: "n,,",
      bare: "n=user,r=rOprNGfwEbeRWgbNEkqO",
      name: "user",
      nonce: NONCE,
    });
    const { salt, iterations } = scram.parseServerFirst(CHALLENGE);
    expect({ salt: Buffer.from(salt).toString("hex"), iterations }).toEqual({
      salt: "5b6d99689d12358eeca04b141236fa81",
      iterations: 4096,
    });
    expect(Buffer.from(scram.parseClientFinal(FINAL).binding).toString()).toBe("n,,");
    expect(scram.parseServerFinal(SIGNATURE)).toHaveLength(32);
  });

  test("is written", () => {
    expect(scram.formatClientFirst("SCRAM-SHA-256", "user", NONCE).message).toBe(FIRST);
    const { nonce, salt, iterations } = scram.parseServerFirst(CHALLENGE);
    expect(scram.formatServerFirst(nonce, salt, iterations)).toBe(CHALLENGE);
    const { withoutProof, proof } = scram.parseClientFinal(FINAL);
    expect(scram.formatClientFinal("n,,", new Uint8Array(0), nonce)).toBe(withoutProof);
    expect(scram.addProof(withoutProof, proof)).toBe(FINAL);
    expect(scram.formatServerFinal(scram.parseServerFinal(SIGNATURE))).toBe(SIGNATURE);
  });
});

describe("the binding of RFC 9266", () => {
  test("is named in the first message and carried, after that name, in the last", () => {
    const { message } = scram.formatClientFirst("SCRAM-SHA-256-PLUS", "laptop", NONCE);
    expect(message).toBe(`p=tls-exporter,,n=laptop,r=${NONCE}`);
    expect(scram.parseClientFirst(message).gs2Header).toBe("p=tls-exporter,,");
    const binding = new Uint8Array(32).fill(7);
    const last = scram.formatClientFinal("p=tls-exporter,,", binding, NONCE);
    expect(last).toBe(`c=${Buffer.concat([Buffer.from("p=tls-exporter,,"), binding]).toString("base64")},r=${NONCE}`);
  });
});

describe("a first message is refused", () => {
  test.each([
    ["with an extension", `n,,m=ext,n=user,r=${NONCE}`],
    ["with more behind the nonce", `n,,n=user,r=${NONCE},x=1`],
    ["with an escaped name", `n,,n=us=2Cer,r=${NONCE}`],
    ["with an empty name", `n,,n=,r=${NONCE}`],
    ["with a name of 65", `n,,n=${"a".repeat(65)},r=${NONCE}`],
    ["with a name that begins with a dot", `n,,n=.user,r=${NONCE}`],
    ["with a short nonce", "n,,n=user,r=12345678901234567"],
    ["with a nonce of 257", `n,,n=user,r=${"a".repeat(257)}`],
    ["with a nonce that is not printable", `n,,n=user,r=${NONCE}\u0000`],
    ["with a nonce beyond ASCII", `n,,n=user,r=${NONCE}é`],
    ["with a line behind it", `n,,n=user,r=${NONCE}\n`],
    ["that is nothing", ""],
  ])("%s", (_, message) => expectBadPayload(() => scram.parseClientFirst(message)));
});

describe("a challenge is refused", () => {
  test.each([
    ["without salt", `r=${NONCE},i=4096`],
    ["with an empty salt", `r=${NONCE},s=,i=4096`],
    ["with a salt that is not base64", `r=${NONCE},s=*,i=4096`],
    ["with a salt that is cut", `r=${NONCE},s=A,i=4096`],
    ["with no count", `r=${NONCE},s=AAAA,i=`],
    ["with count 0", `r=${NONCE},s=AAAA,i=0`],
    ["with a count that is negative", `r=${NONCE},s=AAAA,i=-1`],
    ["with a count in another notation", `r=${NONCE},s=AAAA,i=4e3`],
    ["with a count of ten digits", `r=${NONCE},s=AAAA,i=1000000000`],
    ["with an extension it must not ignore", `m=x,r=${NONCE},s=AAAA,i=4096`],
    ["that is an error message", "e=other-error"],
  ])("%s", (_, message) => expectBadPayload(() => scram.parseServerFirst(message)));
});

describe("the last messages are refused", () => {
  test.each([
    ["without proof", `c=biws,r=${NONCE}`],
    ["with an empty proof", `c=biws,r=${NONCE},p=`],
    ["with a proof that is cut", `c=biws,r=${NONCE},p=A`],
    ["without binding", `r=${NONCE},p=AAAA`],
    ["with something behind the proof", `c=biws,r=${NONCE},p=AAAA,x=1`],
  ])("of the client, %s", (_, message) => expectBadPayload(() => scram.parseClientFinal(message)));

  test.each([
    ["an error", "e=invalid-proof"],
    ["an empty signature", "v="],
    ["a signature that is cut", "v=A"],
  ])("of the server: %s", (_, message) => expectBadPayload(() => scram.parseServerFinal(message)));
});

describe.each(READERS)("reading %s message", (_, read) => {
  test("any text is read or is BAD_PAYLOAD, and nothing else", () => {
    const letters = fc.constantFrom(..."nprscive=,AZaz09+/ %~é\n\u0000");
    const any = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: letters, maxLength: 60 }));
    const near = fc
      .tuple(fc.constantFrom(FIRST, CHALLENGE, FINAL, SIGNATURE), fc.nat(120), fc.nat(3), fc.string({ maxLength: 3 }))
      .map(([text, at, cut, put]) => text.slice(0, at) + put + text.slice(at + cut));
    fc.assert(
      fc.property(fc.oneof(any, near), (message) => {
        try {
          read(message);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(ProtocolError);
          expect(thrown).toMatchObject({ code: "BAD_PAYLOAD" });
        }
      }),
      { numRuns: 500 },
    );
  });

  test("does not show the message that it refuses", () => {
    const secret = "c2VjcmV0LXByb29m";
    expect(() => read(`x=${secret}`)).not.toThrow(
      expect.objectContaining({ message: expect.stringContaining(secret) }),
    );
    expectBadPayload(() => read(`x=${secret}`));
  });
});

test("names of tokens are 1 to 64 letters, digits and . _ - after a letter or digit", () => {
  for (const name of ["a", "9", "A.b_c-d", "a".repeat(64)]) expect(scram.isTokenName(name)).toBe(true);
  for (const name of ["", ".a", "-a", "_a", "a b", "a:b", "a,b", "a=b", "é", "a".repeat(65), "a\n", "a/b"]) {
    expect(scram.isTokenName(name)).toBe(false);
  }
});
