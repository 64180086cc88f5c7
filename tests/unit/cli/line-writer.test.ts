import { describe, expect, test } from "bun:test";
import { LineWriter } from "../../../lib/cli/line-writer.ts";
import { until } from "../../support/until.ts";

describe("LineWriter", () => {
  test("writes what is added together in one piece, by itself", async () => {
    const written: string[] = [];
    const lines = new LineWriter((text) => void written.push(text));
    for (const line of ["a", "b", "c"]) lines.add(line);
    expect(written).toEqual([]);
    await until(() => written.length > 0);
    expect(written).toEqual(["a\nb\nc\n"]);
  });

  test("flush() writes at once, waits until that was taken, and has nothing left for later", async () => {
    const taken = Promise.withResolvers<void>();
    const written: string[] = [];
    const lines = new LineWriter((text) => {
      written.push(text);
      return taken.promise;
    });
    lines.add("a");
    let flushed = false;
    const flushing = lines.flush().then(() => {
      flushed = true;
    });
    expect(written).toEqual(["a\n"]);
    await Bun.sleep(0);
    expect(flushed).toBe(false);
    taken.resolve();
    await flushing;
    await lines.flush();
    expect(written).toEqual(["a\n"]);
  });

  test("a flush() with nothing gathered still waits for the write under way", async () => {
    const taken = Promise.withResolvers<void>();
    const lines = new LineWriter(() => taken.promise);
    lines.add("a");
    void lines.flush();
    let flushed = false;
    const flushing = lines.flush().then(() => {
      flushed = true;
    });
    await Bun.sleep(0);
    expect(flushed).toBe(false);
    taken.resolve();
    await flushing;
  });

  test("keeps so much while nobody takes anything, counts the rest, and tells it in its place", async () => {
    const written: string[] = [];
    let taken = Promise.withResolvers<void>();
    const lines = new LineWriter(
      (text) => {
        written.push(text);
        return taken.promise;
      },
      { max: 100, dropped: (count) => `${count} are missing` },
    );
    lines.add("first");
    void lines.flush();
    for (let index = 0; index < 1_000; index++) lines.add("0123456789");
    expect(written).toEqual(["first\n"]);
    taken.resolve();
    taken = Promise.withResolvers();
    await until(() => written.length === 2);
    expect(written[1]).toBe(`${"0123456789\n".repeat(9)}991 are missing\n`);
    lines.add("last");
    taken.resolve();
    await lines.flush();
    expect(written[2]).toBe("last\n");
  });

  test("a flood is not gathered without end", () => {
    const written: string[] = [];
    const lines = new LineWriter((text) => void written.push(text));
    for (let index = 0; index < 100; index++) lines.add("x".repeat(999));
    expect(written.map(({ length }) => length)).toEqual([66_000]);
  });
});
