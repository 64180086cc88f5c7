import { ERRORS, type ErrorCode } from "../errors.ts";

/** Codes of events in addition to the wire codes; they are never sent as errors. Source: PROTOCOL.md, "events". */
export const EVENT_CODES = ["LOST", "TLS_FAILED", "DISK_FAILED", "UNEXPECTED"] as const;

/** Codes with a number on the wire. */
type WireCode = { [Code in ErrorCode]: (typeof ERRORS)[Code]["scope"] extends "local" ? never : Code }[ErrorCode];

/** The codes that an event may have. */
export type EventCode = WireCode | (typeof EVENT_CODES)[number];

/** The code of an event for an error. A code that events can't have is a defect. */
export function eventCodeOf(code: ErrorCode): EventCode {
  return isEventCode(code) ? code : "UNEXPECTED";
}

function isEventCode(code: ErrorCode): code is EventCode {
  return ERRORS[code].scope !== "local" || (EVENT_CODES as readonly string[]).includes(code);
}
