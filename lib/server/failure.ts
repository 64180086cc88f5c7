import { type CommError, ERRORS, type ErrorCode, toCommError } from "../errors.ts";
import { eventCodeOf } from "../protocol/event-codes.ts";
import { overloaded } from "../storage/storage.ts";
import type { Failures } from "./failures.ts";

/** In UTF-16 units; a path that is quoted in it may be longer, every character being escaped. */
const MAX_MESSAGE = 1024;

/** Which request failed: the method, and the name of the session that called it. */
export interface FailedRequest {
  readonly name: string;
  readonly method: string;
}

/** What the peer reads of a failure of its request. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
}

/** A failure in words that may leave the server. The operator reads a failure of the server itself in full, the peer does not. */
export function failureOf(thrown: unknown, request: FailedRequest, failures: Failures): Failure {
  const { code, message } = wordsOf(thrown, request, failures);
  return { code, message: message.slice(0, MAX_MESSAGE).toWellFormed() };
}

/** The peer reads the cause of these, but only the operator can do something about it. */
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

/** What the peer may hear as it is; undefined for a failure of the server itself. */
function inServerWords(error: CommError): Failure | undefined {
  switch (error.code) {
    // Of the disk that is the server's: the words for it are others than for one's own.
    case "DISK_FULL":
      return { code: "NO_SPACE", message: error.message };
    case "TOO_MANY_FILES":
      return overloaded();
    case "DISK_DENIED":
      return { code: "UNWRITABLE", message: error.message };
    default:
      return ERRORS[error.code].scope !== "local" && error.code !== "INTERNAL" ? error : undefined;
  }
}
