import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { CommError } from "../../../lib/errors.ts";
import { formatInvite, type Invite, parseInvite } from "../../../lib/protocol/invite.ts";

const INVITE: Invite = {
  label: "lab",
  addresses: ["192.0.2.7:5050", "[2001:db8::7]:5050"],
  identity: `SHA256:${"Ab+/".repeat(10)}Cde`,
  token: { name: "laptop", secret: "sEcReT-_".repeat(6).slice(0, 43) },
};
const LINE = formatInvite(INVITE);
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** An invite of this content as PROTOCOL.md describes it, written a second time. */
function lineOf(content: unknown): string {
  const json = Buffer.from(typeof content === "string" ? content : JSON.stringify(content));
  let digest = 0x811c9dc5n;
  for (const byte of json) digest = ((digest ^ BigInt(byte)) * 0x01000193n) & 0xffffffffn;
  const check = Buffer.alloc(4);
  check.writeUInt32BE(Number(digest));
  return `csinvite1_${Buffer.concat([json, check]).toString("base64url")}`;
}

const CONTENT = { n: "lab", a: ["192.0.2.7:5050"], i: null, t: `laptop:${INVITE.token.secret}` };

function expectRefused(line: string): void {
  let thrown: unknown;
  try {
    parseInvite(line);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toMatchObject({ code: "MALFORMED" });
  const { message, cause } = thrown as CommError;
  expect(cause).toBeUndefined();
  expect(message).not.toContain(line.slice(12, 40) || "\u0000");
  expect(message).not.toContain(INVITE.token.secret.slice(0, 10));
}

describe("an invite", () => {
  test("has at most 8,192 characters", () => {
    const addresses = (character: string) => Array.from({ length: 16 }, () => character.repeat(300));
    const [longest, tooLong] = [addresses("a"), addresses("ü")].map((a) => lineOf({ ...CONTENT, a })) as [
      string,
      string,
    ];
    expect([longest.length <= 8_192, tooLong.length > 8_192]).toEqual([true, true]);
    expect(parseInvite(longest).addresses).toHaveLength(16);
    expectRefused(tooLong);
  });

  test.each([INVITE.identity, "authority", null])("goes there and back with the identity %p", (identity) => {
    expect(parseInvite(formatInvite({ ...INVITE, identity }))).toEqual({ ...INVITE, identity });
  });

  test("is as the page says: prefix, base64url of JSON and FNV-1a, no padding", () => {
    const { label: n, addresses: a, identity: i } = INVITE;
    expect(LINE).toBe(lineOf({ n, a, i, t: `laptop:${INVITE.token.secret}` }));
    expect(LINE).toMatch(/^csinvite1_[A-Za-z0-9_-]+$/);
  });

  test("may have space around it", () => {
    expect(parseInvite(`\n  ${LINE} \r\n`)).toEqual(INVITE);
  });

  test("of a later version may have members that are not known", () => {
    expect(parseInvite(lineOf({ ...CONTENT, z: 1 })).label).toBe("lab");
  });

  test("carries names in any script", () => {
    const label = "Werkstatt Süd 🛠";
    expect(parseInvite(formatInvite({ ...INVITE, label })).label).toBe(label);
  });
});

describe("a damaged invite is refused and not shown", () => {
  test("with any single character changed", () => {
    const change = fc.record({ at: fc.nat(LINE.length - 1), to: fc.constantFrom(...`${ALPHABET} +/=.é`) });
    fc.assert(
      fc.property(change, ({ at, to }) => {
        fc.pre(LINE[at] !== to);
        // A last letter may differ in bits that base64 does not use: it is the same invite then.
        const line = LINE.slice(0, at) + to + LINE.slice(at + 1);
        fc.pre(line.trim().length === LINE.length && !isSameBytes(line));
        expectRefused(line);
      }),
      { numRuns: 1_000 },
    );
  });

  test("cut anywhere", () => {
    for (let length = 0; length < LINE.length; length++) expectRefused(LINE.slice(0, length));
  });

  test("with two letters swapped, or one twice", () => {
    for (let at = 10; at < LINE.length - 1; at++) {
      const [a, b] = [LINE[at] as string, LINE[at + 1] as string];
      if (a !== b) expectRefused(LINE.slice(0, at) + b + a + LINE.slice(at + 2));
      expectRefused(LINE.slice(0, at) + a + LINE.slice(at));
    }
  });

  test.each([
    ["nothing", ""],
    ["the prefix alone", "csinvite1_"],
    ["another version", LINE.replace("csinvite1_", "csinvite2_")],
    ["a token instead", `laptop:${INVITE.token.secret}`],
    ["8 KiB and more", `csinvite1_${"A".repeat(8 * 1024)}`],
    ["JSON that is none", lineOf("{")],
    ["JSON that is no object", lineOf("[]")],
    ["no address", lineOf({ ...CONTENT, a: [] })],
    ["17 addresses", lineOf({ ...CONTENT, a: Array(17).fill("h:1") })],
    ["no identity member", lineOf({ n: CONTENT.n, a: CONTENT.a, t: CONTENT.t })],
    ["an identity that is no fingerprint", lineOf({ ...CONTENT, i: "SHA256:short" })],
    ["an identity named twice", lineOf(`${JSON.stringify(CONTENT).slice(0, -1)},"i":"${INVITE.identity}"}`)],
    ["an empty name", lineOf({ ...CONTENT, n: "" })],
    ["a token that is none", lineOf({ ...CONTENT, t: "laptop:short" })],
  ])("with %s", (_, line) => expectRefused(line));

  test("any text is read or refused as malformed", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json().map(lineOf),
          fc.base64String().map((text) => `csinvite1_${text}`),
        ),
        (line) => {
          try {
            parseInvite(line);
          } catch (thrown) {
            expect(thrown).toMatchObject({ code: "MALFORMED" });
          }
        },
      ),
    );
  });
});

function isSameBytes(line: string): boolean {
  const bytes = (text: string) => Buffer.from(text.slice("csinvite1_".length), "base64url").toString("hex");
  return line.startsWith("csinvite1_") && /^[\w+/-]+$/.test(line) && bytes(line) === bytes(LINE);
}
