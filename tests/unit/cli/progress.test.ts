import { afterEach, beforeEach, describe, expect, type Mock, mock, spyOn, test } from "bun:test";
import { Progress } from "../../../lib/cli/client/progress.ts";
import { Screen } from "../../../lib/cli/terminal/screen.ts";
import { until } from "../../support/until.ts";

let now: number;
let columns: number;
let written: Mock<typeof process.stderr.write>;
const { columns: before } = process.stderr;

beforeEach(() => {
  now = 1_000_000;
  columns = 120;
  spyOn(performance, "now").mockImplementation(() => now);
  written = spyOn(process.stderr, "write").mockImplementation(() => true);
  Object.defineProperty(process.stderr, "columns", { configurable: true, get: () => columns });
});

afterEach(() => {
  mock.restore();
  Object.defineProperty(process.stderr, "columns", { configurable: true, writable: true, value: before });
});

/** Bars that are drawn only when they are asked to. */
const bars = () => new Progress({ canRedraw: false, screen: new Screen() });

/** The two rows as they are drawn now. */
function rows(progress: Progress): string[] {
  written.mockClear();
  progress.draw();
  return String(written.mock.calls[0]?.[0]).split("\n");
}

describe("the bars of a transfer", () => {
  test("show the file that moves, and all files", () => {
    const progress = bars();
    progress.plan(1_000);
    progress.plan(3_000);
    progress.planned();
    progress.start("a.txt", 1_000, 0);
    progress.add("a.txt", 500);
    now += 1_000;
    expect(rows(progress)).toEqual([
      "██████████░░░░░░░░░░ 50%  500 B of 1.0 KB  a.txt",
      "███░░░░░░░░░░░░░░░░░ 12%  0 of 2 files  500 B  500 B/s  7 s left",
    ]);
  });

  test("know no time left while files are still being found, or nothing moves", () => {
    const progress = bars();
    progress.plan(2_000);
    progress.start("a", 2_000, 0);
    expect(rows(progress)[1]).toEndWith("0 of 1+ files  0 B  0 B/s");
    progress.add("a", 1_000);
    now += 1_000;
    expect(rows(progress)[1]).toEndWith("0 of 1+ files  1.0 KB  1.0 KB/s");
    progress.planned();
    expect(rows(progress)[1]).toEndWith("0 of 1 files  1.0 KB  1.0 KB/s  1 s left");
    now += 3_000;
    expect(rows(progress)[1]).toEndWith("0 of 1 files  1.0 KB  0 B/s");
  });

  test("measure the rate of the last three seconds, and of a tenth of one at least", () => {
    const progress = bars();
    progress.plan(1_000_000);
    progress.start("a", 1_000_000, 0);
    progress.add("a", 1_000);
    expect(rows(progress)[1]).toEndWith("  10 KB/s");
    now += 50;
    progress.add("a", 1_000);
    expect(rows(progress)[1]).toEndWith("  20 KB/s");
    now += 1_950;
    progress.add("a", 2_000);
    expect(rows(progress)[1]).toEndWith("  2.0 KB/s");
    // What is three seconds old does not count any more.
    now += 1_000;
    expect(rows(progress)[1]).toEndWith("  2.0 KB/s");
    now += 2_000;
    expect(rows(progress)[1]).toEndWith("  0 B/s");
  });

  test("forget what is three seconds old to a tenth of a second", () => {
    const progress = bars();
    progress.plan(1_000_000);
    progress.start("a", 1_000_000, 0);
    progress.add("a", 1_000);
    now += 100;
    progress.add("a", 1_000);
    now += 2_900;
    expect(rows(progress)[1]).toEndWith("  345 B/s");
  });

  test.each([
    [59, "59 s"],
    [60, "1 min 0 s"],
    [3_599, "59 min 59 s"],
    [3_600, "1 h 0 min"],
    [9_000, "2 h 30 min"],
  ])("tell that %i seconds are left as %p", (seconds, told) => {
    const progress = bars();
    progress.plan(1_000 * (seconds + 1));
    progress.planned();
    progress.start("a", 1_000 * (seconds + 1), 0);
    progress.add("a", 1_000);
    now += 1_000;
    expect(rows(progress)[1]).toEndWith(`  ${told} left`);
  });

  test("never say 100 %: only a stored file is complete", () => {
    const progress = bars();
    progress.plan(1_000);
    progress.planned();
    progress.start("a", 1_000, 0);
    progress.add("a", 1_000);
    expect(rows(progress).map((row) => row.slice(0, 25))).toEqual([
      "████████████████████ 99% ",
      "████████████████████ 99% ",
    ]);
  });

  test("count what was there before as done, but not as moved", () => {
    const progress = bars();
    progress.plan(1_000);
    progress.start("a", 1_000, 800);
    expect(rows(progress)).toEqual([
      "████████████████░░░░ 80%  800 B of 1.0 KB  a",
      "████████████████░░░░ 80%  0 of 1+ files  800 B  0 B/s",
    ]);
  });

  test("follow a file that has another size now, begins again, or is settled without its bytes", () => {
    const progress = bars();
    progress.plan(1_000);
    progress.plan(1_000);
    progress.resize(2_000);
    progress.start("a", 3_000, 0);
    progress.add("a", 2_000);
    expect(rows(progress)[1]).toStartWith("██████████░░░░░░░░░░ 50%  0 of 2+");
    progress.undo(1_000);
    expect(rows(progress)[1]).toStartWith("█████░░░░░░░░░░░░░░░ 25%  0 of 2+");
    progress.finish(2_000);
    expect(rows(progress)[1]).toStartWith("██████████░░░░░░░░░░ 50%  1 of 2+");
    progress.undo(5_000);
    expect(rows(progress)[1]).toStartWith("░░░░░░░░░░░░░░░░░░░░  0%  1 of 2+");
  });

  test("count bytes of another file only in all", () => {
    const progress = bars();
    progress.plan(1_000);
    progress.plan(1_000);
    progress.start("b", 1_000, 0);
    progress.add("a", 500);
    expect(rows(progress).map((row) => row.slice(20, 24))).toEqual(["  0%", " 25%"]);
  });

  test("say what happens to a file that does not move", () => {
    const progress = bars();
    progress.plan(1_000);
    progress.start("a", 1_000, 0);
    progress.phase("b\u001b[2J", 2_000, "verifying");
    expect(rows(progress)[0]).toBe("░░░░░░░░░░░░░░░░░░░░  0%  verifying  b\\u{1b}[2J");
  });

  test("are empty for files without bytes", () => {
    const progress = bars();
    progress.plan(0);
    progress.start("a", 0, 0);
    expect(rows(progress)[0]).toBe("░░░░░░░░░░░░░░░░░░░░  0%  0 B of 0 B  a");
  });

  test("fit into a narrow window, with one column to spare", () => {
    const progress = bars();
    progress.plan(1_000);
    progress.start("a-rather-long-name", 1_000, 0);
    columns = 40;
    expect(rows(progress)[0]).toBe("░░░░░░░░░░  0%  0 B of 1.0 KB  a-rathe…");
    columns = 6;
    expect(rows(progress)[0]).toBe("░░░ …");
  });

  test("are erased with all rows that the terminal has made of them", () => {
    const progress = bars();
    progress.plan(1_000);
    progress.start("a".repeat(200), 1_000, 0);
    columns = 80;
    progress.draw();
    // A narrower window has wrapped both rows: 79 columns of the first take two.
    columns = 60;
    written.mockClear();
    progress.erase();
    progress.erase();
    expect(written.mock.calls.map(([text]) => text)).toEqual(["\r\u001b[2A\u001b[J"]);
  });

  test("appear only on a terminal, after a moment, and leave when they stop", async () => {
    const screen = new Screen();
    const shown = spyOn(screen, "show");
    new Progress({ canRedraw: false, screen }).stop();
    const progress = new Progress({ canRedraw: true, screen });
    try {
      const asked = spyOn(performance, "now");
      await until(() => asked.mock.calls.length > 0);
      expect(shown).not.toHaveBeenCalled();
      now += 400;
      await until(() => written.mock.calls.length > 1);
      expect(shown).toHaveBeenCalledTimes(1);
    } finally {
      progress.stop();
    }
    expect(String(written.mock.lastCall?.[0])).toBe("\r\u001b[1A\u001b[J");
    written.mockClear();
    screen.print(() => {});
    expect(written).not.toHaveBeenCalled();
  });
});
