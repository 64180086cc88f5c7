/** The answer to a message, whoever it was for: it names recipients as far as a frame surely holds them. */
import { describe, expect, test } from "bun:test";
import { CommError } from "../../../lib/errors.ts";
import type { SendResult } from "../../../lib/protocol/methods.ts";
import { EventFeed } from "../../../lib/server/event-feed.ts";
import { Member } from "../../../lib/server/member.ts";
import type { MemberSession } from "../../../lib/server/member-session.ts";
import { Members } from "../../../lib/server/members.ts";
import { MemoryBudget } from "../../../lib/server/memory-budget.ts";
import { memoryLimits } from "../../../lib/server/memory-limits.ts";
import { message } from "../../../lib/server/methods/message.ts";
import type { Stream } from "../../../lib/session/stream.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { faultOf } from "../../support/fault.ts";

const clock = new FakeClock();
const budget = new MemoryBudget(memoryLimits(1), clock);

/** A session that acknowledges each push, or, with `reason`, can't be reached for it. */
function sessionOf(reason?: string): MemberSession {
  const push = { accepted: Promise.resolve({}), reset() {} } as unknown as Stream;
  return {
    bytesIn: 0,
    bytesOut: 0,
    closed: Promise.resolve(),
    idleSince: undefined,
    congested: false,
    canOpen: true,
    open() {
      if (reason === undefined) return push;
      throw new CommError("NOT_DELIVERED", reason);
    },
    goAway() {},
    terminate() {},
  };
}

function memberOf(name: string, reason?: string): Member {
  const account = { role: "write", token: undefined } as const;
  const options = { id: 1, name, account, address: "memory", startedAt: 0, capabilities: [], memory: budget.share() };
  return new Member(options, () => sessionOf(reason));
}

/** `good` clients that take messages, and `bad` ones that fail for `reason`; the first of them asks. */
function room(good: number, bad: number, reason = "gone") {
  const members = new Members();
  const sender = memberOf("Client0");
  members.add(sender);
  for (let each = 1; each <= good; each++) members.add(memberOf(`Good${each}`));
  for (let each = 1; each <= bad; each++) members.add(memberOf(`Bad${each}`, reason));
  return async (to: string): Promise<SendResult> => {
    const answer = Promise.withResolvers<unknown>();
    const stream = { accept: (members: unknown) => answer.resolve(members) } as unknown as Stream;
    const server = { members, mail: undefined, events: new EventFeed(() => 0), clock };
    await message.handle({ params: { text: "hi", to }, stream, member: sender, server });
    return (await answer.promise) as SendResult;
  };
}

test("no timer is left once a message was acknowledged, or could not be pushed", async () => {
  const before = clock.pending;
  expect((await room(5, 2)("all")).delivered).toHaveLength(5);
  expect(clock.pending).toBe(before);
});

describe("the answer to a message to all", () => {
  test("names everybody while they fit, and then nothing is omitted", async () => {
    const { delivered, failed, omitted } = await room(1_000, 100)("all");
    expect([delivered.length, failed.length, omitted]).toEqual([1_000, 100, undefined]);
    expect([delivered[0], delivered.at(-1), failed.at(-1)?.name]).toEqual(["Good1", "Good1000", "Bad100"]);
  });

  test("names 1,000 whom it reached and 100 whom it did not, and counts the others", async () => {
    const { delivered, failed, omitted } = await room(1_002, 103)("all");
    expect([delivered.length, failed.length, omitted]).toEqual([1_000, 100, 5]);
    expect(await room(0, 101)("all")).toMatchObject({ delivered: [], omitted: 1 });
  });

  test("says why it did not reach a client, in at most 200 whole characters", async () => {
    const { failed } = await room(0, 1, `${"x".repeat(199)}😀 and more`)("all");
    expect(failed[0]?.message).toHaveLength(200);
    expect(failed[0]?.message).toBe(`${"x".repeat(199)}\u{fffd}`);
  });

  test("is an answer and no failure even when it reached nobody", async () => {
    expect(await room(0, 1)("all")).toMatchObject({ delivered: [], failed: [{ name: "Bad1", message: "gone" }] });
    expect(await room(0, 0)("all")).toEqual({ text: "hi ACK", delivered: [], failed: [] });
  });

  test("to one client that can't be reached is NOT_DELIVERED, with the reason", async () => {
    const { code, message } = await faultOf(() => room(1, 1)("bad1"));
    expect(code).toBe("NOT_DELIVERED");
    expect(message).toBe("The message did not reach Bad1: gone");
  });
});
