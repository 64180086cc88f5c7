import { describe, expect, test } from "bun:test";
import type * as v from "valibot";
import { MAX_CONTROL_BYTES, MAX_TEXT_LENGTH } from "../../../lib/protocol/constants.ts";
import { decodeJson, encodeJson } from "../../../lib/protocol/json.ts";
import * as methods from "../../../lib/protocol/methods.ts";
import { protocolFault } from "../../support/outcomes.ts";

const faultOf = (schema: v.GenericSchema, value: unknown) =>
  protocolFault(() => decodeJson(schema, encodeJson(value), "A test"));
const x = (length: number) => "x".repeat(length);
const entry = { path: "a", kind: "file", size: 1, modifiedAt: 0 };
const facts = { size: 1, modifiedAt: 0, executable: false, etag: "e" };
const row: methods.SessionRow = {
  id: Number.MAX_SAFE_INTEGER,
  name: x(128),
  address: `[${"ffff:".repeat(8)}]:65535`,
  startedAt: Number.MAX_SAFE_INTEGER,
  endedAt: Number.MAX_SAFE_INTEGER,
  reason: "protocol error",
  bytesIn: Number.MAX_SAFE_INTEGER,
  bytesOut: Number.MAX_SAFE_INTEGER,
  messagesIn: Number.MAX_SAFE_INTEGER,
  messagesOut: Number.MAX_SAFE_INTEGER,
};

