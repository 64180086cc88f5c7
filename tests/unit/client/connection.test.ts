import { describe, expect, test } from "bun:test";
import { Client } from "../../../lib/client/client.ts";
import { Connection, type ConnectionOptions } from "../../../lib/client/connection.ts";
import { CommError, type ErrorCode } from "../../../lib/errors.ts";
import { systemClock } from "../../../lib/session/clock.ts";
import { memoryPair } from "../../../lib/transport/memory-transport.ts";
import { FakeClock, settle } from "../../support/fake-clock.ts";
import { codeOf, rejection, watch } from "../../support/outcomes.ts";
import { TestServer } from "../../support/test-server.ts";

const fault = (code: ErrorCode) => new CommError(code, `It is ${code}.`);

/** A connection whose attempts do what the test says: a code fails, a number is the client's. */
async function connected(attempts: (ErrorCode | number)[], options: Partial<ConnectionOptions> = {}) {
  const clock = new FakeClock();
  const resumes: string[] = [];
  const delays: number[] = [];
  const losses: string[] = [];
  let back = 0;
  const connection = await Connection.open({
    clock,
    reconnectMs: 60_000,
    random: () => 1,
    onLost: (error, delayMs) => {
      losses.push(error.code);
      delays.push(delayMs);
    },
    onBack: () => back++,
    connect: async (resume) => {
      resumes.push(resume);
      const next = attempts.shift() ?? 99;
      if (typeof next === "string") throw fault(next);
      return { resume: `token-${next}`, abandon() {} } as unknown as Client;
    },
    ...options,
  });
  const recover = (code: ErrorCode = "LOST") => watch(connection.recover(fault(code)));
  return { connection, clock, resumes, delays, losses, recover, backs: () => back };
}

