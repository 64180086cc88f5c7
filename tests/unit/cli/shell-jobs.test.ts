/** Jobs of the shell whose work is a promise that the test settles. */
import { describe, expect, test } from "bun:test";
import { endLine, formatJobs, questionLine, type ShownJob } from "../../../lib/cli/client/job-lines.ts";
import type { JobTerms } from "../../../lib/cli/client/shell-job.ts";
import { ShellJobs } from "../../../lib/cli/client/shell-jobs.ts";
import { TransferTally } from "../../../lib/client/transfer-result.ts";
import { CommError, StorageError } from "../../../lib/errors.ts";
import { codeOf } from "../../support/fault.ts";
import { TestIo } from "../../support/test-io.ts";
import { until } from "../../support/until.ts";

/** A console where a person types. */
class TypedIo extends TestIo {
  override readonly outIsTty = true as never;
  override readonly inIsTty = true as never;
}

/** Jobs, what is said about them, and the work of each. */
function shellWith(io: TestIo = new TypedIo()) {
  const said: string[] = [];
  const exits: number[] = [];
  const jobs = new ShellJobs({ io, say: (line) => void said.push(line), onEnd: (exit) => void exits.push(exit) });
  const lineOf = (command: string) => {
    const end = Promise.withResolvers<number>();
    const begun = Promise.withResolvers<JobTerms>();
    const work = (terms: JobTerms) => {
      begun.resolve(terms);
      terms.signal.addEventListener("abort", () => end.reject(new CommError("INTERRUPTED", "Interrupted.")));
      return end.promise;
    };
    return { command, work, end, begun: begun.promise };
  };
  const front = () => ({ signal: new AbortController().signal });
  return { jobs, said, exits, io, lineOf, front };
}

describe("a job in the background", () => {
  test("says in one line how it ended", async () => {
    const { jobs, said, exits, io, lineOf } = shellWith();
    const [good, bad] = [lineOf("get a"), lineOf("get b")];
    jobs.start(good);
    jobs.start(bad);
    expect(io.notes).toEqual(["[1] running: get a", "[2] running: get b"]);
    const terms = await good.begun;
    terms.onResult?.({ ...new TransferTally().result, stored: 1, bytes: 3 });
    good.end.resolve(0);
    bad.end.reject(new StorageError("DISK_FULL", "No room for b: 2.0 GB more are needed."));
    await jobs.allEnded();
    await until(() => said.length === 2);
    expect(said).toEqual([
      "[1] done: get a (1 file, 3 B in 0 s)",
      "[2] failed: get b: No room for b: 2.0 GB more are needed.",
    ]);
    expect(exits).toEqual([0, 9]);
  });

  test("keeps what it says until it is in the foreground, and draws no bars before", async () => {
    const { jobs, io, lineOf, front } = shellWith();
    const line = lineOf("get a");
    jobs.start(line);
    const { io: own } = await line.begun;
    await own.out("Fetched a\nFetched b\n");
    own.note("c is not there");
    expect([io.written, own.canRedraw]).toEqual([[], false]);
    const attached = jobs.attach(jobs.find("1"), front());
    await until(() => io.written.length === 2);
    expect(io.notes.at(-1)).toBe("c is not there");
    await own.out("Fetched d\n");
    expect(io.written).toEqual(["Fetched a\n", "Fetched b\n", "Fetched d\n"]);
    line.end.resolve(6);
    expect(await attached).toBe(6);
    expect(jobs.all).toEqual([]);
  });

  test("keeps its last hundred lines, and says how many came before", async () => {
    const { jobs, io, lineOf, front } = shellWith();
    const line = lineOf("get a");
    jobs.start(line);
    const { io: own } = await line.begun;
    for (let count = 1; count <= 103; count++) own.note(`line ${count}`);
    line.end.resolve(0);
    await jobs.attach(jobs.find("1"), front());
    expect(io.notes.slice(1, 3)).toEqual(["… 3 earlier lines are not kept.", "line 4"]);
  });

  test("writes bytes for standard output only in the foreground", async () => {
    const { jobs, io, lineOf, front } = shellWith();
    const line = lineOf("get a --output -");
    jobs.start(line);
    const { io: own } = await line.begun;
    const written = own.out(new Uint8Array([104, 105]));
    expect(io.written).toEqual([]);
    const attached = jobs.attach(jobs.find(undefined), front());
    await written;
    expect(io.written).toEqual(["hi"]);
    line.end.resolve(0);
    await attached;
  });

  test("waits with its question for the foreground, and asks again after it was sent back", async () => {
    const { jobs, said, lineOf } = shellWith();
    const asked: PromiseWithResolvers<boolean>[] = [];
    const ask = () => {
      const answer = Promise.withResolvers<boolean>();
      asked.push(answer);
      return answer.promise;
    };
    const line = lineOf("get a");
    jobs.start({ ...line, ask });
    const terms = await line.begun;
    const answer = terms.ask?.('"a" exists. Replace it?');
    const job = jobs.find("1");
    expect([job.state, asked.length]).toEqual(["asking", 0]);
    expect(said).toEqual(['[1] asks: get a: "a" exists. Replace it? Answer with: fg 1']);
    let detach = () => {};
    const onDetach = (handler: () => void) => {
      detach = handler;
      return () => {};
    };
    const first = jobs.attach(job, { signal: new AbortController().signal, onDetach });
    await until(() => asked.length === 1);
    detach();
    expect(await first).toBe(0);
    const second = jobs.attach(job, { signal: new AbortController().signal });
    await until(() => asked.length === 2);
    asked[1]?.resolve(true);
    expect(await answer).toBe(true);
    expect(job.state).toBe("running");
    line.end.resolve(0);
    expect(await second).toBe(0);
  });

  test("lets a script see its lines at once", async () => {
    const { jobs, io, lineOf } = shellWith(new TestIo());
    const line = lineOf("get a");
    jobs.start(line);
    const { io: own } = await line.begun;
    await own.out("Fetched a\n");
    own.note("and more");
    expect([io.written, io.notes.at(-1)]).toEqual([["Fetched a\n"], "and more"]);
    line.end.resolve(0);
    await jobs.allEnded();
  });
});

