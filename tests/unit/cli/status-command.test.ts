import { describe, expect, test } from "bun:test";
import { fetchStatus, formatStatus, limitOf } from "../../../lib/cli/client/status-command.ts";
import type { Client } from "../../../lib/client/client.ts";
import type { StatusResult } from "../../../lib/protocol/methods.ts";
import { facade } from "../../support/facade.ts";

type Row = StatusResult["sessions"][number];

const row = (id: number): Row => ({
  id,
  name: `Client${id}`,
  address: `192.0.2.7:${id}`,
  startedAt: 0,
  endedAt: null,
  reason: null,
  bytesIn: 1_500,
  bytesOut: 2_000_000,
  messagesIn: 3,
  messagesOut: 4,
});

const STATUS: StatusResult = {
  self: { name: "Client01", address: "192.0.2.7:1" },
  server: { agent: "commserver-server/1", uptimeMs: 3_600_000, draining: false },
  seats: { taken: 1, max: 3, waiting: 2, maxWaiting: 16 },
  sessions: [],
  total: 0,
  next: null,
} as unknown as StatusResult;

/** A client of a server with so many sessions, and what it was asked. */
function serverWith(total: number) {
  const asked: object[] = [];
  const client = facade({} as Client, {
    status: (async ({ before = total + 1, limit = 50 }: { before?: number; limit?: number }) => {
      asked.push({ before, limit });
      const sessions = Array.from({ length: Math.min(limit, before - 1) }, (_, index) => row(before - 1 - index));
      const last = sessions.at(-1)?.id ?? 1;
      return { ...STATUS, sessions, total, next: last > 1 ? last : null };
    }) as unknown as Client["status"],
  });
  return { client, asked };
}

describe("the sessions of a status", () => {
  test("come in as many pages as they need, the newest first, each once", async () => {
    const { client, asked } = serverWith(1_000);
    const { sessions, total, next } = await fetchStatus(client, 300);
    expect(sessions.map(({ id }) => id)).toEqual(Array.from({ length: 300 }, (_, index) => 1_000 - index));
    expect({ total, next }).toEqual({ total: 1_000, next: 701 });
    expect(asked).toEqual([
      { before: 1_001, limit: 128 },
      { before: 873, limit: 128 },
      { before: 745, limit: 44 },
    ]);
  });

  test("are no more than there are, and no more than are wanted", async () => {
    const few = serverWith(5);
    expect((await fetchStatus(few.client, 20)).sessions).toHaveLength(5);
    const many = serverWith(128);
    expect((await fetchStatus(many.client, 128)).sessions).toHaveLength(128);
    expect([few.asked.length, many.asked.length]).toEqual([1, 1]);
    expect((await fetchStatus(serverWith(300).client, 1)).sessions).toHaveLength(1);
  });
});

describe("a status", () => {
  const lines = (status: Partial<StatusResult>, command?: string) =>
    formatStatus({ ...STATUS, ...status }, { color: false }, command).split("\n");

  test("says who one is, what the server is, and which seats are free", () => {
    expect(lines({})).toEqual([
      "You are Client01, from 192.0.2.7:1.",
      "Server: commserver-server/1, up 1 h 0 min.",
      "Seats: 1 of 3 taken, 2 waiting (at most 16).",
      "Sessions: 0 in all.",
    ]);
    const draining = { ...STATUS.server, draining: true };
    expect(lines({ server: draining })[1]).toBe("Server: commserver-server/1, up 1 h 0 min, admitting no clients.");
  });

  test("shows sessions as their clients see them: sent and received", () => {
    const ended = { ...row(1), endedAt: 1_000, reason: "exit" } as Row;
    const [, , , , blank, head, first, second, more] = lines({ sessions: [row(2), ended], total: 2 });
    expect([blank, more]).toEqual(["", undefined]);
    expect(head?.split(/\s{2,}/)).toEqual([
      ...["NAME", "ADDRESS", "STARTED", "ENDED", "WHY", "SENT", "RECEIVED", "MESSAGES"],
    ]);
    expect(first).toMatch(/^Client2 {2}192\.0\.2\.7:2 .* connected {3,}1\.5 KB {2}2\.0 MB {4}3 sent, 4 received$/);
    expect(second).toMatch(/^Client1 {2}192\.0\.2\.7:1 .* {2}exit {2}1\.5 KB {2}2\.0 MB {4}3 sent, 4 received$/);
    expect(second).not.toContain("connected");
  });

  test.each([
    [2, "… and 1 older session: status --limit 2"],
    [3, "… and 2 older sessions: status --limit 3"],
    [5_000_000, "… and 4999999 older sessions: status --limit 1000000"],
  ])("that has not all of %i sessions says how to see the others", (total, line) => {
    expect(lines({ sessions: [row(1)], total }).at(-1)).toBe(line);
  });

  test("is of one session at least and a million at most", () => {
    const limit = (text: string) => limitOf({ _: [], limit: text });
    expect([limit("1"), limit("1000000")]).toEqual([1, 1_000_000]);
    for (const text of ["0", "1000001"]) expect(() => limit(text)).toThrow("--limit takes a whole number");
  });
});
