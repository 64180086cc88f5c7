import type * as v from "valibot";
import { CommError, codeOfWire, type ErrorCode, RemoteError } from "../errors.ts";
import type { Reason, ReasonCode } from "../protocol/messages.ts";

/** Why a session ended, and which side ended it. */
export interface SessionEnd {
  /** `remote` and `local`: that side said goodbye with `code`. `lost`: neither did. */
  readonly by: "local" | "remote" | "lost";
  readonly code: ReasonCode;
  readonly message: string;
}

/** What a request gets when the session ended for this reason. */
export function errorOf(end: SessionEnd): CommError {
  const code = end.code === "OK" ? "LOST" : end.code;
  return end.by === "remote" ? remoteError(code, end.message) : new CommError(code, end.message);
}

/** What a stream gets for the peer's RESET. */
export function resetError({ code, message, retryAfterMs }: v.InferOutput<typeof Reason>): RemoteError {
  return remoteError(code === 0 ? "CANCELLED" : codeOfWire(code), message, retryAfterMs);
}

function remoteError(code: ErrorCode, message: string, retryAfterMs?: number): RemoteError {
  return new RemoteError(code, message || `The other end sent ${code} without a message.`, retryAfterMs);
}
