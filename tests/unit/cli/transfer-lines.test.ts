/** What a transfer shows to a person. */
import { afterEach, describe, expect, mock, spyOn, test } from "bun:test";
import { Progress } from "../../../lib/cli/client/progress.ts";
import { TransferView, type TransferViewOptions } from "../../../lib/cli/client/transfer-view.ts";
import { EXIT, EXIT_OF } from "../../../lib/cli/exit-codes.ts";
import { type TransferResult, TransferTally } from "../../../lib/client/transfer-result.ts";
import { CommError, RemoteError } from "../../../lib/errors.ts";
import { TestIo } from "../../support/test-io.ts";

afterEach(() => {
  mock.restore();
});

const file = (from: string, size = 1_000) => ({ from, to: from, kind: "file", size, modifiedAt: 0 }) as const;
const folder = { from: "docs", to: "docs", kind: "folder", size: 0, modifiedAt: 0 } as const;
const stored = { outcome: "stored", path: "a", size: 1_500 } as const;

/** A view, where a file is shown with the place that `places` has for it. */
function viewWith(options: Partial<TransferViewOptions> & { places?: Record<string, string> } = {}) {
  const { places = {}, ...others } = options;
  const io = new TestIo();
  const placeOf = (_item: object, path: string) => places[path] ?? "";
  const view = new TransferView({ io, json: false, verb: "Sent", isStrict: false, placeOf, ...others });
  const result = (changes: Partial<TransferResult> = {}) => ({ ...new TransferTally().result, ...changes });
  return { io, view, finish: (changes?: Partial<TransferResult>) => view.finish(result(changes)) };
}

/** The bars' totals as a transfer has told them: bytes planned, moved, and files settled. */
function totals() {
  const sums = { planned: 0, moved: 0, settled: 0 };
  const plan = (bytes: number) => {
    sums.planned += bytes;
  };
  const move = (bytes: number) => {
    sums.moved += bytes;
  };
  spyOn(Progress.prototype, "plan").mockImplementation(plan);
  spyOn(Progress.prototype, "resize").mockImplementation(plan);
  spyOn(Progress.prototype, "start").mockImplementation((_name, _size, present) => move(present));
  spyOn(Progress.prototype, "add").mockImplementation((_name, bytes) => move(bytes));
  spyOn(Progress.prototype, "undo").mockImplementation((bytes) => move(-bytes));
  spyOn(Progress.prototype, "finish").mockImplementation((unmoved) => {
    sums.planned -= unmoved;
    sums.settled++;
  });
  return sums;
}

describe("a line for each file", () => {
  test("says what became of it, and where it is when it is elsewhere", async () => {
    const { io, view, finish } = viewWith({ places: { "inbox/a": "inbox/a" } });
    view.onDone(file("a"), stored);
    view.onDone(file("a"), { ...stored, path: "inbox/a" });
    view.onDone(file("a"), { ...stored, sha256: "ab12" });
    view.onDone(file("a"), { ...stored, outcome: "unchanged", path: "inbox/a" });
    view.onDone(file("a"), { ...stored, outcome: "skipped" });
    view.onDone(folder, { ...stored, path: "docs" });
    await finish();
    expect(io.written.join("").split("\n")).toEqual([
      "Sent a (1.5 KB, verified)",
      "Sent a as inbox/a (1.5 KB, verified)",
      "Sent a (1.5 KB, verified)  ab12",
      "Unchanged a as inbox/a",
      "Skipped a: it exists",
      "",
    ]);
  });

  test("is one of twenty at most on a terminal, and of all of them in a file", async () => {
    for (const outIsTty of [true, false]) {
      const io = Object.assign(new TestIo(), { outIsTty });
      const { view, finish } = viewWith({ io });
      for (let index = 0; index < 30; index++) view.onDone(file(`f${index}`), stored);
      await finish();
      expect(io.written.join("").trimEnd().split("\n")).toHaveLength(outIsTty ? 20 : 30);
    }
  });

  test("says why a file failed, or was left out; a terminal has twenty of the latter", async () => {
    const { io, view } = viewWith();
    view.onFailed(file("a"), new RemoteError("NOT_FOUND", "There is no a."));
    expect(io.notes[0]).toBe("commserver-client: There is no a.");
    for (const noteIsTty of [true, false]) {
      const other = Object.assign(new TestIo(), { noteIsTty });
      const { view } = viewWith({ io: other });
      for (let index = 0; index < 30; index++)
        view.onLeftOut({ path: `f${index}`, code: "NOT_A_FILE", why: "a device" });
      expect(other.notes).toHaveLength(noteIsTty ? 20 : 30);
    }
  });

  test("says that a file begins again", () => {
    const { io, view } = viewWith();
    view.onRestart(file("a"));
    expect(io.notes).toEqual(["a has changed: its transfer begins again."]);
  });
});

