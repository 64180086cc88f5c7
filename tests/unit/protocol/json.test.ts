import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { ProtocolError } from "../../../lib/errors.ts";
import { MAX_JSON_DEPTH } from "../../../lib/protocol/constants.ts";
import { checkShape, decodeJson, encodeJson, JsonObject } from "../../../lib/protocol/json.ts";
import { utf8 } from "../../support/bytes.ts";
import { codeOf } from "../../support/fault.ts";
import { protocolFault } from "../../support/outcomes.ts";

const Point = v.object({ x: v.number(), label: v.optional(v.string(), "none") });
const faultOf = (payload: Uint8Array, schema: v.GenericSchema = JsonObject) =>
  protocolFault(() => decodeJson(schema, payload, "A test"));

const nested = (depth: number) => utf8(`{"a":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`);

describe("decodeJson()", () => {
  test("reads an object of the right shape and fills what is optional", () => {
    expect(decodeJson(Point, utf8('{"x":15}'), "A point")).toEqual({ x: 15, label: "none" });
  });

  test("ignores unknown members", () => {
    expect(decodeJson(Point, utf8('{"later":{"deep":[1]},"x":1,"label":"a"}'), "A point")).toEqual({
      x: 1,
      label: "a",
    });
  });

  test.each([
    ["a member that is missing", "{}"],
    ["a member of the wrong kind", '{"x":"1"}'],
    ["null for a number", '{"x":null}'],
  ])("rejects %s as BAD_PAYLOAD", (_what, text) => {
    expect(faultOf(utf8(text), Point)).toBe("BAD_PAYLOAD");
  });

  test.each(["1", '"a"', "true", "null", "[]", "[{}]", '[{"x":1}]'])(
    "rejects %s, that is no object, as BAD_PAYLOAD",
    (text) => {
      expect(faultOf(utf8(text))).toBe("BAD_PAYLOAD");
      expect(faultOf(utf8(text), Point)).toBe("BAD_PAYLOAD");
    },
  );

  test.each([
    ["no bytes", ""],
    ["text that is not JSON", "hello"],
    ["JSON that is cut off", '{"x":1'],
    ["bytes behind the JSON", '{"x":1}}'],
    ["two values", "{}{}"],
    ["a byte order mark", '\ufeff{"x":1}'],
    ["NaN", '{"x":NaN}'],
    ["a comma too many", '{"x":1,}'],
    ["a control character in a string", '{"x":"\n"}'],
  ])("rejects %s as BAD_PAYLOAD", (_what, text) => {
    expect(faultOf(utf8(text))).toBe("BAD_PAYLOAD");
  });

  test.each([
    ["a stray continuation byte", "7b2261223a2280227d"],
    ["a sequence that is cut off", "7b2261223a22c3227d"],
    ["an overlong slash", "7b2261223a22c0af227d"],
    ["a surrogate in three bytes", "7b2261223a22eda080227d"],
    ["a byte that UTF-8 never has", "7b2261223a22ff227d"],
  ])("rejects %s in UTF-8 as BAD_PAYLOAD and keeps the cause", (_what, hex) => {
    const payload = Buffer.from(hex, "hex");
    expect(faultOf(payload)).toBe("BAD_PAYLOAD");
    try {
      decodeJson(JsonObject, payload, "A test");
    } catch (error) {
      expect((error as ProtocolError).cause).toBeInstanceOf(Error);
    }
  });

  test.each([
    ["twice with the same value", '{"x":1,"x":1}'],
    ["twice, the first time of another kind", '{"x":{"y":2},"x":1}'],
    ["twice, once with an escape in its name", '{"x":1,"\\u0078":1}'],
    ["twice, and it is no name that is known", '{"x":1,"later":1,"later":2}'],
    ["twice, deep in a member that is not known", '{"x":1,"later":[[{"a":{"b":1,"b":2}}]]}'],
    ["twice in an object that is itself named twice", '{"x":1,"a":{"b":1,"b":2},"a":{}}'],
    ["twice, the empty name", '{"x":1,"":1,"":2}'],
    ["twice, the name of the prototype", '{"x":1,"__proto__":1,"__proto__":2}'],
  ])("rejects a member that is named %s", (_what, text) => {
    expect(faultOf(utf8(text), Point)).toBe("BAD_PAYLOAD");
    expect(() => decodeJson(Point, utf8(text), "A test")).toThrow("A test names a member twice.");
  });

  test.each(['{"x":1,"X":2,"x ":3}', '{"x":1,"a":{"x":2},"b":[{"x":3},{"x":4}]}', '{"x":1,"a":"{\\"x\\":1,:::"}'])(
    "takes %s, in which no object names a member twice",
    (text) => {
      expect(faultOf(utf8(text), Point)).toBeUndefined();
    },
  );

  test.each(["-1", "-0", "1.0", "1.5", "1e3", "1E3", "1e+3", "10e-1"])(
    "rejects the number %s, which parsers may read differently, wherever it stands",
    (number) => {
      for (const text of [`{"x":${number}}`, `{"x":1,"later":[true,${number}]}`]) {
        expect(() => decodeJson(Point, utf8(text), "A test")).toThrow("not written in digits alone");
      }
    },
  );

  test("takes digits, and the letters of true, false and null", () => {
    expect(faultOf(utf8('{"x":0,"y":[true,false,null,9007199254740991],"z":"-1.5e+3"}'), Point)).toBeUndefined();
  });

  test.each(["\\ud800", "\\uDFFF", "a\\uD83Db", "\\uD83D\\uD83D\\uDE00", "\\ude00\\ud83d", "\\ud83d\\n", "\\ud83d"])(
    "rejects the text %s, half a surrogate pair, in a value and in a name",
    (half) => {
      for (const text of [`{"x":1,"a":"${half}"}`, `{"x":1,"${half}":1}`, `{"x":1,"a":"\\\\${half}"}`]) {
        expect(() => decodeJson(Point, utf8(text), "A test")).toThrow("half a surrogate pair");
      }
    },
  );

  test("takes a whole pair, and an escaped backslash before letters that look like an escape", () => {
    expect(decodeJson(JsonObject, utf8('{"a":"\\uD83D\\ude00 \\u00e9 \\\\ud800"}'), "A test")).toEqual({
      a: "😀 é \\ud800",
    });
  });

  test("accepts the deepest nesting and rejects the next", () => {
    expect(faultOf(nested(MAX_JSON_DEPTH))).toBeUndefined();
    expect(faultOf(nested(MAX_JSON_DEPTH + 1))).toBe("BAD_PAYLOAD");
  });

  test("counts objects and lists alike", () => {
    const mixed = (depth: number) => utf8(`${'{"a":['.repeat(depth / 2)}1${"]}".repeat(depth / 2)}`);
    expect(faultOf(mixed(MAX_JSON_DEPTH))).toBeUndefined();
    expect(faultOf(mixed(MAX_JSON_DEPTH + 2))).toBe("BAD_PAYLOAD");
  });

  test("counts depth and not the number of brackets", () => {
    expect(faultOf(utf8(`{"a":[${"[],".repeat(5_000)}{}]}`))).toBeUndefined();
  });

  test("counts no brackets inside strings, also after an escaped quote or backslash", () => {
    expect(faultOf(utf8(`{"a":"${"[{".repeat(100)}"}`))).toBeUndefined();
    expect(faultOf(utf8(`{"a":"\\"${"[".repeat(100)}"}`))).toBeUndefined();
    expect(faultOf(utf8(`{"a":"\\\\","b":${"[".repeat(40)}${"]".repeat(40)}}`))).toBe("BAD_PAYLOAD");
  });

  test("rejects brackets without end before they reach the parser", () => {
    const error = (() => {
      try {
        decodeJson(JsonObject, utf8("[".repeat(65_536)), "A test");
      } catch (thrown) {
        return thrown;
      }
      return undefined;
    })();
    expect(error).toBeInstanceOf(ProtocolError);
    expect((error as Error).message).toContain(`deeper than ${MAX_JSON_DEPTH}`);
  });

  test("names the payload and the member in the message", () => {
    expect(() => decodeJson(v.object({ a: Point }), utf8('{"a":{"x":true}}'), "A test")).toThrow(/^A test .*a\.x: /);
  });

  test("sets no prototype from a member", () => {
    const value = decodeJson(JsonObject, utf8('{"__proto__":{"admin":true}}'), "A test");
    expect((value as { admin?: boolean }).admin).toBeUndefined();
  });
});

describe("checkShape()", () => {
  test("returns the value and rejects another shape as BAD_PAYLOAD", () => {
    expect(checkShape(Point, { x: 2 }, "A point")).toEqual({ x: 2, label: "none" });
    expect(protocolFault(() => checkShape(Point, { x: "2" }, "A point"))).toBe("BAD_PAYLOAD");
  });
});

describe("encodeJson()", () => {
  test("writes UTF-8 without a byte order mark", () => {
    expect(Buffer.from(encodeJson({ a: "é😀" })).toString("hex")).toBe(Buffer.from('{"a":"é😀"}').toString("hex"));
  });

  test("writes no half of a surrogate pair, which every peer would refuse", async () => {
    for (const half of ["cut 😀".slice(0, -1), "\udc00", "\\\ud800"]) {
      expect(await codeOf(() => encodeJson({ a: [{ b: half }] }))).toBe("BAD_PARAMS");
    }
    const value = { a: "whole 😀, \\ud800" };
    expect(decodeJson(JsonObject, encodeJson(value), "A test")).toEqual(value);
  });
});