describe("the schemas of the methods", () => {
  test("StatusParams asks for 50 rows unless told otherwise", () => {
    expect(decodeJson(methods.StatusParams, encodeJson({}), "status")).toEqual({ limit: 50 });
  });

  const valid: [string, v.GenericSchema, unknown][] = [
    ["the largest page", methods.StatusParams, { limit: 128, before: 0 }],
    ["the longest text", methods.SendParams, { text: x(MAX_TEXT_LENGTH), to: "all" }],
    ["a path that is too long to be one, which is not theirs to say", methods.ListParams, { glob: x(60_000) }],
    ["a link", methods.Entry, { ...entry, kind: "link" }],
    ["a digest", methods.DigestResult, { ...facts, sha256: "0123456789abcdef".repeat(4) }],
    ["a request without members that are optional", methods.GetRequest, { id: 0, path: "a" }],
    [
      "the largest request",
      methods.GetRequest,
      { id: 0xffff_ffff, path: "a", offset: 2 ** 52, length: 0, etag: x(128) },
    ],
    ["a file that is sent", methods.PutFile, { ...facts, path: "a", exists: "rename" }],
    ["an answer without ranges", methods.PutAnswer, { id: 1, state: "ready", ranges: [] }],
    ["a change of a later kind of file", methods.Change, { change: "added", ...entry, more: 1 }],
    ["changes that were missed", methods.Change, { change: "missed", count: 7 }],
    ["an event of a later server", methods.EventRecord, { event: "new", what: 1 }],
    ["a live session", methods.SessionRow, { ...row, endedAt: null, reason: null }],
    ["the longest reason", methods.KickParams, { name: "a", reason: x(256) }],
  ];
  test.each(valid)("accept %s", (_what, schema, value) => {
    expect(faultOf(schema, value)).toBeUndefined();
  });

  const invalid: [string, v.GenericSchema, unknown][] = [
    ["a page of 0", methods.StatusParams, { limit: 0 }],
    ["a page above the largest", methods.StatusParams, { limit: 129 }],
    ["an empty text", methods.SendParams, { text: "" }],
    ["a text that is too long", methods.SendParams, { text: x(MAX_TEXT_LENGTH + 1) }],
    ["a pattern that is no text", methods.ListParams, { glob: 1 }],
    ["a path that is no text", methods.GetRequest, { id: 1, path: 1 }],
    ["a number above 32 bits", methods.GetRequest, { id: 2 ** 32, path: "a" }],
    ["a negative offset", methods.GetRequest, { id: 1, path: "a", offset: -1 }],
    ["an offset that is no integer", methods.GetRequest, { id: 1, path: "a", offset: 0.5 }],
    ["an etag that is too long", methods.FileFacts, { ...facts, etag: x(129) }],
    ["a size above 2^53", methods.FileFacts, { ...facts, size: 2 ** 53 }],
    ["a file without its right to run", methods.FileFacts, { ...facts, executable: undefined }],
    ["an unknown policy", methods.PutFile, { ...facts, path: "a", exists: "ask" }],
    ["an unknown state", methods.PutAnswer, { id: 1, state: "soon" }],
    ["an unknown outcome", methods.PutAnswer, { id: 1, state: "done", path: "a", outcome: "lost" }],
    ["a range of one number", methods.PutAnswer, { id: 1, state: "ready", ranges: [[0]] }],
    ["a change without its entry", methods.Change, { change: "added", path: "a" }],
    ["an unknown kind", methods.Entry, { ...entry, kind: "door" }],
    ["a file from before 1970", methods.FileFacts, { ...facts, modifiedAt: -1 }],
    ["a time that is no integer", methods.Entry, { ...entry, modifiedAt: 1.5 }],
    ["a negative size", methods.Entry, { ...entry, size: -1 }],
    ["a digest in capitals", methods.DigestResult, { ...facts, sha256: "0123456789ABCDEF".repeat(4) }],
    ["a digest with a line feed", methods.DigestResult, { ...facts, sha256: `${"0".repeat(64)}\n` }],
    ["a digest that is too short", methods.DigestResult, { ...facts, sha256: "0".repeat(63) }],
    ["an event without a name", methods.EventRecord, {}],
    ["an address without end", methods.SessionRow, { ...row, address: x(301) }],
    ["a reason of an end without end", methods.SessionRow, { ...row, reason: x(65) }],
    ["a switch that is no boolean", methods.DrainParams, { on: "yes" }],
    ["a reason that is too long", methods.KickParams, { name: "a", reason: x(257) }],
  ];
  test.each(invalid)("reject %s", (_what, schema, value) => {
    expect(faultOf(schema, value)).toBe("BAD_PAYLOAD");
  });

  test("reject a time that is beyond all numbers", () => {
    const payload = Buffer.from(JSON.stringify(facts).replace('"modifiedAt":0', '"modifiedAt":1e999'));
    expect(protocolFault(() => decodeJson(methods.FileFacts, payload, "A test"))).toBe("BAD_PAYLOAD");
  });

  test("keep the members of an event that they do not know", () => {
    const record = { event: "new", what: [1] };
    expect(decodeJson(methods.EventRecord, encodeJson(record), "An event")).toEqual(record);
  });
});

describe("the largest payloads", () => {
  test("of status fit a control frame", () => {
    const result: methods.StatusResult = {
      self: { name: x(128), role: "operator", address: row.address, startedAt: row.startedAt },
      server: { agent: x(128), startedAt: row.startedAt, uptimeMs: Number.MAX_SAFE_INTEGER, draining: false },
      seats: { max: 65_535, taken: 65_535, maxWaiting: 65_535, waiting: 65_535 },
      total: Number.MAX_SAFE_INTEGER,
      sessions: Array(methods.MAX_STATUS_ROWS).fill(row),
      next: Number.MAX_SAFE_INTEGER,
    };
    expect(faultOf(methods.StatusResult, result)).toBeUndefined();
    expect(encodeJson(result).length).toBeLessThanOrEqual(MAX_CONTROL_BYTES);
  });

  test.each(["x", "中", "😀", "\u0001"])("of a message of %j fit a control frame", (character) => {
    const text = character.repeat(MAX_TEXT_LENGTH / character.length);
    const params: methods.MessageParams = { from: x(128), to: x(128), text };
    expect(encodeJson({ method: "message", params }).length).toBeLessThanOrEqual(MAX_CONTROL_BYTES);
  });
});
