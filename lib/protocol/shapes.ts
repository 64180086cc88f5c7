import * as v from "valibot";
import { MAX_TEXT_LENGTH } from "./constants.ts";
import { isTokenName } from "./scram.ts";

/** Common shapes of members of payloads and records. Source: PROTOCOL.md, "Payloads" and "Methods". */

/** "Numbers are integers from 0 to 2^53 - 1 unless a smaller limit is given." (PROTOCOL.md, "Payloads") */
export const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
/** Milliseconds since 1970-01-01T00:00Z. */
export const timestamp = count;
/** The name of a program, a session or a capability. */
export const name = v.pipe(v.string(), v.maxLength(128));
/** The name of a token, or the name that a client gives itself. */
export const tokenName = v.pipe(v.string(), v.check(isTokenName, "not a token's name"));
/** A peer's address, for people. */
export const address = v.pipe(v.string(), v.maxLength(300));
/** A path that the server reports. */
export const path = v.pipe(v.string(), v.maxLength(4096));
/** A path in a request. The method checks it: BAD_PATH fails only that request. */
export const askedPath = v.string();
/** The text of a message. */
export const text = v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_TEXT_LENGTH));
/** The rights of owner, group and others: the nine bits of a POSIX mode. Absent on systems without them. */
export const mode = v.optional(v.pipe(count, v.maxValue(0o777)));
