import { describe, expect, test } from "bun:test";
import { DIGESTS_CAPABILITY, HOLES_CAPABILITY, NAMES_CAPABILITY } from "../../../lib/protocol/constants.ts";
import { endReason, Member } from "../../../lib/server/member.ts";
import type { MemberSession } from "../../../lib/server/member-session.ts";
import { MemoryBudget } from "../../../lib/server/memory-budget.ts";
import { memoryLimits } from "../../../lib/server/memory-limits.ts";
import type { SessionEnd } from "../../../lib/session/session-end.ts";
import { FakeClock } from "../../support/fake-clock.ts";

/** A session that has moved so much. */
const session = (bytesIn = 0, bytesOut = 0) => ({ bytesIn, bytesOut }) as MemberSession;

function member(capabilities: readonly string[] = [], first = session()): Member {
  const memory = new MemoryBudget(memoryLimits(1), new FakeClock()).share();
  const account = { role: "read", token: "ci" } as const;
  return new Member(
    { id: 1, name: "Client01", account, address: "a:1", startedAt: 0, capabilities, memory },
    () => first,
  );
}

describe("a member", () => {
  test("has counted nothing when it comes", () => {
    expect(member().counters).toEqual({ bytesIn: 0, bytesOut: 0, messagesIn: 0, messagesOut: 0 });
  });

  test("counts its bytes over all its links", () => {
    const one = member([], session(1, 10));
    one.moveTo("b:2", [], () => session(2, 20));
    one.moveTo("c:3", [], () => session(4, 40));
    expect(one.counters).toMatchObject({ bytesIn: 7, bytesOut: 70 });
  });

  test("that comes back has its new address and session, and is superseded no more", () => {
    const [one, next] = [member(), session()];
    one.isSuperseded = true;
    one.moveTo("b:2", [], () => next);
    expect([one.address, one.session, one.isSuperseded]).toEqual(["b:2", next, false]);
  });

  test("knows the capabilities of its client, which each link names again", () => {
    const facts = ({ paths, knowsDigests, knowsHoles }: Member) => [paths, knowsDigests, knowsHoles];
    const one = member([NAMES_CAPABILITY]);
    expect(facts(one)).toEqual(["any", false, false]);
    one.moveTo("b:2", [DIGESTS_CAPABILITY], () => session());
    expect(facts(one)).toEqual(["plain", true, false]);
    one.moveTo("c:3", [HOLES_CAPABILITY], () => session());
    expect(facts(one)).toEqual(["plain", false, true]);
  });
});

test.each<[string, Partial<SessionEnd>]>([
  ["lost", { by: "lost" }],
  ["exit", { code: "OK" }],
  ["kicked", { code: "KICKED" }],
  ["timeout", { code: "HEARTBEAT_TIMEOUT" }],
  ["revoked", { code: "ACCESS_DENIED" }],
  ["idle", { code: "IDLE_TIMEOUT" }],
  ["shutdown", { by: "local", code: "SHUTDOWN" }],
  ["exit", { by: "remote", code: "SHUTDOWN" }],
  ["protocol error", { code: "BAD_PAYLOAD" }],
])("the ledger says %s of an end with %j", (reason, end) => {
  expect<string>(endReason({ by: "remote", code: "OK", message: "", ...end })).toBe(reason);
});
