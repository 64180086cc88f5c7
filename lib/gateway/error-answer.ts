import type { OutgoingHttpHeaders } from "node:http";
import Negotiator from "negotiator";
import type { ErrorCode } from "../errors.ts";
import type { HttpCall } from "./http-call.ts";
import { STATUS_OF } from "./http-status.ts";

/** What the answer says about a failure. */
export interface Failed {
  readonly code: ErrorCode;
  readonly message: string;
  /** How long to wait before the next try. */
  readonly retryAfterMs?: number | undefined;
  /** undefined: that of the code. */
  readonly status?: number | undefined;
  /** undefined: that of the code. */
  readonly advice?: string | undefined;
}

/** What to do next, where the message does not say it. */
const ADVICE: Partial<Readonly<Record<ErrorCode, string>>> = {
  TOKEN_REQUIRED: "Send a token by Basic or Bearer, such as: curl -u NAME:SECRET",
  ACCESS_DENIED: "Check the token, or ask the operator of the server for another.",
  THROTTLED: "Check the token, and try again later.",
  SERVER_FULL: "Try again in a few seconds, when others may have left.",
  SHUTDOWN: "Try again when the server is back.",
  TOO_OFTEN: "Wait a second between requests.",
  CROWDED: "Try again later.",
  OVERLOADED: "Try again in a moment.",
  CHANGED: "Start again from the beginning.",
  DIGEST_MISMATCH: "Nothing was stored. Send it again.",
};

/** Seconds to wait, for errors that name no time. */
const RETRY_SECONDS: Partial<Readonly<Record<ErrorCode, number>>> = {
  SERVER_FULL: 5,
  TOO_MANY_SESSIONS: 5,
  SHUTDOWN: 10,
  UNAVAILABLE: 10,
  THROTTLED: 5,
  TOO_MANY_STREAMS: 1,
  OVERLOADED: 1,
  CROWDED: 5,
};

/** Answer with the failure, as JSON where the client prefers it, else as text. */
export function replyFailed(call: HttpCall, failed: Failed, headers: OutgoingHttpHeaders = {}): void {
  const { code, message, retryAfterMs } = failed;
  const status = failed.status ?? STATUS_OF[code];
  const advice = failed.advice ?? ADVICE[code];
  const seconds = retryAfterMs === undefined ? RETRY_SECONDS[code] : Math.ceil(retryAfterMs / 1000);
  const isJson = new Negotiator(call.request).mediaType(["text/plain", "application/json"]) === "application/json";
  const body = isJson
    ? JSON.stringify({ error: { code, message, ...(advice !== undefined && { advice }) } })
    : `${code}: ${message}${advice === undefined ? "" : `\n${advice}`}`;
  call.reply(
    status,
    {
      "cache-control": "no-store",
      "content-type": isJson ? "application/json" : "text/plain; charset=utf-8",
      ...(seconds !== undefined && { "retry-after": `${seconds}` }),
      ...(status === 401 && { "www-authenticate": 'Basic realm="CommServer", charset="UTF-8"' }),
      ...headers,
    },
    `${body}\n`,
  );
}