describe("several jobs", () => {
  test("run three at once, and the next one begins when one has ended", async () => {
    const { jobs, lineOf } = shellWith();
    const lines = ["a", "b", "c", "d", "e"].map((name) => lineOf(`get ${name}`));
    for (const line of lines) jobs.start(line);
    const states = () => jobs.all.map(({ state }) => state);
    expect(states()).toEqual(["running", "running", "running", "waiting", "waiting"]);
    lines[1]?.end.resolve(0);
    await lines[3]?.begun;
    expect(states()).toEqual(["running", "done", "running", "running", "waiting"]);
    await jobs.close();
    expect(states()).toEqual(["cancelled", "done", "cancelled", "cancelled", "cancelled"]);
  });

  test("are 32 at most", async () => {
    const { jobs, lineOf } = shellWith();
    for (let count = 0; count < 32; count++) jobs.start(lineOf("get a"));
    expect(await codeOf(async () => jobs.start(lineOf("get a")))).toBe("USAGE");
    await jobs.close();
  });

  test("that have ended are listed until eight newer ones have", async () => {
    const { jobs, said, lineOf } = shellWith();
    for (let count = 1; count <= 9; count++) {
      const line = lineOf(`get ${count}`);
      jobs.start(line);
      line.end.resolve(0);
      await until(() => said.length === count);
    }
    expect(jobs.all.map(({ number }) => number)).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
    expect(await codeOf(async () => jobs.find("1"))).toBe("USAGE");
  });

  test("are meant by number; without one, the job that asks, or the last", async () => {
    const { jobs, lineOf } = shellWith();
    expect(await codeOf(async () => jobs.find(undefined))).toBe("USAGE");
    const [first, second] = [lineOf("get a"), lineOf("get b")];
    jobs.start({ ...first, ask: async () => true });
    jobs.start(second);
    expect(jobs.find(undefined).number).toBe(2);
    expect(jobs.find("%1").number).toBe(1);
    const { ask } = await first.begun;
    void ask?.("Sure?").catch(() => {});
    expect(jobs.find(undefined).number).toBe(1);
    await jobs.close();
  });
});

