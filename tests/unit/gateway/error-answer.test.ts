import { describe, expect, test } from "bun:test";
import type { OutgoingHttpHeaders } from "node:http";
import type { ErrorCode } from "../../../lib/errors.ts";
import { type Failed, replyFailed } from "../../../lib/gateway/error-answer.ts";
import type { HttpCall } from "../../../lib/gateway/http-call.ts";
import { GRACE_MS } from "../../../lib/server/guests.ts";
import { HOLDER_STALLED_MS } from "../../../lib/server/holders.ts";
import { PER_SECOND } from "../../../lib/server/throttle.ts";

interface Answer {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: string;
}

function answer(failed: Failed, accept?: string, headers: OutgoingHttpHeaders = {}): Answer {
  const answers: Answer[] = [];
  const call = {
    request: { headers: accept === undefined ? {} : { accept } },
    reply: (status: number, sent: OutgoingHttpHeaders, body: string) =>
      void answers.push({ status, headers: sent, body }),
  };
  replyFailed(call as unknown as HttpCall, failed, headers);
  const [only] = answers;
  if (only === undefined || answers.length !== 1) throw new Error(`${answers.length} answers`);
  return only;
}

const failed = (code: ErrorCode, more: Partial<Failed> = {}): Failed => ({ code, message: "Why.", ...more });

describe("the answer to a request that failed", () => {
  test("is a text with the code, the message and advice, for clients without a preference", () => {
    for (const accept of [undefined, "*/*", "text/html, */*;q=0.1", "text/plain, application/json"]) {
      const { status, headers, body } = answer(failed("CROWDED"), accept);
      expect([status, headers["content-type"], body]).toEqual([
        503,
        "text/plain; charset=utf-8",
        "CROWDED: Why.\nTry again later.\n",
      ]);
    }
    expect(answer(failed("NOT_FOUND")).body).toBe("NOT_FOUND: Why.\n");
  });

  test("is JSON for clients that prefer it", () => {
    const { headers, body } = answer(failed("CROWDED"), "application/json, text/plain;q=0.5");
    expect(headers["content-type"]).toBe("application/json");
    expect(JSON.parse(body)).toEqual({ error: { code: "CROWDED", message: "Why.", advice: "Try again later." } });
    expect(JSON.parse(answer(failed("NOT_FOUND"), "application/json").body)).toEqual({
      error: { code: "NOT_FOUND", message: "Why." },
    });
  });

  test("is kept by nobody on the way", () => {
    expect(answer(failed("NOT_FOUND")).headers["cache-control"]).toBe("no-store");
  });

  test("asks for a token where one is missing or wrong, and nowhere else", () => {
    for (const code of ["TOKEN_REQUIRED", "ACCESS_DENIED"] as const) {
      const { status, headers } = answer(failed(code));
      expect([status, headers["www-authenticate"]]).toEqual([401, 'Basic realm="CommServer", charset="UTF-8"']);
    }
    for (const code of ["NOT_ALLOWED", "THROTTLED", "NOT_FOUND"] as const) {
      expect(answer(failed(code)).headers["www-authenticate"]).toBeUndefined();
    }
  });

  test("has the status and the fields that the failure brings itself", () => {
    const { status, headers } = answer(failed("NOT_ALLOWED", { status: 502 }), undefined, { allow: "GET" });
    expect([status, headers.allow]).toEqual([502, "GET"]);
  });
});

describe("Retry-After", () => {
  const retryAfter = (code: ErrorCode, more?: Partial<Failed>) => answer(failed(code, more)).headers["retry-after"];

  test("is the time that the server knows, rounded up to seconds", () => {
    const times = [1, 1_000, 1_001].map((retryAfterMs) => retryAfter("TOO_OFTEN", { retryAfterMs }));
    expect(times).toEqual(["1", "1", "2"]);
    expect(retryAfter("SERVER_FULL", { retryAfterMs: 60_000 })).toBe("60");
  });

  test.each<[ErrorCode, string, number]>([
    ["SERVER_FULL", "a seat is free after", GRACE_MS / 1000],
    ["TOO_MANY_SESSIONS", "a seat is free after", GRACE_MS / 1000],
    ["THROTTLED", "one more try is allowed after", 1 / PER_SECOND],
    ["CROWDED", "one that moves nothing gives way after", HOLDER_STALLED_MS / 1000],
    ["SHUTDOWN", "another server is there after, surely", 10],
    ["UNAVAILABLE", "an operator may have helped after", 10],
    ["TOO_MANY_STREAMS", "a request ends within", 1],
    ["OVERLOADED", "a file is closed within", 1],
  ])("of %s is the time that %s: %i s", (code, _, seconds) => {
    expect(retryAfter(code)).toBe(`${seconds}`);
  });

  test.each<ErrorCode>(["NOT_FOUND", "NOT_ALLOWED", "EXISTS", "INTERNAL", "NO_SPACE"])(
    "is not said of %s, which no waiting changes",
    (code) => {
      expect(retryAfter(code)).toBeUndefined();
    },
  );
});
