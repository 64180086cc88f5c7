import { describe, expect, test } from "bun:test";
import { MAX_WORKING_MS, orSilence, silenceFor, watchSilence } from "../../../lib/client/silence-watch.ts";
import type { Stream } from "../../../lib/session/stream.ts";
import { FakeClock, settle } from "../../support/fake-clock.ts";
import { faultOf } from "../../support/fault.ts";

const SILENCE_MS = 48_000;

/** A request as the watch sees it, on a clock of its own. */
function request() {
  const clock = new FakeClock();
  const closed = Promise.withResolvers<void>();
  const state = { isWaiting: true, movement: 0, workings: 0 };
  const ends: string[] = [];
  const stream = {
    closed: closed.promise,
    get movement() {
      return state.movement;
    },
    get workings() {
      return state.workings;
    },
    reset(code: string, _: string, error: Error) {
      ends.push(`${code} ${error.message}`);
      closed.resolve();
    },
  } as unknown as Stream;
  watchSilence({ stream, clock, silenceMs: SILENCE_MS, method: "get", isWaiting: () => state.isWaiting });
  return { clock, state, ends, close: () => closed.resolve() };
}

const SILENT = 'CANCELLED The server has made no progress with "get" for 48 s.';

describe("a request that is owed an answer", () => {
  test("ends when nothing has come for the whole time, and not before", async () => {
    const { clock, ends } = request();
    await clock.advance(SILENCE_MS - 1);
    expect(ends).toEqual([]);
    await clock.advance(1);
    expect([ends, clock.pending]).toEqual([[SILENT], 0]);
  });

  test("goes on while something comes, and has the whole time again after it", async () => {
    const { clock, state, ends } = request();
    await clock.advance(SILENCE_MS / 2);
    state.movement++;
    // It is seen by the next look, an eighth of the time later.
    await clock.advance(SILENCE_MS + SILENCE_MS / 8 - 1);
    expect(ends).toEqual([]);
    await clock.advance(1);
    expect(ends).toEqual([SILENT]);
  });

  test("goes on while the next step is ours", async () => {
    const { clock, state, ends } = request();
    state.isWaiting = false;
    await clock.advance(2 * MAX_WORKING_MS);
    state.isWaiting = true;
    await clock.advance(SILENCE_MS - 1);
    expect(ends).toEqual([]);
    await clock.advance(1);
    expect(ends).toEqual([SILENT]);
  });

  test("does not end because this process itself was stopped", async () => {
    const { clock, ends } = request();
    await clock.advance(SILENCE_MS - 1);
    clock.stall(10 * SILENCE_MS);
    await clock.advance(0);
    expect(ends).toEqual([]);
    await clock.advance(SILENCE_MS);
    expect(ends).toEqual([SILENT]);
  });

  test("on which a server only reports work for a day ends as well", async () => {
    const { clock, state, ends } = request();
    const work = async (ms: number) => {
      for (let passed = 0; passed < ms; passed += SILENCE_MS / 8) {
        state.movement++;
        state.workings++;
        await clock.advance(SILENCE_MS / 8);
      }
    };
    await work(MAX_WORKING_MS / 2);
    state.movement++; // one byte of the answer
    await work(MAX_WORKING_MS - SILENCE_MS);
    expect(ends).toEqual([]);
    await work(2 * SILENCE_MS);
    expect(ends).toEqual(['CANCELLED The server has only reported for 24 h that it is working on "get".']);
  }, 20_000);

  test("is watched no more when it has ended", async () => {
    const { clock, ends, close } = request();
    close();
    await settle();
    expect(clock.pending).toBe(0);
    await clock.advance(10 * SILENCE_MS);
    expect(ends).toEqual([]);
  });
});

describe("an answer", () => {
  test("that comes in time is given on, and leaves no timer", async () => {
    const clock = new FakeClock();
    const answer = Promise.withResolvers<number>();
    const waited = orSilence(answer.promise, "a ping", { clock, silenceMs: SILENCE_MS });
    await clock.advance(SILENCE_MS - 1);
    answer.resolve(5);
    expect(await waited).toBe(5);
    expect(clock.pending).toBe(0);
  });

  test("that does not come is TIMEOUT when the time is over", async () => {
    const clock = new FakeClock();
    let isOver = false;
    const answer = orSilence(new Promise(() => {}), "a ping", { clock, silenceMs: SILENCE_MS });
    const fault = faultOf(() => answer);
    void fault.then(() => {
      isOver = true;
    });
    await clock.advance(SILENCE_MS - 1);
    expect(isOver).toBe(false);
    await clock.advance(1);
    const message = "The server has not answered a ping for 48 s.";
    expect(await fault).toMatchObject({ code: "TIMEOUT", message });
    expect(clock.pending).toBe(0);
  });

  test("is waited for again when this process was stopped meanwhile", async () => {
    const clock = new FakeClock();
    let isOver = false;
    const answer = orSilence(new Promise(() => {}), "a ping", { clock, silenceMs: SILENCE_MS });
    const fault = faultOf(() => answer);
    void fault.then(() => {
      isOver = true;
    });
    await clock.advance(SILENCE_MS - 1);
    clock.stall(SILENCE_MS);
    await clock.advance(SILENCE_MS - 1);
    expect(isOver).toBe(false);
    await clock.advance(1);
    expect(await fault).toMatchObject({ code: "TIMEOUT" });
  });
});

test.each([
  [0, 45_000],
  [15_000, 45_000],
  [15_001, 45_003],
  [60_000, 180_000],
])("who waits %i ms for a connection waits %i ms for an answer", (timeoutMs, silenceMs) => {
  expect(silenceFor(timeoutMs)).toBe(silenceMs);
});
