import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { formatEvent, isWarning } from "../../../lib/cli/server/event-line.ts";
import type { EventRecord, ServerEvent } from "../../../lib/protocol/methods.ts";

const LEFT = {
  event: "left",
  role: "read",
  name: "Client01",
  address: "192.0.2.7:1",
  message: "the link was lost",
  bytesIn: 1_500,
  bytesOut: 2_000_000,
  messagesIn: 3,
  messagesOut: 4,
} as const;
const COUNTS = "(received 2.0 MB, sent 1.5 KB, messages 3)";

const REQUEST = {
  event: "request",
  name: "Web01",
  method: "GET",
  target: "/files/a",
  status: 200,
  bytes: 1_500,
} as const;

const LINES: [ServerEvent, string][] = [
  [{ event: "joined", name: "Client01", address: "192.0.2.7:1", role: "read" }, "Client01 joined from 192.0.2.7:1"],
  [{ ...LEFT, reason: "exit" }, `Client01 left: exit ${COUNTS}`],
  [{ ...LEFT, reason: "lost" }, `Client01 left: lost: the link was lost ${COUNTS}`],
  [{ ...LEFT, reason: "protocol error" }, `Client01 left: protocol error: the link was lost ${COUNTS}`],
  [{ event: "waiting", address: "a:1", position: 2 }, "a:1 waits for a seat, position 2"],
  [{ event: "refused", address: "a:1", code: "SERVER_FULL", message: "Full." }, "a:1 was refused: Full. [SERVER_FULL]"],
  [
    { event: "refused", address: "a:1", code: "THROTTLED", message: "Wrong.", count: 37 },
    "a:1 was refused 37 times: Wrong. [THROTTLED]",
  ],
  [{ event: "message", from: "Client01", to: "server", text: "hi" }, "Client01: hi"],
  [{ event: "message", from: "Client01", to: "SERVER", text: "hi" }, "Client01: hi"],
  [{ event: "message", from: "Client01", to: "all", text: "hi" }, "Client01 to all: hi"],
  [{ event: "message", from: "Client01", to: "Client02", text: "hi" }, "Client01 to Client02: hi"],
  [
    { event: "kept", from: "Client01", token: "alice", to: "bob" },
    "Kept for bob, who is not here: a message from alice (Client01)",
  ],
  [{ event: "collected", name: "Client02", token: "bob", messages: 1 }, "bob (Client02) got 1 message that was kept"],
  [{ event: "collected", name: "Client02", token: "bob", messages: 2 }, "bob (Client02) got 2 messages that were kept"],
  [{ event: "dropped", token: "bob", messages: 1, reason: "expired" }, "1 message for bob was dropped: expired"],
  [{ event: "dropped", token: "bob", messages: 3, reason: "cleared" }, "3 messages for bob were dropped: cleared"],
  [
    { event: "failed", name: "Client01", method: "get", code: "NOT_FOUND", message: "No such file." },
    "get failed for Client01: No such file. [NOT_FOUND]",
  ],
  [{ event: "draining", on: true }, "Admitting no new clients"],
  [{ event: "draining", on: false }, "Admitting clients again"],
  [{ event: "stopping", message: "Bye." }, "Bye."],
  [{ event: "warning", message: "Careful." }, "Careful."],
  [{ event: "listening", address: "[::]:5050" }, "Listening at [::]:5050"],
  [
    { event: "joined", name: "Client01", address: "a:1", role: "write", token: "laptop" },
    "Client01 joined from a:1 with the token laptop (write)",
  ],
  [
    { event: "failed", name: "Client01", method: "get", code: "NOT_FOUND", message: "No.", count: 4 },
    "get failed for Client01 4 times: No. [NOT_FOUND]",
  ],
  [{ ...REQUEST, outcome: "whole" }, "Web01 asked for GET /files/a: 200, 1.5 KB"],
  [{ ...REQUEST, outcome: "cut" }, "Web01 asked for GET /files/a: 200, 1.5 KB, cut off"],
  [{ event: "stored", name: "Client01", path: "a", size: 1_500 }, "Client01 stored a (1.5 KB)"],
  [{ event: "removed", name: "Client01", path: "a" }, "Client01 removed a"],
  [{ event: "renamed", name: "Client01", from: "a", to: "b" }, "Client01 renamed a to b"],
  [
    { event: "away", name: "Client01", address: "a:1", message: "Reset." },
    "Client01 lost its link; its seat is kept: Reset.",
  ],
  [{ event: "returned", name: "Client01", address: "a:1" }, "Client01 is back from a:1"],
  [{ event: "cleaned", path: "a", size: 1_500 }, "Unfinished file removed: a (1.5 KB)"],
  [{ event: "issued", name: "Client01", token: "laptop", role: "read" }, "Client01 made the token laptop (read)"],
  [{ event: "revoked", name: "Client01", token: "laptop" }, "Client01 revoked the token laptop"],
];

describe("formatEvent()", () => {
  test.each(LINES)("%j reads: %s", (event, line) => {
    expect(formatEvent(event)).toBe(line);
  });

  test("shows an event of a newer server with its members", () => {
    expect(formatEvent({ event: "future", answer: 42 })).toBe('{"event":"future","answer":42}');
  });

  test("reads a known event without its members", () => {
    for (const [{ event }] of LINES) expect(formatEvent({ event })).not.toContain("undefined");
  });

  const EVIL = "\u001b[2J\n\u202e\u009b";

  test.each(LINES)("%j is one safe line whatever its texts are", (event) => {
    const hostile = Object.fromEntries(
      Object.entries(event).map(([key, value]) => [
        key,
        typeof value !== "string" || key === "event" || value === "server" ? value : `${value}${EVIL}`,
      ]),
    ) as EventRecord;
    expect(formatEvent(hostile)).not.toMatch(/[\p{Cc}\u202e]/u);
  });

  test("is one safe line whatever an unknown event holds", () => {
    expect(formatEvent({ event: EVIL, more: { deep: [EVIL] } })).not.toMatch(/[\p{Cc}\u202e]/u);
  });

  test("takes any scalars and lists in any member", () => {
    const scalar = fc.oneof(fc.string({ unit: "binary" }), fc.double(), fc.boolean(), fc.constant(null));
    const value = fc.oneof(scalar, fc.array(scalar));
    const record = fc.record({
      event: fc.constantFrom(...LINES.map(([{ event }]) => event as string), "future"),
      name: value,
      reason: value,
      message: value,
      bytesIn: value,
      to: value,
      text: value,
    });
    fc.assert(
      fc.property(record, (one) => {
        expect(formatEvent(one)).not.toMatch(/[\p{Cc}\u2028\u2029\u202e]/u);
      }),
    );
  });

  test("takes also objects that do not turn into text or numbers by themselves", () => {
    expect(formatEvent({ event: "joined", name: { toString: 1 }, address: "a:1" })).toContain("joined from a:1");
    expect(formatEvent({ event: "left", bytesIn: { valueOf: 1, toString: 1 } })).toContain("left");
  });
});

test("isWarning() is true of warnings and failures alone", () => {
  const warnings = LINES.map(([event]) => event).filter(isWarning);
  expect([...new Set(warnings.map(({ event }) => event))].sort()).toEqual(["failed", "warning"]);
});
