import * as v from "valibot";
import { codeOfWire, ERRORS, type ErrorCode } from "../errors.ts";
import { CODE_MECHANISM, MAX_CODE_MESSAGE } from "./code-messages.ts";
import { MAX_CREDIT, MAX_REASON_BYTES } from "./constants.ts";
import { encodeJson, JsonObject } from "./json.ts";
import { MECHANISMS } from "./scram.ts";
import { count, name, tokenName } from "./shapes.ts";

/** Payloads of the session frames and of OPEN and RESET. Source: PROTOCOL.md, "Payloads". */

/** The offer of HELLO and WELCOME: what this side accepts from the other. */
const offer = {
  agent: name,
  /** Optional features; the sides use those that both name. */
  capabilities: v.optional(v.pipe(v.array(name), v.maxLength(32)), []),
  /** Bytes of DATA that the other side may send on a new stream before the first CREDIT. */
  credit: v.pipe(count, v.maxValue(MAX_CREDIT)),
  /** Streams that the other side may have open at once. */
  maxStreams: v.pipe(count, v.minValue(1)),
};

/** The mechanism by which a client proves its token or code, and its first message. */
const AuthOffer = v.object({
  mechanism: v.picklist([...MECHANISMS, CODE_MECHANISM]),
  message: v.pipe(v.string(), v.maxLength(1024)),
});
export type AuthOffer = v.InferOutput<typeof AuthOffer>;

export const Hello = v.object({
  versions: v.object({ min: count, max: count }),
  /** Absent for a client without a token. */
  auth: v.optional(AuthOffer),
  /** True to be queued when no seat is free. */
  wait: v.optional(v.boolean(), false),
  /** "" to be able to resume after a lost link; the resume token of WELCOME to resume. */
  resume: v.optional(v.pipe(v.string(), v.maxLength(64))),
  /** The name that the client gives itself: nothing proves it. */
  nick: v.optional(tokenName),
  ...offer,
});
export type Hello = v.InferOutput<typeof Hello>;

/** The next message of a proof, from either side. */
export const Auth = v.object({ message: v.pipe(v.string(), v.maxLength(MAX_CODE_MESSAGE)) });

/** The rights of a session: each role includes those before it. */
export const Role = v.picklist(["read", "write", "operator"]);
export type Role = v.InferOutput<typeof Role>;

export function mayAct(role: Role, needed: Role): boolean {
  return Role.options.indexOf(role) >= Role.options.indexOf(needed);
}

export const Welcome = v.object({
  version: count,
  /** The session's name, such as Client01. */
  name,
  /** The name of the token that the client has proven. */
  token: v.optional(tokenName),
  role: Role,
  /** The token to resume with after a lost link, and how long the seat is kept. */
  resume: v.optional(v.object({ token: v.pipe(v.string(), v.maxLength(64)), graceMs: count })),
  ...offer,
});
export type Welcome = v.InferOutput<typeof Welcome>;

/** The longest queue, so that waiting for its end is possible. */
export const MAX_POSITION = 1_000_000;

export const Queued = v.object({
  /** 1 is next. */
  position: v.pipe(count, v.minValue(1), v.maxValue(MAX_POSITION)),
});

const reason = {
  /** A number of the error table, or 0 for an ordinary end. */
  code: count,
  message: v.pipe(v.string(), v.maxLength(1024)),
};

export const Reason = v.object({
  ...reason,
  /** With TOO_OFTEN in RESET: milliseconds after which the same request may succeed. */
  retryAfterMs: v.optional(count),
});

export const Refuse = v.object({
  ...reason,
  /** With UNSUPPORTED_VERSION: the versions that the server supports. */
  versions: v.optional(v.object({ min: count, max: count })),
});

export const Open = v.object({
  method: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
  params: v.optional(JsonObject, {}),
});
export type Open = v.InferOutput<typeof Open>;

/** A result or trailer; the method defines its members. */
export const Result = JsonObject;

/** Why a session or a stream ends: a code of the table, or OK. */
export type ReasonCode = ErrorCode | "OK";

/** The payload of REFUSE, GOAWAY and RESET. A message that is too long is cut, and stays well-formed text. */
export function encodeReason(code: ReasonCode, message: string, members: object = {}): Uint8Array {
  // Escaped, a character can take six bytes.
  for (let length = 1024; ; length >>= 1) {
    const payload = encodeJson({
      code: wireOfReason(code),
      message: message.slice(0, length).toWellFormed(),
      ...members,
    });
    if (payload.length <= MAX_REASON_BYTES) return payload;
  }
}

export function wireOfReason(code: ReasonCode): number {
  if (code === "OK") return 0;
  // A local code has no wire number: the peer learns only that something failed here.
  return ERRORS[code].wire || ERRORS.INTERNAL.wire;
}

export function reasonOfWire(wire: number): ReasonCode {
  return wire === 0 ? "OK" : codeOfWire(wire);
}
