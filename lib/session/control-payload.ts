import { StreamError } from "../errors.ts";
import { MAX_CONTROL_BYTES } from "../protocol/constants.ts";
import { encodeJson } from "../protocol/json.ts";

/** A JSON object, checked by the method that it belongs to. */
export type Json = Record<string, unknown>;

/** The payload of a request, result or trailer. @throws StreamError INTERNAL when no frame can hold it */
export function encodeControl(value: Json): Uint8Array {
  const payload = encodeJson(value);
  if (payload.length <= MAX_CONTROL_BYTES) return payload;
  throw new StreamError("INTERNAL", `A payload of ${payload.length} bytes does not fit a frame.`);
}
