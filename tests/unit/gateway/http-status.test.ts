import { expect, test } from "bun:test";
import { ERRORS, type ErrorCode } from "../../../lib/errors.ts";
import { STATUS_OF } from "../../../lib/gateway/http-status.ts";

const codes = Object.keys(ERRORS) as ErrorCode[];

test("every code of the error table has a status of a failure, and nothing else has", () => {
  expect(Object.keys(STATUS_OF).toSorted()).toEqual(codes.toSorted());
  for (const code of codes) expect(STATUS_OF[code]).toBeWithin(400, 600);
});

test("what is worth another try without any change has a status that says so", () => {
  const fromPeers = codes.filter((code) => ERRORS[code].scope !== "local" && ERRORS[code].retryable);
  const later = new Set([408, 412, 422, 423, 429, 500, 503, 507]);
  expect(fromPeers.filter((code) => !later.has(STATUS_OF[code]))).toEqual([]);
});
