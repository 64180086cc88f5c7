import { ERRORS, type ErrorCode } from "../errors.ts";

/** Codes that events have beside those of the error table, and that no peer is told. Source: PROTOCOL.md, "events". */
export const EVENT_CODES = ["LOST", "TLS_FAILED", "DISK_FAILED", "UNEXPECTED"] as const;

/** Codes with a number on the wire. */
type WireCode = { [Code in ErrorCode]: (typeof ERRORS)[Code]["scope"] extends "local" ? never : Code }[ErrorCode];

/** What an event may have as its code. */
export type EventCode = WireCode | (typeof EVENT_CODES)[number];

/** The code that an event has for an error: one that has no place there is a defect. */
export function eventCodeOf(code: ErrorCode): EventCode {
  return isEventCode(code) ? code : "UNEXPECTED";
}

function isEventCode(code: ErrorCode): code is EventCode {
  return ERRORS[code].scope !== "local" || (EVENT_CODES as readonly string[]).includes(code);
}
