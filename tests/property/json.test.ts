import { expect, test } from "bun:test";
import fc from "fast-check";
import * as v from "valibot";
import { MAX_JSON_DEPTH } from "../../lib/protocol/constants.ts";
import { decodeJson, encodeJson, JsonObject } from "../../lib/protocol/json.ts";
import { decodeRecords, encodeRecord } from "../../lib/protocol/records.ts";
import { payloadObject as anyObject, cutAt, cuts } from "../support/arbitraries.ts";
import { utf8 } from "../support/bytes.ts";
import { protocolFault } from "../support/outcomes.ts";
import { parseStrictJson } from "../support/strict-json.ts";

/** Whatever a platform calls JSON. */
const anyJson = fc.jsonValue({ maxDepth: 8, stringUnit: "binary" });
const decode = (payload: Uint8Array) => decodeJson(JsonObject, payload, "A test");

test("decodeJson() gives back every object that encodeJson() wrote", () => {
  fc.assert(
    fc.property(anyObject, (value) => {
      expect(JSON.stringify(decode(encodeJson(value)))).toBe(JSON.stringify(value));
    }),
    { numRuns: 500 },
  );
});

test("decodeJson() takes any nesting up to the limit, and none above, whatever stands in between", () => {
  const level = fc.constantFrom("list", "object", "later in a list", "behind a string with brackets");
  fc.assert(
    fc.property(fc.array(level, { minLength: MAX_JSON_DEPTH - 4, maxLength: MAX_JSON_DEPTH + 2 }), (levels) => {
      const text = levels.reduceRight((inner, kind) => {
        if (kind === "list") return `[${inner}]`;
        if (kind === "object") return `{"a":${inner}}`;
        if (kind === "later in a list") return `[{},[],${inner},[]]`;
        return `{"[{\\"[":"]}\\\\","b":${inner}}`;
      }, "1");
      const deeper = levels.at(-1) === "later in a list" ? 1 : 0;
      const fault = protocolFault(() => decode(utf8(`{"outermost":${text}}`)));
      expect(fault).toBe(levels.length + deeper + 1 > MAX_JSON_DEPTH ? "BAD_PAYLOAD" : undefined);
    }),
    { numRuns: 300 },
  );
});

test("decodeJson() takes exactly the objects that PROTOCOL.md allows, and throws only ProtocolErrors", () => {
  const nearJson = fc.tuple(fc.oneof(anyObject, anyJson), fc.nat(), fc.nat(255)).map(([value, at, byte]) => {
    const bytes = Buffer.from(JSON.stringify(value));
    bytes[at % bytes.length] = byte;
    return bytes;
  });
  const name = fc.constantFrom('"a"', '"b"', '"\\u0061"', '"\\ud83d"', '"\\ud83d\\ude00"', '"__proto__"', "1");
  const plain = fc.constantFrom("0", "12", "-1", "1.5", "1e2", '"a:b"', '"\\"', "true", "null", "{}", "[1,{}]", "{:}");
  const member = fc.tuple(name, plain).map(([key, value]) => `${key}:${value}`);
  const object = fc.array(member, { maxLength: 4 }).map((members) => `{${members.join(",")}}`);
  const nearer = fc
    .tuple(object, object)
    .map(([a, b]) => utf8(`${a.slice(0, -1)}${a === "{}" ? "" : ","}"in":[${b}]}`));
  let [valid, invalid] = [0, 0];
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 30 }), nearJson, nearer), (bytes) => {
      const fault = protocolFault(() => decode(bytes));
      // A naive check of UTF-8: decoding and encoding again changes nothing.
      const text = Buffer.from(bytes).toString();
      let parses = Buffer.from(text).equals(bytes);
      try {
        const value = parseStrictJson(text);
        parses &&= value !== null && typeof value === "object" && !Array.isArray(value);
      } catch {
        parses = false;
      }
      expect(fault).toBe(parses ? undefined : "BAD_PAYLOAD");
      if (parses) valid++;
      else invalid++;
    }),
    { numRuns: 3_000 },
  );
  expect(Math.min(valid, invalid)).toBeGreaterThan(0);
});

test("decodeRecords() gives back every record, however the body is split", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyObject, { maxLength: 10 }), cuts, async (values, places) => {
      const body = Buffer.concat(values.map(encodeRecord));
      async function* split() {
        if (body.length > 0) yield* cutAt(body, places);
      }
      const records = await Array.fromAsync(decodeRecords(JsonObject, split()));
      expect(JSON.stringify(records)).toBe(JSON.stringify(values));
    }),
    { numRuns: 200 },
  );
});

test("decodeRecords() takes lines together exactly when it takes each by itself, with the same values", async () => {
  const whole = fc.constantFrom("{}", '{"a":1}', '{"a":"\\n"}', '{"é":[{},"]"]}', '[1,{"b":2}]', "1", '"x"', "null");
  // Pieces that are JSON only together with others, or make two values of one line.
  const broken = fc.constantFrom(
    '{"a":1',
    '"b":2}',
    "1,2",
    "{},{}",
    "[",
    "]",
    "],[",
    '"a',
    'b"',
    '\\"',
    "",
    "}{",
    "//",
  );
  const odd = fc.constantFrom('{"a":1,"a":2}', "-1", '"\\ud83d"', '"\\ud83d\\udc', "{:}", "é", "\ufeff1");
  const line = fc.oneof({ weight: 6, arbitrary: whole }, { weight: 2, arbitrary: broken }, odd);
  const read = async (lines: readonly string[]): Promise<unknown[] | string> => {
    const body = async function* () {
      yield utf8(lines.map((each) => `${each}\n`).join(""));
    };
    return Array.fromAsync(decodeRecords(v.unknown(), body())).catch((thrown) => thrown.code);
  };
  let [valid, invalid] = [0, 0];
  await fc.assert(
    fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 6 }), async (lines) => {
      const alone = await Promise.all(lines.map((each) => read([each])));
      const isValid = alone.every((each) => typeof each !== "string");
      expect(await read(lines)).toEqual(isValid ? alone.flat(1) : "BAD_PAYLOAD");
      if (isValid) valid++;
      else invalid++;
    }),
    { numRuns: 1_000 },
  );
  expect(Math.min(valid, invalid)).toBeGreaterThan(100);
});