describe("records for programs", () => {
  test("name what began, what it is now, and how it ended", async () => {
    const { io, view, finish } = viewWith({ json: true, places: { "inbox/a": "inbox/a" } });
    view.onStart(file("a"), 200, 1_000);
    view.onRestart(file("a"));
    view.note("for people");
    view.onDone(file("a"), stored);
    view.onDone(file("a"), { ...stored, path: "inbox/a", sha256: "ab12" });
    view.onLeftOut({ path: "b", code: "NOT_A_FILE", why: "a device" });
    view.onLeftOut({ path: "c", code: "NOT_A_FILE", why: "a device", count: 2 });
    expect(await finish({ stored: 1, leftOut: 3, bytes: 7 })).toBe(EXIT.DONE);
    const records = io.written
      .join("")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    const done = { event: "done", path: "a", kind: "file", size: 1_500, outcome: "stored" };
    expect(records).toEqual([
      { event: "started", path: "a", size: 1_000, present: 200 },
      { event: "restarted", path: "a" },
      { ...done, target: "a" },
      { ...done, target: "inbox/a", sha256: "ab12" },
      { event: "left-out", path: "b", code: "NOT_A_FILE", message: "a device" },
      { event: "left-out", path: "c", code: "NOT_A_FILE", message: "a device", count: 2 },
      {
        event: "finished",
        stored: 1,
        unchanged: 0,
        skipped: 0,
        failed: 0,
        leftOut: 3,
        bytes: 7,
        seconds: expect.any(Number),
      },
    ]);
    expect(io.notes).toEqual([]);
    const whole = viewWith({ json: true });
    await whole.finish();
    expect(JSON.parse(whole.io.written.join(""))).not.toHaveProperty("leftOut");
  });

  test("say of a failure what the whole command would exit with", async () => {
    const { io, view, finish } = viewWith({ json: true });
    view.onFailed(file("a"), new RemoteError("EXISTS", "It exists."));
    await finish();
    expect(JSON.parse(String(io.written.join("").split("\n")[0]))).toEqual({
      event: "failed",
      path: "a",
      code: "EXISTS",
      message: "It exists.",
      exit: EXIT_OF.EXISTS,
    });
  });
});

