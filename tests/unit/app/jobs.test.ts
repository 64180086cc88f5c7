import { describe, expect, test } from "bun:test";
import type { Resolution } from "../../../lib/app/asks.ts";
import type { JobFacts } from "../../../lib/app/events.ts";
import type { JobRequest, RunTerms } from "../../../lib/app/job.ts";
import { Jobs } from "../../../lib/app/jobs.ts";
import type { TransferItem } from "../../../lib/client/transfer.ts";
import { CommError } from "../../../lib/errors.ts";
import type { ExistsPolicy } from "../../../lib/storage/storage.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { until } from "../../support/until.ts";

const item = (from: string, size = 100): TransferItem => ({ from, to: from, kind: "file", size, modifiedAt: 0 });

/** A transfer that a test leads by hand. */
class Led {
  readonly terms: RunTerms;
  readonly #end = Promise.withResolvers<void>();

  constructor(terms: RunTerms) {
    this.terms = terms;
    terms.signal.addEventListener("abort", () => this.#end.reject(new CommError("INTERRUPTED", "Interrupted.")));
  }

  get run(): () => Promise<never> {
    return () => this.#end.promise as Promise<never>;
  }

  end(): void {
    this.#end.resolve();
  }

  fail(error: Error): void {
    this.#end.reject(error);
  }

  ask(...names: string[]): Promise<readonly ExistsPolicy[] | undefined> {
    const error = new CommError("EXISTS", "It exists.");
    return (this.terms.onConflict as NonNullable<RunTerms["onConflict"]>)(
      names.map((name) => ({ item: item(name), error })),
    );
  }
}

function site() {
  const clock = new FakeClock();
  const led: Led[] = [];
  const told: JobFacts[] = [];
  const dismissed: number[] = [];
  const jobs = new Jobs({
    clock,
    transfer: async (_: JobRequest, terms: RunTerms) => {
      led.push(new Led(terms));
      return led.at(-1) as Led;
    },
    onJob: (facts) => told.push(facts),
    onDismissed: (id) => dismissed.push(id),
  });
  const begin = (exists: JobRequest["exists"] = "ask") =>
    jobs.add({ from: "there", paths: ["a"], into: "/tmp", exists });
  const running = async (count: number) => {
    await until(() => led.length >= count);
    return led[count - 1] as Led;
  };
  return { clock, led, told, dismissed, jobs, begin, running };
}

describe("the transfers of a page", () => {
  test("run three at a time, and the next begins when one is over", async () => {
    const { jobs, begin, running } = site();
    for (let count = 0; count < 5; count++) begin();
    const third = await running(3);
    expect(jobs.all.map(({ state }) => state)).toEqual(["running", "running", "running", "waiting", "waiting"]);
    third.end();
    await running(4);
    expect(jobs.all.map(({ state }) => state)).toEqual(["running", "running", "done", "running", "waiting"]);
  });

  test("count files and bytes, with what was there before and what begins again", async () => {
    const { jobs, begin, running } = site();
    const id = begin();
    const { terms, end } = await running(1).then((led) => ({ terms: led.terms, end: () => led.end() }));
    const [a, b] = [item("a"), item("b", 50)];
    for (const each of [a, b]) terms.events.onPlanned?.(each);
    terms.events.onPlanComplete?.();
    terms.events.onStart?.(a, 60, 100);
    terms.events.onProgress?.(a, 20);
    expect(jobs.get(id).facts).toMatchObject({ bytes: { planned: 150, done: 80 }, current: "a", isPlanned: true });
    terms.events.onRestart?.(a);
    expect(jobs.get(id).facts.bytes.done).toBe(0);
    terms.events.onDone?.(a, { outcome: "stored", path: "a", size: 100 });
    terms.events.onDone?.(b, { outcome: "skipped", path: "b", size: 0 });
    end();
    await jobs.get(id).ended;
    expect(jobs.get(id).facts).toMatchObject({
      state: "done",
      files: { planned: 2, done: 1, failed: 0, skipped: 1 },
      bytes: { planned: 150, done: 150 },
      current: undefined,
    });
  });

  test("tell a new state at once, and progress a few times a second", async () => {
    const { clock, told, begin, running } = site();
    begin();
    const { terms } = await running(1);
    const before = told.length;
    for (let count = 0; count < 100; count++) terms.events.onProgress?.(item("a"), 1);
    expect(told.length).toBe(before);
    await clock.advance(250);
    expect(told.length).toBe(before + 1);
    expect(told.at(-1)?.bytes.done).toBe(100);
  });

  test("are paused with what has arrived, and go on as the same transfer made again", async () => {
    const { jobs, begin, running } = site();
    const id = begin();
    const first = await running(1);
    jobs.get(id).pause();
    expect(first.terms.signal.aborted).toBe(true);
    await until(() => jobs.get(id).state === "paused");
    expect(jobs.get(id).isOver).toBe(false);
    jobs.get(id).queueAgain();
    const second = await running(2);
    expect(jobs.get(id).state).toBe("running");
    second.end();
    await jobs.get(id).ended;
    expect(jobs.get(id).state).toBe("done");
  });

  test("that failed by the link go on when it is back; those that failed by their files do not", async () => {
    const { jobs, begin, running } = site();
    const [lost, partly] = [begin(), begin()];
    const [first, second] = [await running(1), await running(2)];
    second.terms.events.onFailed?.(item("a"), new CommError("NOT_FOUND", "It is gone."));
    second.end();
    first.fail(new CommError("LOST", "The link is lost."));
    await Promise.all([jobs.get(lost).ended, jobs.get(partly).ended]);
    expect(jobs.all.map(({ state }) => state)).toEqual(["failed", "failed"]);
    jobs.resumeAll();
    expect(jobs.all.map(({ state }) => state)).toEqual(["running", "failed"]);
    expect(jobs.get(partly).facts.troubles).toEqual([
      { path: "a", error: { code: "NOT_FOUND", message: "It is gone." } },
    ]);
  });

  test("that failed by a full disk do not begin again because the link is back", async () => {
    const { jobs, begin, running } = site();
    const id = begin();
    (await running(1)).fail(new CommError("DISK_FULL", "The disk is full."));
    await jobs.get(id).ended;
    jobs.resumeAll();
    expect(jobs.get(id).facts).toMatchObject({ state: "failed", error: { code: "DISK_FULL" } });
  });

  test("are cancelled whether they wait, run or are paused, and can be dismissed only then", async () => {
    const { jobs, begin, running, dismissed } = site();
    const ids = [begin(), begin(), begin(), begin()];
    await running(3);
    jobs.get(2).pause();
    await until(() => jobs.get(2).state === "paused");
    expect(() => jobs.dismiss(1)).toThrow("cancel it first");
    for (const id of ids) jobs.get(id).cancel();
    await Promise.all(ids.map((id) => jobs.get(id).ended));
    expect(jobs.all.map(({ state }) => state)).toEqual(["cancelled", "cancelled", "cancelled", "cancelled"]);
    jobs.dismiss(1);
    expect(dismissed).toEqual([1]);
    expect(() => jobs.get(1)).toThrow("no transfer 1");
  });

  test.each([
    ["skip", ["skip", "skip"]],
    [
      ["overwrite", "rename"],
      ["overwrite", "rename"],
    ],
    [["overwrite"], ["overwrite", "skip"]],
  ] as [Resolution | Resolution[], ExistsPolicy[]][])("ask about files that exist: %j", async (given, policies) => {
    const { jobs, begin, running } = site();
    const id = begin();
    const led = await running(1);
    const answer = led.ask("a", "b");
    expect(jobs.get(id).facts).toMatchObject({ state: "asking", conflicts: { count: 2, paths: ["a", "b"] } });
    jobs.get(id).resolve(given);
    expect(await answer).toEqual(policies);
    expect(jobs.get(id).state).toBe("running");
  });

  test("do not ask again after a pause what was answered", async () => {
    const { jobs, begin, running } = site();
    const id = begin();
    const first = await running(1);
    const answer = first.ask("a");
    jobs.get(id).resolve("rename");
    await answer;
    jobs.get(id).pause();
    await until(() => jobs.get(id).state === "paused");
    jobs.get(id).queueAgain();
    const second = await running(2);
    const more = second.ask("a", "b");
    expect(jobs.get(id).facts.conflicts).toEqual({ count: 1, paths: ["b"] });
    jobs.get(id).resolve("skip");
    expect(await more).toEqual(["rename", "skip"]);
  });

  test("whose question is pending can be paused", async () => {
    const { jobs, begin, running } = site();
    const id = begin();
    const led = await running(1);
    const asked = led.ask("a").catch((error) => led.fail(error));
    jobs.get(id).pause();
    await asked;
    await until(() => jobs.get(id).state === "paused");
    expect(jobs.get(id).facts.conflicts).toBeUndefined();
  });

  test("with another policy are not asked about", async () => {
    const { begin, running } = site();
    begin("overwrite");
    const { terms } = await running(1);
    expect(terms.exists).toBe("overwrite");
    expect(terms.onConflict).toBeUndefined();
  });

  test("all end when the application does", async () => {
    const { jobs, begin, running, led } = site();
    for (let count = 0; count < 4; count++) begin();
    await running(3);
    await jobs.close();
    expect(led.every(({ terms }) => terms.signal.aborted)).toBe(true);
    expect(jobs.all.map(({ state }) => state)).toEqual(["cancelled", "cancelled", "cancelled", "cancelled"]);
    expect(jobs.areActive).toBe(false);
  });
});
