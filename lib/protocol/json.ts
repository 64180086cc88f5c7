import * as v from "valibot";
import { ProtocolError, StreamError } from "../errors.ts";
import { MAX_JSON_DEPTH } from "./constants.ts";

const encoder = new TextEncoder();
// "A payload MUST NOT have a byte order mark." (PROTOCOL.md, "Payloads")
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const LINE_FEED = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const LOWER_U = 0x75;
const ZERO = 0x30;
const EIGHT = 0x38;
const NINE = 0x39;
const LOWER_A = 0x61;
const LOWER_B = 0x62;
const LOWER_C = 0x63;
const LOWER_D = 0x64;
const LOWER_F = 0x66;

/** Any JSON object; valibot's own records and objects let arrays pass. */
export const JsonObject = v.custom<Record<string, unknown>>(isObject, "not an object");

/** A payload in UTF-8. @throws as jsonText() */
export function encodeJson(value: unknown): Uint8Array {
  return encoder.encode(jsonText(value));
}

/**
 * The JSON of a payload or record.
 *
 * @throws StreamError BAD_PARAMS for text with half a surrogate pair: no peer accepts it, and without it a path is
 * another one
 */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value);
  // JSON.stringify() escapes half a pair; the text's own backslash would be doubled, so this only finds candidates.
  if (text.includes("\\ud")) JSON.stringify(value, requireText);
  return text;
}

function requireText(_name: string, member: unknown): unknown {
  if (typeof member !== "string" || member.isWellFormed()) return member;
  throw new StreamError(
    "BAD_PARAMS",
    `${JSON.stringify(member.slice(0, 200))} has half a surrogate pair, which is no text.`,
  );
}

/**
 * Read a JSON payload and check it against `schema`; `what` names it in the error. JSON that parsers read differently
 * is refused: a member named twice, half a surrogate pair, a number that is not written in digits alone. Source:
 * PROTOCOL.md, "Payloads".
 *
 * @throws ProtocolError BAD_PAYLOAD when it is not UTF-8, not such JSON, too deep, or has the wrong shape
 */
export function decodeJson<S extends v.GenericSchema>(schema: S, payload: Uint8Array, what: string): v.InferOutput<S> {
  return checkShape(schema, parseJson(payload, what), what);
}

/**
 * Check a value that was read from JSON.
 *
 * @throws ProtocolError BAD_PAYLOAD when it has the wrong shape
 */
export function checkShape<S extends v.GenericSchema>(schema: S, value: unknown, what: string): v.InferOutput<S> {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  throw new ProtocolError("BAD_PAYLOAD", `${what} has the wrong shape: ${describe(result.issues[0])}.`);
}

/**
 * As decodeJson(), for many values at once, each on a line of its own, of less than `maxBytes`; `bytes` ends with a line
 * feed. undefined when it can't vouch for every line: then decodeJson() says of one what is wrong.
 *
 * @throws as decodeJson()
 */
export function decodeJsonLines<S extends v.GenericSchema>(
  schema: S,
  bytes: Uint8Array,
  what: string,
  maxBytes: number,
): v.InferOutput<S>[] | undefined {
  let members = 0;
  let lines = 0;
  for (let start = 0; start < bytes.length; lines++) {
    const end = bytes.indexOf(LINE_FEED, start);
    if (end - start >= maxBytes) return undefined;
    members += countMembers(bytes, what, start, end);
    start = end + 1;
  }
  // What a line opens it also closes, so the line feeds are between values, if it is JSON at all.
  const values = parseText(`[${decodeText(bytes.subarray(0, -1), what).replaceAll("\n", ",")}]`, what);
  // A line with a comma between values would be more than one of them.
  if (!Array.isArray(values) || values.length !== lines || membersOf(values) !== members) return undefined;
  const checked: v.InferOutput<S>[] = [];
  for (const value of values) checked.push(checkShape(schema, value, what));
  return checked;
}

/** One issue in words, after the field's name. */
export function describe(issue: v.GenericIssue): string {
  const field = v.getDotPath(issue);
  return field === null ? issue.message : `${field}: ${issue.message}`;
}

function parseJson(payload: Uint8Array, what: string): unknown {
  // Before JSON.parse, whose recursion could overflow the stack with a hostile payload.
  const members = countMembers(payload, what);
  const value = parseText(decodeText(payload, what), what);
  // Of members with the same name JSON.parse keeps only the last.
  // "An object MUST NOT name a member twice." (PROTOCOL.md, "Payloads")
  if (membersOf(value) !== members) throw new ProtocolError("BAD_PAYLOAD", `${what} names a member twice.`);
  return value;
}

