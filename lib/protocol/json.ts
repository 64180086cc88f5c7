import * as v from "valibot";
import { ProtocolError } from "../errors.ts";
import { MAX_JSON_DEPTH } from "./constants.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Any JSON object; valibot's own records and objects let arrays pass. */
export const JsonObject = v.custom<Record<string, unknown>>(isObject, "not an object");

export function encodeJson(value: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}

/**
 * Read a JSON payload and check it against `schema`; `what` names it in the error.
 *
 * @throws ProtocolError BAD_PAYLOAD when it is not UTF-8, not JSON, too deep or of another shape
 */
export function decodeJson<S extends v.GenericSchema>(schema: S, payload: Uint8Array, what: string): v.InferOutput<S> {
  return checkShape(schema, parseJson(payload, what), what);
}

/**
 * Check a value that was read from JSON.
 *
 * @throws ProtocolError BAD_PAYLOAD when its shape is another
 */
export function checkShape<S extends v.GenericSchema>(schema: S, value: unknown, what: string): v.InferOutput<S> {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  throw new ProtocolError("BAD_PAYLOAD", `${what} has the wrong shape: ${describe(result.issues[0])}.`);
}

/** One issue in words, with the field's name in front. */
export function describe(issue: v.GenericIssue): string {
  const field = v.getDotPath(issue);
  return field === null ? issue.message : `${field}: ${issue.message}`;
}

function parseJson(payload: Uint8Array, what: string): unknown {
  // Before JSON.parse, whose recursion a hostile payload could drive to the end of the stack.
  if (jsonDepth(payload) > MAX_JSON_DEPTH) {
    throw new ProtocolError("BAD_PAYLOAD", `${what} is nested deeper than ${MAX_JSON_DEPTH}.`);
  }
  try {
    return JSON.parse(decoder.decode(payload));
  } catch (cause) {
    throw new ProtocolError("BAD_PAYLOAD", `${what} is not JSON in UTF-8.`, { cause });
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Deepest nesting of brackets outside strings; exact for valid JSON. */
function jsonDepth(bytes: Uint8Array): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    if (inString) {
      if (byte === BACKSLASH) i++;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) {
      inString = true;
    } else if ((byte | 0x20) === 0x7b) {
      // "[" and "{", which differ in bit 5 only
      depth++;
      if (depth > deepest) deepest = depth;
    } else if ((byte | 0x20) === 0x7d) {
      depth--;
    }
  }
  return deepest;
}