describe("Connection", () => {
  test("connects once to begin with: a failure then is reported", async () => {
    const opening = watch(connected(["CANNOT_CONNECT", 1]));
    await settle();
    expect(codeOf(opening)).toBe("CANNOT_CONNECT");
  });

  test("tries again as often as it may while the server can't be reached, ever later", async () => {
    const clock = new FakeClock();
    const delays: number[] = [];
    const retry = { clock, retries: 3, onRetry: (_: unknown, delayMs: number) => void delays.push(delayMs) };
    const opening = watch(connected(["CANNOT_CONNECT", "LOST", "TIMEOUT", 1], retry));
    for (let second = 0; second < 10; second++) await clock.advance(1_000);
    expect(opening.state).toBe("resolved");
    expect(delays).toEqual([1_000, 2_000, 4_000]);
    const giving = watch(connected(["CANNOT_CONNECT", "CANNOT_CONNECT", 1], { ...retry, retries: 1 }));
    for (let second = 0; second < 3; second++) await clock.advance(1_000);
    expect(codeOf(giving)).toBe("CANNOT_CONNECT");
    expect(await rejection(connected(["ACCESS_DENIED", 1], retry))).toMatchObject({ code: "ACCESS_DENIED" });
  });

  test("stops trying again when it is interrupted", async () => {
    const interrupt = new AbortController();
    const retry = { retries: 9, signal: interrupt.signal, onRetry: () => interrupt.abort() };
    expect(await rejection(connected(["CANNOT_CONNECT", 1], retry))).toMatchObject({ code: "INTERRUPTED" });
  });

  test("comes back with the token that it was given last", async () => {
    const { connection, clock, resumes, recover, backs } = await connected([1, 2, 3]);
    for (const token of ["token-2", "token-3"]) {
      const back = recover();
      await clock.advance(10_000);
      expect(back.state).toBe("resolved");
      expect(connection.client.resume).toBe(token);
    }
    expect(resumes).toEqual(["", "token-1", "token-2"]);
    expect(backs()).toBe(2);
  });

  test("waits twice as long after each attempt, up to ten seconds", async () => {
    const { clock, delays, losses, recover } = await connected(
      [1, ...Array<ErrorCode>(9).fill("CANNOT_CONNECT"), 2], //
    );
    const back = recover("HEARTBEAT_TIMEOUT");
    await clock.advance(200_000);
    expect(back.state).toBe("resolved");
    expect(delays).toEqual([200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000, 10_000, 10_000]);
    expect(losses).toEqual(["HEARTBEAT_TIMEOUT", ...Array(9).fill("CANNOT_CONNECT")]);
  });

  test("waits between half of that and all of it, by chance", async () => {
    for (const [random, first] of [
      [0, 100],
      [0.5, 150],
      [1, 200],
    ] as const) {
      const { clock, delays, recover } = await connected([1, 2], { random: () => random });
      const back = recover();
      await clock.advance(first - 1);
      expect(back.state).toBe("pending");
      await clock.advance(1);
      expect(back.state).toBe("resolved");
      expect(delays).toEqual([first]);
    }
  });

  test("gives up before the time that it has is over, with the last failure", async () => {
    const { clock, delays, recover } = await connected([1, ...Array<ErrorCode>(50).fill("CANNOT_CONNECT")], {
      reconnectMs: 5_000,
    });
    const back = recover();
    await clock.advance(5_000);
    expect(codeOf(back)).toBe("CANNOT_CONNECT");
    expect(delays.reduce((sum, delay) => sum + delay, 0)).toBeLessThanOrEqual(5_000);
    expect(clock.pending).toBe(0);
  });

  test("tries not at all with no time", async () => {
    const { resumes, recover } = await connected([1, 2], { reconnectMs: 0 });
    const back = recover();
    await settle();
    expect([codeOf(back), resumes.length]).toEqual(["LOST", 1]);
  });

  test.each(["LOST", "HEARTBEAT_TIMEOUT", "SHUTDOWN", "UNAVAILABLE", "TIMEOUT", "CANNOT_CONNECT"] as const)(
    "comes back after %s",
    async (code) => {
      const { clock, recover } = await connected([1, 2]);
      const back = recover(code);
      await clock.advance(1_000);
      expect(back.state).toBe("resolved");
    },
  );

  test.each([
    "KICKED",
    "UNSUPPORTED_VERSION",
    "BAD_MAGIC",
    "NOT_FOUND",
    "CHANGED",
    "DISK_FULL",
    "INTERRUPTED",
  ] as const)("does not try again after %s, nor when an attempt ends so", async (code) => {
    const direct = await connected([1, 2]);
    const thrown = direct.recover(code);
    await direct.clock.advance(1_000);
    expect([codeOf(thrown) as string, direct.resumes.length]).toEqual([code, 1]);
    const later = await connected([1, "CANNOT_CONNECT", code, 2]);
    const ended = later.recover();
    await later.clock.advance(60_000);
    expect([codeOf(ended) as string, later.resumes.length]).toEqual([code, 3]);
  });

  test("goes on trying while the server is full: the seat may come free", async () => {
    const { clock, recover } = await connected([1, "SERVER_FULL", "SERVER_FULL", 2]);
    const back = recover();
    await clock.advance(10_000);
    expect(back.state).toBe("resolved");
  });

  test("comes back once for all who have lost the same link", async () => {
    const { clock, resumes, recover } = await connected([1, 2, 3]);
    const backs = [recover(), recover(), recover()];
    await clock.advance(10_000);
    expect(backs.map(({ state }) => state)).toEqual(["resolved", "resolved", "resolved"]);
    expect(resumes).toHaveLength(2);
  });

  test("comes back once also for who notices it later", async () => {
    const { connection, clock, resumes } = await connected([1, 2, 3]);
    const late = Promise.withResolvers<void>();
    const failOn = async (client: Client, when: Promise<void>) => {
      if (client.resume !== "token-1") return client.resume;
      await when;
      throw fault("LOST");
    };
    const one = watch(connection.persist((client) => failOn(client, Promise.resolve())));
    const other = watch(connection.persist((client) => failOn(client, late.promise)));
    await settle();
    await clock.advance(10_000);
    expect(one.value).toBe("token-2");
    late.resolve();
    await settle();
    await clock.advance(10_000);
    expect(other.value).toBe("token-2");
    expect(resumes).toHaveLength(2);
  });

  test("does work again as long as it only fails by its link", async () => {
    const { connection, clock } = await connected([1, 2, 3, 4]);
    const seen: (string | undefined)[] = [];
    const done = watch(
      connection.persist(async (client) => {
        seen.push(client.resume);
        if (seen.length < 3) throw fault("LOST");
        return "done";
      }),
    );
    await settle();
    await clock.advance(60_000);
    expect(done.value).toBe("done");
    expect(seen).toEqual(["token-1", "token-2", "token-3"]);
    const failed = watch(connection.persist(() => Promise.reject(fault("NOT_FOUND"))));
    await settle();
    expect(codeOf(failed)).toBe("NOT_FOUND");
  });

  test("gives way to others when the server says so, longer each time, and goes on over the same link", async () => {
    const { connection, clock, resumes } = await connected([1]);
    let runs = 0;
    const done = watch(
      connection.persist(async () => {
        if (++runs < 4) throw fault("CROWDED");
        return "done";
      }),
    );
    await settle();
    expect(runs).toBe(1);
    await clock.advance(400);
    expect(runs).toBe(2);
    await clock.advance(800);
    expect(runs).toBe(3);
    await clock.advance(1_600);
    expect([done.value, resumes.length]).toEqual(["done", 1]);
  });

  test("gives way ten times without progress, and without end with some", async () => {
    const { connection, clock } = await connected([1]);
    let runs = 0;
    const failed = watch(
      connection.persist(async () => {
        if (++runs === 8) connection.noteProgress();
        throw fault("CROWDED");
      }),
    );
    await settle();
    for (let count = 0; count < 30; count++) await clock.advance(10_000);
    expect([codeOf(failed), runs]).toEqual(["CROWDED", 18]);
  });

  test("ends its wait when it is interrupted", async () => {
    const abort = new AbortController();
    const { clock, recover, resumes } = await connected([1, "CANNOT_CONNECT", "INTERRUPTED"], { signal: abort.signal });
    const back = recover();
    await clock.advance(200);
    expect(resumes).toHaveLength(2);
    abort.abort();
    await settle();
    expect(codeOf(back)).toBe("INTERRUPTED");
    expect(clock.pending).toBe(0);
  });

  test("makes no attempt once it is interrupted, while it waits or before", async () => {
    const abort = new AbortController();
    const { clock, recover, resumes } = await connected([1, "CANNOT_CONNECT", 2], { signal: abort.signal });
    const back = recover();
    await clock.advance(200);
    abort.abort();
    await settle();
    const later = recover();
    await clock.advance(60_000);
    expect([codeOf(back), codeOf(later), resumes.length]).toEqual(["INTERRUPTED", "LOST", 2]);
  });

  test("tries once more when the wait ends just in time", async () => {
    for (const [reconnectMs, state] of [
      [199, "rejected"],
      [200, "resolved"],
    ] as const) {
      const { clock, recover } = await connected([1, 2], { reconnectMs });
      const back = recover();
      await clock.advance(200);
      expect(back.state).toBe(state);
    }
  });

  test.each([
    ["TIMEOUT", ["1 is gone after 2 came"]],
    ["LOST", []],
  ] as const)("after %s leaves the old link only if that may still be there", async (code, expected) => {
    const told: string[] = [];
    let count = 0;
    const { clock, recover } = await connected([], {
      connect: async () => {
        const number = ++count;
        return { abandon: () => told.push(`${number} is gone after ${count} came`) } as unknown as Client;
      },
    });
    const back = recover(code);
    await clock.advance(1_000);
    expect([back.state, told]).toEqual(["resolved", [...expected]]);
  });

  test("asks for a new session where it was given no token", async () => {
    const seen: string[] = [];
    const { clock, recover } = await connected([], {
      connect: async (resume) => {
        seen.push(resume);
        return {} as Client;
      },
    });
    recover();
    await clock.advance(1_000);
    expect(seen).toEqual(["", ""]);
  });

  test("without progress, losses share one time and one backoff; with some, each has its own", async () => {
    for (const hasProgress of [false, true]) {
      const { connection, clock, delays, recover } = await connected([1, 2, 3, 4], { reconnectMs: 1_000 });
      for (let loss = 0; loss < 3; loss++) {
        const back = recover();
        await clock.advance(400);
        if (loss < 2) expect(back.state).toBe("resolved");
        if (hasProgress) connection.noteProgress();
      }
      expect(delays).toEqual(hasProgress ? [200, 200, 200] : [200, 400]);
    }
  });

  test("counts a link that has held as long as reconnecting may take as progress, from when it began", async () => {
    const { connection, clock, delays, recover } = await connected([1, 2, 3, 4, 5], { reconnectMs: 60_000 });
    const loseAfter = async (ms: number) => {
      await clock.advance(ms);
      connection.noteHeld();
      const back = recover();
      await clock.advance(delays.at(-1) ?? 0);
      expect(back.state).toBe("resolved");
    };
    await loseAfter(0);
    await loseAfter(59_000);
    expect(delays).toEqual([200, 400]);
    await loseAfter(60_000);
    expect(delays).toEqual([200, 400, 200]);
    await loseAfter(59_000);
    expect(delays).toEqual([200, 400, 200, 400]);
  });

  test("is welcomed back under the same name by a real server, in the same seat", async () => {
    await using server = new TestServer({ maxClients: 1 });
    let cut = () => {};
    const connection = await Connection.open({
      clock: { ...systemClock, after: (_, action) => systemClock.after(1, action) },
      reconnectMs: 10_000,
      random: () => 0,
      connect: (resume) => {
        const [ours, theirs] = memoryPair();
        server.server.accept(ours, "write");
        cut = () => theirs.abort();
        return Client.connect({
          transport: theirs,
          clock: systemClock,
          agent: "t",
          wait: false,
          timeoutMs: 5_000,
          resume,
        });
      },
    });
    const { name } = connection.client;
    for (let turn = 0; turn < 3; turn++) {
      let isFirst = true;
      const status = await connection.persist((client) => {
        if (isFirst) cut();
        isFirst = false;
        return client.status();
      });
      expect(status.self.name).toBe(name);
      expect(status.seats.taken).toBe(1);
    }
  });
});