function decodeText(bytes: Uint8Array, what: string): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw notJson(what, cause);
  }
}

function parseText(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw notJson(what, cause);
  }
}

function notJson(what: string, cause?: unknown): ProtocolError {
  return new ProtocolError("BAD_PAYLOAD", `${what} is not JSON in UTF-8.`, { cause });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The number of members of all objects in a value from JSON.parse. */
function membersOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) count += membersOf(item);
    return count;
  }
  // The objects have no inherited members.
  for (const name in value) {
    const member = (value as Record<string, unknown>)[name];
    count += typeof member === "object" ? 1 + membersOf(member) : 1;
  }
  return count;
}

/**
 * The number of members of all objects in the JSON text from `start` to `end`; a member named twice counts twice. Exact
 * for valid JSON.
 *
 * @throws ProtocolError BAD_PAYLOAD for anything that valid JSON may have and a payload may not, except repeated names;
 * and for a text that does not close what it opens
 */
function countMembers(bytes: Uint8Array, what: string, start = 0, end = bytes.length): number {
  let members = 0;
  let depth = 0;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte === QUOTE) {
      i = skipString(bytes, i + 1, end, what);
      if (i >= end) throw notJson(what);
    } else if (byte === COLON) {
      members++;
    } else if ((byte | 0x20) === 0x7b) {
      // "[" and "{", which differ in bit 5 only
      // "Objects and arrays MUST NOT be nested more than 32 deep; `{}` is 1 deep." (PROTOCOL.md, "Payloads")
      if (++depth > MAX_JSON_DEPTH) {
        throw new ProtocolError("BAD_PAYLOAD", `${what} is nested deeper than ${MAX_JSON_DEPTH}.`);
      }
    } else if ((byte | 0x20) === 0x7d) {
      depth--;
    } else if (isOfOddNumber(byte, bytes[i - 1])) {
      // "A number MUST be written in digits alone: no sign, point or exponent." (PROTOCOL.md, "Payloads")
      throw new ProtocolError("BAD_PAYLOAD", `${what} has a number that is not written in digits alone.`);
    }
  }
  if (depth !== 0) throw notJson(what);
  return members;
}

/**
 * @returns the position of the quotation mark after the string whose first character is at `at`; `end` or more without
 * one
 * @throws as countMembers()
 */
function skipString(bytes: Uint8Array, at: number, end: number, what: string): number {
  let i = at;
  for (; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte === QUOTE) return i;
    if (byte === BACKSLASH && bytes[++i] === LOWER_U) i = skipEscape(bytes, i, what);
  }
  return i;
}

/** True for a sign, a point or an exponent: `byte` is outside strings and follows `before`. */
function isOfOddNumber(byte: number, before: number | undefined): boolean {
  if (byte === 0x2b || byte === 0x2d || byte === 0x2e) return true;
  return (byte | 0x20) === 0x65 && before !== undefined && before >= ZERO && before <= NINE;
}

/**
 * Skip an escape of four hexadecimal digits, and the next one if the two are a surrogate pair.
 *
 * @param at the position of its "u"
 * @returns the position of its last byte
 * @throws ProtocolError BAD_PAYLOAD for half a pair
 */
function skipEscape(bytes: Uint8Array, at: number, what: string): number {
  const half = surrogateAt(bytes, at);
  if (half === undefined) return at;
  const isPair = half === "high" && bytes[at + 5] === BACKSLASH && bytes[at + 6] === LOWER_U;
  if (isPair && surrogateAt(bytes, at + 6) === "low") return at + 10;
  // "Text MUST NOT hold half a surrogate pair, in bytes or as an escape." (PROTOCOL.md, "Payloads")
  throw new ProtocolError("BAD_PAYLOAD", `${what} has half a surrogate pair, which is no text.`);
}

/** The half of a surrogate pair that the escape with its "u" at `at` stands for; undefined for any other character. */
function surrogateAt(bytes: Uint8Array, at: number): "high" | "low" | undefined {
  // Compare bytes: a payload of nothing but escapes would otherwise make a million strings. The bit makes letters lower
  // case and keeps digits; any other byte that it turns into a digit is not valid JSON anyway.
  const first = (bytes[at + 1] ?? 0) | 0x20;
  const second = (bytes[at + 2] ?? 0) | 0x20;
  if (first !== LOWER_D) return undefined;
  if (second === EIGHT || second === NINE || second === LOWER_A || second === LOWER_B) return "high";
  return second >= LOWER_C && second <= LOWER_F ? "low" : undefined;
}
