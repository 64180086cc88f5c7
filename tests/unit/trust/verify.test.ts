import { describe, expect, test } from "bun:test";
import type { TlsPeer } from "../../../lib/transport/tls.ts";
import type { Target } from "../../../lib/trust/target.ts";
import { trustIn, UnknownIdentity } from "../../../lib/trust/verify.ts";

const PINNED = `SHA256:${"A".repeat(43)}`;
const OTHER = `SHA256:${"B".repeat(43)}`;
const FAULT = "self signed certificate";

/** What comes of it: "in", or the code; and what was told to be remembered. */
function judge(
  target: Partial<Target>,
  peer: TlsPeer,
  acceptNew = false,
): { outcome: string; trusted: string[]; message: string } {
  const trusted: string[] = [];
  const whole: Target = {
    name: "lab",
    addresses: [],
    identity: undefined,
    token: undefined,
    ca: undefined,
    isPlaintext: false,
    isKnown: false,
    exposedToken: undefined,
    isLocal: false,
    ...target,
  };
  try {
    trustIn(whole, { acceptNew, onTrusted: (identity) => trusted.push(identity) }).verify(peer);
    return { outcome: "in", trusted, message: "" };
  } catch (thrown) {
    const { code, message } = thrown as UnknownIdentity;
    return { outcome: code, trusted, message };
  }
}

describe("a server that is known by its fingerprint", () => {
  test("is let in, whatever is wrong with its names and dates", () => {
    expect(judge({ identity: PINNED }, { fingerprint: PINNED, fault: FAULT })).toMatchObject({
      outcome: "in",
      trusted: [],
    });
  });

  test.each([
    ["by itself", FAULT],
    ["by an authority", undefined],
  ])("is refused with another one, signed %s, and both are shown", (_, fault) => {
    const { outcome, message, trusted } = judge({ identity: PINNED }, { fingerprint: OTHER, fault });
    expect({ outcome, trusted }).toEqual({ outcome: "WRONG_IDENTITY", trusted: [] });
    expect(message).toContain(PINNED);
    expect(message).toContain(OTHER);
  });
});

describe("a server that an authority vouched for", () => {
  test("is let in when one still does, with another certificate as well", () => {
    expect(judge({ identity: "authority" }, { fingerprint: OTHER, fault: undefined }).outcome).toBe("in");
  });

  test("is refused when none does any more", () => {
    const { outcome, message } = judge({ identity: "authority" }, { fingerprint: OTHER, fault: FAULT });
    expect(outcome).toBe("WRONG_IDENTITY");
    expect(message).toContain(FAULT);
  });
});

describe("a server that nothing is known of", () => {
  test("is reported with its fingerprint", () => {
    const { outcome, message, trusted } = judge({}, { fingerprint: OTHER, fault: FAULT });
    expect({ outcome, trusted }).toEqual({ outcome: "UNKNOWN_IDENTITY", trusted: [] });
    expect(message).toContain(OTHER);
  });

  test("is let in when an authority vouches for it, and remembered as such", () => {
    expect(judge({}, { fingerprint: OTHER, fault: undefined })).toMatchObject({
      outcome: "in",
      trusted: ["authority"],
    });
  });
});

describe("--accept-new", () => {
  test("takes and remembers a server that nothing is known of", () => {
    const peer = { fingerprint: OTHER, fault: FAULT };
    expect(judge({}, peer, true)).toMatchObject({ outcome: "in", trusted: [OTHER] });
  });

  test.each([PINNED, "authority"])("takes no other than the one that is known: %s", (identity) => {
    const peer = { fingerprint: OTHER, fault: FAULT };
    expect(judge({ identity }, peer, true)).toMatchObject({ outcome: "WRONG_IDENTITY", trusted: [] });
  });

  test("takes none that the authorities of one's own do not vouch for", () => {
    const peer = { fingerprint: OTHER, fault: FAULT };
    expect(judge({ ca: "PEM" }, peer, true)).toMatchObject({ outcome: "WRONG_IDENTITY", trusted: [] });
  });
});

describe("with authorities of one's own", () => {
  test.each([undefined, PINNED, "authority"])("nothing else will do, whatever is known: %p", (identity) => {
    const ca = "PEM";
    expect(judge({ ca, identity }, { fingerprint: PINNED, fault: FAULT }).outcome).toBe("WRONG_IDENTITY");
    const { outcome, trusted } = judge({ ca, identity }, { fingerprint: OTHER, fault: undefined });
    expect({ outcome, trusted }).toEqual({ outcome: "in", trusted: [] });
  });
});

test("what is thrown can be told apart and asked for its fingerprint", () => {
  expect(new UnknownIdentity("lab", OTHER).fingerprint).toBe(OTHER);
});
