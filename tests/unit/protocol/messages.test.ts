import { describe, expect, test } from "bun:test";
import type * as v from "valibot";
import { MAX_CREDIT, MAX_REASON_BYTES } from "../../../lib/protocol/constants.ts";
import { decodeJson, encodeJson } from "../../../lib/protocol/json.ts";
import {
  encodeReason,
  Hello,
  Open,
  Queued,
  Reason,
  Refuse,
  Result,
  reasonOfWire,
  Welcome,
  wireOfReason,
} from "../../../lib/protocol/messages.ts";
import { protocolFault } from "../../support/outcomes.ts";

const hello = { versions: { min: 1, max: 1 }, agent: "a", credit: 1, maxStreams: 1 };
const welcome = { version: 1, name: "Client01", role: "read", agent: "a", credit: 1, maxStreams: 1 };
const reason = { code: 7, message: "m" };

const faultOf = (schema: v.GenericSchema, value: unknown) =>
  protocolFault(() => decodeJson(schema, encodeJson(value), "A test"));
const x = (length: number) => "x".repeat(length);

describe("the payload schemas", () => {
  test("Hello fills the optional members", () => {
    expect(decodeJson(Hello, encodeJson(hello), "HELLO")).toEqual({ ...hello, capabilities: [], wait: false });
  });

  test("Open fills the optional params", () => {
    expect(decodeJson(Open, encodeJson({ method: "quit" }), "OPEN")).toEqual({ method: "quit", params: {} });
  });

  const valid: [string, v.GenericSchema, unknown][] = [
    ["the longest agent", Hello, { ...hello, agent: x(128) }],
    ["the largest credit", Hello, { ...hello, credit: MAX_CREDIT }],
    ["no credit at all", Hello, { ...hello, credit: 0 }],
    ["32 capabilities", Hello, { ...hello, capabilities: Array(32).fill(x(128)) }],
    ["an unknown member", Hello, { ...hello, later: 1 }],
    ["an operator", Welcome, { ...welcome, role: "operator" }],
    ["the first place", Queued, { position: 1 }],
    ["an ordinary end", Reason, { code: 0, message: "" }],
    ["a code of a later version", Reason, { code: 9_999, message: x(1_024) }],
    ["a refusal with versions", Refuse, { ...reason, versions: { min: 2, max: 3 } }],
    ["the longest method", Open, { method: x(64) }],
    ["an empty result", Result, {}],
  ];
  test.each(valid)("accept %s", (_what, schema, value) => {
    expect(faultOf(schema, value)).toBeUndefined();
  });

  const invalid: [string, v.GenericSchema, unknown][] = [
    ["an agent that is too long", Hello, { ...hello, agent: x(129) }],
    ["no versions", Hello, { ...hello, versions: undefined }],
    ["half a range of versions", Hello, { ...hello, versions: { min: 1 } }],
    ["33 capabilities", Hello, { ...hello, capabilities: Array(33).fill("a") }],
    ["a capability that is too long", Hello, { ...hello, capabilities: [x(129)] }],
    ["a credit above the largest", Hello, { ...hello, credit: MAX_CREDIT + 1 }],
    ["a negative credit", Hello, { ...hello, credit: -1 }],
    ["a credit that is no whole number", Hello, { ...hello, credit: 1.5 }],
    ["maxStreams 0", Hello, { ...hello, maxStreams: 0 }],
    ["a wait that is no boolean", Hello, { ...hello, wait: 1 }],
    ["an unknown role", Welcome, { ...welcome, role: "root" }],
    ["a name that is too long", Welcome, { ...welcome, name: x(129) }],
    ["a version that is no number", Welcome, { ...welcome, version: "1" }],
    ["place 0", Queued, { position: 0 }],
    ["a negative code", Reason, { ...reason, code: -1 }],
    ["a message that is too long", Reason, { ...reason, message: x(1_025) }],
    ["a refusal without a message", Refuse, { code: 12 }],
    ["a method without a name", Open, { method: "" }],
    ["a method that is too long", Open, { method: x(65) }],
    ["params that are no object", Open, { method: "m", params: "p" }],
    ["params that are null", Open, { method: "m", params: null }],
    ["a result that is null", Result, null],
    ["a result that is text", Result, "{}"],
  ];
  test.each(invalid)("reject %s", (_what, schema, value) => {
    expect(faultOf(schema, value)).toBe("BAD_PAYLOAD");
  });

  // PROTOCOL.md, "Payloads": one object.
  test("reject params that are a list", () => {
    expect(faultOf(Open, { method: "m", params: [1] })).toBe("BAD_PAYLOAD");
  });

  test("reject a result that is a list", () => {
    expect(faultOf(Result, [1])).toBe("BAD_PAYLOAD");
  });
});

describe("wireOfReason() and reasonOfWire()", () => {
  test("give 0 to an ordinary end, both ways", () => {
    expect(wireOfReason("OK")).toBe(0);
    expect(reasonOfWire(0)).toBe("OK");
  });

  test("keep a code that travels", () => {
    expect(reasonOfWire(wireOfReason("NOT_FOUND"))).toBe("NOT_FOUND");
  });

  test("tell the peer INTERNAL of what is local", () => {
    expect(reasonOfWire(wireOfReason("DISK_FULL"))).toBe("INTERNAL");
    expect(reasonOfWire(wireOfReason("UNEXPECTED"))).toBe("INTERNAL");
  });

  test("read an unknown number as UNAVAILABLE", () => {
    expect(reasonOfWire(9_999)).toBe("UNAVAILABLE");
  });
});

describe("encodeReason()", () => {
  const read = (message: string) => decodeJson(Reason, encodeReason("NOT_FOUND", message), "RESET");

  test("keeps code and message", () => {
    expect(read("gone")).toEqual({ code: 34, message: "gone" });
  });

  test("cuts a message that is too long, so that the peer takes it", () => {
    expect(read(x(5_000)).message).toBe(x(1_024));
  });

  test("cuts no character in half: that would end the session of its reader", () => {
    expect(read(`${x(1_023)}😀`).message).toBe(`${x(1_023)}\ufffd`);
  });

  test.each([
    ["Latin", "x"],
    ["Chinese", "中"],
    ["quotes", '"'],
  ])("fits a RESET for a long message of %s", (_script, character) => {
    const payload = encodeReason("BAD_PARAMS", character.repeat(2_000));
    expect(payload.length).toBeLessThanOrEqual(MAX_REASON_BYTES);
    expect(protocolFault(() => decodeJson(Reason, payload, "RESET"))).toBeUndefined();
  });

  test("fits a RESET for a long message of control characters, which JSON escapes", () => {
    expect(encodeReason("BAD_PARAMS", "\u0001".repeat(2_000)).length).toBeLessThanOrEqual(MAX_REASON_BYTES);
  });
});
