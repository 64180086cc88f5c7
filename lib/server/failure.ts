import { type CommError, ERRORS, type ErrorCode, toCommError } from "../errors.ts";
import { eventCodeOf } from "../protocol/event-codes.ts";
import { storageFault } from "../storage-faults.ts";
import type { Failures } from "./failures.ts";

/** In UTF-16 units. A quoted path could be longer, with every character escaped. */
const MAX_MESSAGE = 1024;

/** Which request failed: the method, and the name of the session that called it. */
export interface FailedRequest {
  readonly name: string;
  readonly method: string;
}

/** The error that the peer gets for its failed request. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
}

/**
 * The failure in words that may leave the server. Only the operator sees the details of a failure of the server itself.
 */
export function failureOf(thrown: unknown, request: FailedRequest, failures: Failures): Failure {
  const { code, message } = wordsOf(thrown, request, failures);
  return { code, message: message.slice(0, MAX_MESSAGE).toWellFormed() };
}

/** The peer gets the cause of these errors, but only the operator can fix it. */
const FOR_OPERATORS: ReadonlySet<ErrorCode> = new Set([
  "NO_SPACE",
  "QUOTA_EXCEEDED",
  "UNWRITABLE",
  "UNREADABLE",
  "OVERLOADED",
]);

function wordsOf(thrown: unknown, request: FailedRequest, failures: Failures): Failure {
  const error = toCommError(thrown);
  const known = inServerWords(error);
  if (known !== undefined) {
    const { code, message } = known;
    if (FOR_OPERATORS.has(code)) failures.note({ ...request, code: eventCodeOf(code), message });
    return known;
  }
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : "";
  failures.note({ ...request, code: eventCodeOf(error.code), message: error.message + cause });
  const message = error.code === "INTERNAL" ? error.message : "The server failed on this request.";
  return { code: "INTERNAL", message };
}

/** The error that the peer may get unchanged; undefined for a failure of the server itself. */
function inServerWords(error: CommError): Failure | undefined {
  switch (error.code) {
    // About the server's disk, which a client can't do anything about: other words than for the client's own disk.
    case "DISK_FULL":
      return { code: "NO_SPACE", message: error.message };
    case "TOO_MANY_FILES":
      return storageFault.overloaded();
    case "DISK_DENIED":
      return { code: "UNWRITABLE", message: error.message };
    default:
      return ERRORS[error.code].scope !== "local" && error.code !== "INTERNAL" ? error : undefined;
  }
}