describe("the summary", () => {
  test("of one file is there when it was resumed, or is large", async () => {
    const size = { stored: 1, bytes: 4.1e9 };
    expect(await summary({ ...size })).toEqual(["Sent 1 file, 4.1 GB in 2.0 s (2.0 GB/s)"]);
    expect(await summary({ ...size, resumed: 4e9 })).toEqual([
      "Sent 1 file, 4.1 GB in 2.0 s (50 MB/s), 4.0 GB of it were there already",
    ]);
    expect(await summary({ stored: 1, bytes: 9e6 })).toEqual([]);
  });

  /** The note at the end of a transfer that took so many seconds. */
  async function summary(result: Partial<TransferResult>, seconds = 2): Promise<string[]> {
    let now = 5_000_000;
    using _ = spyOn(performance, "now").mockImplementation(() => now);
    const { io, finish } = viewWith();
    now += seconds * 1_000;
    await finish(result);
    return io.notes;
  }

  test("is left out for a single file, whatever became of it", async () => {
    expect(await summary({})).toEqual([]);
    for (const one of ["stored", "unchanged", "skipped", "failed"]) expect(await summary({ [one]: 1 })).toEqual([]);
  });

  test("counts each kind of outcome that there is", async () => {
    expect(await summary({ stored: 2, bytes: 1_500 })).toEqual(["Sent 2 files, 1.5 KB in 2.0 s"]);
    const all = { stored: 1, unchanged: 2, skipped: 3, failed: 4, leftOut: 5, bytes: 7 };
    expect(await summary(all)).toEqual(["Sent 1 file, 7 B in 2.0 s, 2 unchanged, 3 skipped, 4 failed, 5 left out"]);
    expect(await summary({ stored: 1, leftOut: 1, bytes: 7 })).toEqual(["Sent 1 file, 7 B in 2.0 s, 1 left out"]);
    expect(await summary({ unchanged: 1, skipped: 1 })).toEqual(["Sent 0 files, 0 B in 2.0 s, 1 unchanged, 1 skipped"]);
  });

  test("shows tenths of seconds below ten", async () => {
    expect(await summary({ stored: 2, bytes: 5e8 }, 2)).toEqual(["Sent 2 files, 500 MB in 2.0 s (250 MB/s)"]);
    expect(await summary({ stored: 2 }, 9.94)).toEqual(["Sent 2 files, 0 B in 9.9 s"]);
    expect(await summary({ stored: 2 }, 10)).toEqual(["Sent 2 files, 0 B in 10 s"]);
  });

  test("does not count the time of a question, and asks with no bars in the way", async () => {
    let now = 5_000_000;
    using _ = spyOn(performance, "now").mockImplementation(() => now);
    const [stopped, resumed] = [spyOn(Progress.prototype, "stop"), spyOn(Progress.prototype, "resume")];
    const { io, view, finish } = viewWith();
    resumed.mockClear();
    for (const answer of [true, false]) {
      const asked = await view.pause(async () => {
        expect(stopped).toHaveBeenCalled();
        expect(resumed).toHaveBeenCalledTimes(answer ? 0 : 1);
        now += 60_000;
        return answer;
      });
      expect(asked).toBe(answer);
    }
    expect(resumed).toHaveBeenCalledTimes(1);
    now += 1_000;
    await finish({ stored: 2 });
    expect(io.notes).toEqual(["Sent 2 files, 0 B in 1.0 s"]);
  });

  test("comes after the lines of all files", async () => {
    const { io, view, finish } = viewWith();
    const order: string[] = [];
    spyOn(io, "out").mockImplementation(async () => {
      await Bun.sleep(0);
      order.push("lines");
    });
    spyOn(io, "note").mockImplementation(() => void order.push("summary"));
    view.onDone(file("a"), stored);
    await finish({ stored: 2 });
    expect(order).toEqual(["lines", "summary"]);
  });

  test("says that something was left out where that is an error", async () => {
    const strict = viewWith({ isStrict: true });
    expect(await strict.finish({ stored: 1, leftOut: 1 })).toBe(EXIT.INCOMPLETE);
    expect(strict.io.notes.at(-1)).toBe("commserver-client: Incomplete: something was left out (--strict).");
    const io = Object.assign(new TestIo(), { isShell: true });
    await viewWith({ isStrict: true, io }).finish({ leftOut: 1 });
    expect(io.notes.at(-1)).toBe("Incomplete: something was left out (--strict).");
    const whole = viewWith({ isStrict: true });
    expect(await whole.finish({ stored: 2 })).toBe(EXIT.DONE);
    expect(whole.io.notes).toHaveLength(1);
  });

  test("of lines that could not be written is a failure, after those of the transfer", async () => {
    const broken = () => {
      const made = viewWith();
      spyOn(made.io, "out").mockRejectedValue(new CommError("DISK_FAILED", "The disk is full."));
      made.view.onDone(file("a"), stored);
      return made;
    };
    const { io, finish } = broken();
    expect(await finish({ stored: 1 })).toBe(EXIT.LOCAL_DISK);
    expect(io.notes[0]).toBe("commserver-client: The disk is full.");
    expect(await broken().finish({ firstFailure: new RemoteError("NOT_FOUND", "No.") })).toBe(EXIT.NOT_FOUND);
  });
});

describe("the bars of a transfer", () => {
  test("come to an end with each way that a file can take", () => {
    const sums = totals();
    const { view } = viewWith();
    for (const name of ["stored", "unchanged", "skipped", "failed", "gone"]) view.plan(file(name));
    view.plan(folder);
    expect(sums).toEqual({ planned: 5_000, moved: 0, settled: 0 });
    const moving = file("stored");
    view.onStart(moving, 100, 1_000);
    view.onProgress(moving, 900);
    view.onDone(moving, { ...stored, size: 1_000 });
    view.onDone(file("unchanged"), { ...stored, outcome: "unchanged", size: 1_000 });
    view.onDone(file("skipped"), { ...stored, outcome: "skipped", size: 1_000 });
    view.onFailed(file("failed"), new RemoteError("NOT_FOUND", "No."));
    view.onGone(file("gone"));
    view.onDone(folder, { ...stored, size: 0 });
    view.onGone(folder);
    view.onFailed(folder, new RemoteError("NOT_FOUND", "No."));
    expect(sums).toEqual({ planned: 1_000, moved: 1_000, settled: 5 });
  });

  test("follow a file that is larger than it was listed, and one that begins again", () => {
    const sums = totals();
    const { view } = viewWith();
    const item = file("a");
    view.plan(item);
    view.onStart(item, 0, 3_000);
    expect(sums.planned).toBe(3_000);
    view.onProgress(item, 1_000);
    view.onRestart(item);
    expect(sums.moved).toBe(0);
    view.onProgress(item, 500);
    // After a lost link: 400 of its bytes are there, and it has shrunk.
    view.onStart(item, 400, 2_000);
    expect(sums).toEqual({ planned: 2_000, moved: 400, settled: 0 });
    view.onProgress(item, 9_999);
    expect(sums.moved).toBe(2_000);
    view.onDone(item, { ...stored, size: 2_000 });
    expect(sums).toEqual({ planned: 2_000, moved: 2_000, settled: 1 });
    // What has been settled moves no more.
    view.onProgress(item, 1);
    expect(sums.moved).toBe(2_000);
  });
});