describe("a job in the foreground", () => {
  test("ends by its signal, throws its error, and is forgotten", async () => {
    const { jobs, said, lineOf } = shellWith();
    const abort = new AbortController();
    const line = lineOf("get a");
    const running = jobs.run(line, { signal: abort.signal });
    abort.abort();
    expect(await codeOf(() => running)).toBe("INTERRUPTED");
    expect([jobs.all, said]).toEqual([[], []]);
  });

  test("does not wait for those in the background", async () => {
    const { jobs, lineOf, front } = shellWith();
    for (const name of ["a", "b", "c"]) jobs.start(lineOf(`get ${name}`));
    const line = lineOf("get d");
    const running = jobs.run(line, front());
    await line.begun;
    line.end.resolve(0);
    expect(await running).toBe(0);
    await jobs.close();
  });
});

describe("the lines about jobs", () => {
  const evil = "get \u001b[2J\u202e\nx";
  const job = (facts: Partial<ShownJob>): ShownJob => ({
    number: 1,
    command: "get big.bin",
    state: "running",
    end: undefined,
    result: undefined,
    seconds: 61,
    progress: { summary: { percent: 34, rate: 1_200_000, secondsLeft: 123 } },
    ...facts,
  });
  const jobs = [
    job({}),
    job({ number: 12, state: "asking", command: "put 文字文字文字文字文字文字文字文字文字文字.txt docs/" }),
    job({ number: 13, state: "failed", end: { error: new CommError("NOT_FOUND", evil) }, command: evil }),
    job({ number: 14, state: "waiting" }),
  ];

  test.each([40, 80, 100])("fit %d columns", (outColumns) => {
    const lines = formatJobs(jobs, { color: false, outColumns }).split("\n");
    expect(lines).toHaveLength(outColumns < 70 ? 7 : 4);
    for (const line of lines) expect(Bun.stringWidth(line)).toBeLessThan(outColumns);
    expect(lines.join("\n")).toContain("34%  1.2 MB/s  2 min 3 s left");
  });

  test("show nothing that a terminal would obey", () => {
    const io = { color: false };
    const failed = job({ state: "failed", end: { error: new CommError("NOT_FOUND", evil) }, command: evil });
    const all = [formatJobs([failed], io), endLine(failed, io), questionLine(failed, "Sure?", io)];
    for (const line of all) expect(line).not.toMatch(/[\p{Cc}\u202e]/u);
  });

  test("tell how it ended", () => {
    const io = { color: false };
    const result = new TransferTally().result;
    const shown = (facts: Partial<ShownJob>) => endLine(job(facts), io);
    expect(shown({ state: "done", result: { ...result, stored: 2, unchanged: 1, bytes: 3_000 } })).toBe(
      "[1] done: get big.bin (2 files, 3.0 KB, 1 unchanged in 1 min)",
    );
    expect(shown({ state: "done", result: { ...result, stored: 2, leftOut: 2, bytes: 3_000 } })).toBe(
      "[1] done: get big.bin (2 files, 3.0 KB, 2 left out in 1 min)",
    );
    expect(shown({ state: "cancelled" })).toBe("[1] cancelled: get big.bin (what has arrived is kept)");
    const firstFailure = new CommError("NOT_FOUND", "There is no a.");
    expect(shown({ state: "failed", end: { exit: 6 }, result: { ...result, failed: 2, firstFailure } })).toBe(
      "[1] failed: get big.bin: There is no a. 2 files failed; see: fg 1",
    );
    expect(shown({ state: "failed", end: { exit: 7 }, result: { ...result, leftOut: 1 } })).toContain("--strict");
  });
});
