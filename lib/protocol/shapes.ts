import * as v from "valibot";
import { MAX_TEXT_LENGTH } from "./constants.ts";

/** What members of payloads and records have in common. Source: PROTOCOL.md, "Payloads" and "Methods". */

/** "Numbers are integers from 0 to 2^53 - 1 unless a smaller limit is given." (PROTOCOL.md, "Payloads") */
export const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
/** Milliseconds since 1970-01-01T00:00Z. */
export const timestamp = count;
/** Of a program, a session, a capability. */
export const name = v.pipe(v.string(), v.maxLength(128));
/** A peer's address, for people. */
export const address = v.pipe(v.string(), v.maxLength(300));
/** A path that the server reports. */
export const path = v.pipe(v.string(), v.maxLength(4096));
/** A path that a client asks for. The method judges whether it is one: BAD_PATH fails that request alone. */
export const askedPath = v.string();
/** The text of a message. */
export const text = v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_TEXT_LENGTH));
/** What the owner, the group and all others may do: nine bits, as in a POSIX mode. Absent where there is no such thing. */
export const mode = v.optional(v.pipe(count, v.maxValue(0o777)));
