import { describe, expect, test } from "bun:test";
import { type GuestRequest, GuestSession, MAX_REQUESTS } from "../../../lib/server/guest-session.ts";
import type { SessionEnd } from "../../../lib/session/session-end.ts";
import { FakeClock, settle } from "../../support/fake-clock.ts";
import { faultOf } from "../../support/fault.ts";

const GRACE_MS = 5_000;
const NOTHING_MORE: SessionEnd = { by: "remote", code: "OK", message: "It asked for nothing more." };

function site() {
  const clock = new FakeClock();
  const ends: SessionEnd[] = [];
  const session = new GuestSession({
    clock,
    graceMs: GRACE_MS,
    rateLimit: undefined,
    inboundLimit: undefined,
    onEnd: (end) => void ends.push(end),
  });
  let isClosed = false;
  void session.closed.then(() => {
    isClosed = true;
  });
  const closed = async () => {
    await settle();
    return isClosed;
  };
  return { clock, session, ends, closed };
}

/** A request that stops when it is told to, and remembers why. */
class Request implements GuestRequest {
  bytesIn = 0;
  bytesOut = 0;
  readonly told: string[] = [];
  readonly over: () => void;

  constructor(session: GuestSession, options: { isStubborn?: boolean } = {}) {
    this.over = session.begin(this);
    this.#isStubborn = options.isStubborn === true;
  }

  readonly #isStubborn: boolean;

  end(code: string, message: string): void {
    this.told.push(`${code} ${message}`);
    if (!this.#isStubborn) this.over();
  }
}

describe("the session of a client without a link", () => {
  test("ends when nothing was ever asked for within its grace time", async () => {
    const { clock, ends, closed } = site();
    await clock.advance(GRACE_MS - 1);
    expect([ends, await closed()]).toEqual([[], false]);
    await clock.advance(1);
    expect([ends, await closed(), clock.pending]).toEqual([[NOTHING_MORE], true, 0]);
  });

  test("lasts as long as a request is under way, and its grace time begins again after the last", async () => {
    const { clock, session, ends } = site();
    const [one, two] = [new Request(session), new Request(session)];
    await clock.advance(10 * GRACE_MS);
    one.over();
    await clock.advance(10 * GRACE_MS);
    two.over();
    await clock.advance(GRACE_MS - 1);
    const three = new Request(session);
    await clock.advance(10 * GRACE_MS);
    expect(ends).toEqual([]);
    three.over();
    await clock.advance(GRACE_MS);
    expect(ends).toEqual([NOTHING_MORE]);
  });

  test("is idle since its last request has ended, and not while one is under way", async () => {
    const { clock, session } = site();
    const begun = clock.now();
    await clock.advance(10);
    expect(session.idleSince).toBe(begun);
    const [one, two] = [new Request(session), new Request(session)];
    expect(session.idleSince).toBeUndefined();
    one.over();
    await clock.advance(10);
    two.over();
    await clock.advance(10);
    one.over(); // again, which has no effect
    expect(session.idleSince).toBe(begun + 20);
  });

  test("counts the bytes of the requests that have ended and of those under way, each once", () => {
    const { session } = site();
    expect([session.bytesIn, session.bytesOut]).toEqual([0, 0]);
    const [one, two] = [new Request(session), new Request(session)];
    Object.assign(one, { bytesIn: 1, bytesOut: 10 });
    Object.assign(two, { bytesIn: 2, bytesOut: 20 });
    expect([session.bytesIn, session.bytesOut]).toEqual([3, 30]);
    one.over();
    one.over();
    two.bytesOut = 25;
    expect([session.bytesIn, session.bytesOut]).toEqual([3, 35]);
  });

  test("takes so many requests at once, and one more when one has ended", async () => {
    const { session } = site();
    const all = Array.from({ length: MAX_REQUESTS }, () => new Request(session));
    const { code, message } = await faultOf(() => session.begin(new Request(site().session)));
    expect([code, message]).toEqual(["TOO_MANY_STREAMS", "128 requests are under way."]);
    all[0]?.over();
    new Request(session);
  });

  test("takes no messages", async () => {
    expect(await faultOf(() => site().session.open())).toMatchObject({ code: "NOT_DELIVERED" });
  });
});

describe("its end", () => {
  test("by goAway comes at once when nothing is under way", async () => {
    const { clock, session, ends, closed } = site();
    session.goAway("SHUTDOWN", "bye", 1_000);
    expect([ends, await closed()]).toEqual([[{ by: "local", code: "SHUTDOWN", message: "bye" }], true]);
    expect(clock.pending).toBe(0);
  });

  test("by goAway waits for what is under way, and takes nothing new", async () => {
    const { clock, session, ends, closed } = site();
    const request = new Request(session);
    session.goAway("SHUTDOWN", "bye", 1_000);
    session.goAway("KICKED", "the first counts", 1);
    expect(await faultOf(() => session.begin(request))).toMatchObject({ code: "SHUTDOWN", message: "bye" });
    await clock.advance(999);
    expect([request.told, ends, await closed()]).toEqual([[], [], false]);
    request.over();
    expect([ends.length, await closed(), clock.pending]).toEqual([1, true, 0]);
    expect(ends[0]).toMatchObject({ by: "local", code: "SHUTDOWN" });
  });

  test("by goAway ends what is under way at the deadline", async () => {
    const { clock, session, ends, closed } = site();
    const request = new Request(session);
    session.goAway("SHUTDOWN", "bye", 1_000);
    await clock.advance(1_000);
    expect(request.told).toEqual(["SHUTDOWN bye"]);
    expect([ends.length, await closed()]).toEqual([1, true]);
  });

  test("by terminate comes at once, with what is under way; it is closed when the last of that has stopped", async () => {
    const { session, ends, closed } = site();
    const [quick, stubborn] = [new Request(session), new Request(session, { isStubborn: true })];
    session.terminate("KICKED", "out");
    expect([quick.told, stubborn.told]).toEqual([["KICKED out"], ["KICKED out"]]);
    expect([ends, await closed()]).toEqual([[{ by: "local", code: "KICKED", message: "out" }], false]);
    stubborn.over();
    expect([ends.length, await closed()]).toEqual([1, true]);
    session.terminate("SHUTDOWN", "again");
    expect([ends.length, stubborn.told.length]).toEqual([1, 1]);
  });

  test("by terminate beats a deadline that runs", async () => {
    const { clock, session, ends } = site();
    const request = new Request(session);
    session.goAway("SHUTDOWN", "bye", 1_000);
    session.terminate("KICKED", "out");
    await clock.advance(10 * GRACE_MS);
    expect(request.told).toEqual(["KICKED out"]);
    expect(ends).toEqual([{ by: "local", code: "KICKED", message: "out" }]);
    expect(clock.pending).toBe(0);
  });

  test("because nothing was asked for refuses what comes then as a server that stops does", async () => {
    const { clock, session } = site();
    await clock.advance(GRACE_MS);
    expect(await faultOf(() => new Request(session))).toMatchObject({ code: "SHUTDOWN" });
  });

  test("of one that never began leaves no timer", () => {
    const { clock, session, ends } = site();
    session.abandon();
    expect([clock.pending, ends]).toEqual([0, []]);
  });
});
