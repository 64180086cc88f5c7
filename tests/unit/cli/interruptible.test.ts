import { afterEach, beforeEach, describe, expect, jest, test } from "bun:test";
import { interruptible } from "../../../lib/cli/interruptible.ts";
import { CLEAN_UP_MS, unlessAborted } from "../../../lib/cli/unless-aborted.ts";
import { settle } from "../../support/fake-clock.ts";
import { codeOf } from "../../support/fault.ts";
import { watch } from "../../support/outcomes.ts";

describe("work that Ctrl-C interrupts", () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  const silence = () => new Promise<string>(() => {});

  test("has half a second to clean up: a silent server delays its user for no longer", async () => {
    const abort = new AbortController();
    const outcome = watch(unlessAborted(silence(), abort.signal, CLEAN_UP_MS));
    jest.advanceTimersByTime(60_000);
    abort.abort();
    jest.advanceTimersByTime(499);
    await settle();
    expect(outcome.state).toBe("pending");
    jest.advanceTimersByTime(1);
    await settle();
    expect(outcome).toMatchObject({ state: "rejected", error: { code: "INTERRUPTED" } });
  });

  test("ends with its own result when it has cleaned up in time", async () => {
    const abort = new AbortController();
    const work = Promise.withResolvers<string>();
    const outcome = watch(unlessAborted(work.promise, abort.signal, CLEAN_UP_MS));
    abort.abort();
    jest.advanceTimersByTime(100);
    work.resolve("kept");
    await settle();
    expect(outcome).toMatchObject({ state: "resolved", value: "kept" });
    expect(jest.getTimerCount()).toBe(0);
  });

  test("has the same time when the interruption came first", async () => {
    const outcome = watch(unlessAborted(silence(), AbortSignal.abort(), CLEAN_UP_MS));
    jest.advanceTimersByTime(500);
    await settle();
    expect(outcome.state).toBe("rejected");
  });
});

test("a wait that nobody needs any more ends at once, also when the signal came first", async () => {
  const silence = new Promise<string>(() => {});
  expect(await codeOf(() => unlessAborted(silence, AbortSignal.abort()))).toBe("INTERRUPTED");
  const abort = new AbortController();
  const waiting = unlessAborted(silence, abort.signal);
  abort.abort();
  expect(await codeOf(() => waiting)).toBe("INTERRUPTED");
  expect(await unlessAborted(Promise.resolve("read"), new AbortController().signal)).toBe("read");
});

test("a program's signals are its own again after the work", async () => {
  const count = () => process.listenerCount("SIGTERM") + process.listenerCount("SIGQUIT");
  const before = count();
  expect(await interruptible(async () => count() - before)).toBeGreaterThan(0);
  expect(count()).toBe(before);
  await interruptible(() => Promise.reject(new Error("no"))).catch(() => {});
  expect(count()).toBe(before);
});

test("SIGTERM aborts the work, and the next one would end the program by itself", async () => {
  const listeners = process.listenerCount("SIGTERM");
  const aborted = await interruptible(async (signal) => {
    process.emit("SIGTERM", "SIGTERM");
    return [signal.aborted, process.listenerCount("SIGTERM") - listeners];
  });
  expect(aborted).toEqual([true, 0]);
});
