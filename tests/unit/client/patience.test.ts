import { describe, expect, test } from "bun:test";
import { Patience } from "../../../lib/client/patience.ts";
import { CommError, RemoteError } from "../../../lib/errors.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { codeOf } from "../../support/fault.ts";

const tooOften = (retryAfterMs?: number) =>
  new RemoteError("TOO_OFTEN", "20 calls a second are allowed.", retryAfterMs);

describe("Patience.run()", () => {
  test("asks again when the server says that it may", async () => {
    const clock = new FakeClock();
    const askedAt: number[] = [];
    const answer = new Patience(clock, 10).run("list", async () => {
      askedAt.push(clock.now());
      if (askedAt.length === 1) throw tooOften(70);
      return "entries";
    });
    const start = clock.now();
    await Promise.resolve();
    await clock.advance(0);
    await clock.advance(69);
    expect(askedAt).toEqual([start]);
    await clock.advance(1);
    expect(await answer).toBe("entries");
    expect(askedAt).toEqual([start, start + 70]);
  });

  test.each([
    ["does not say when", tooOften()],
    ["has too much open", new RemoteError("OVERLOADED", "Too many files are open.")],
  ])("waits a while for a server that %s", async (_, refusal) => {
    const clock = new FakeClock();
    let asked = 0;
    const answer = new Patience(clock, 10).run("list", async () => {
      if (asked++ === 0) throw refusal;
      return "entries";
    });
    await clock.advance(0);
    await clock.advance(250);
    expect(await answer).toBe("entries");
  });

  test("lets those who ask the same meanwhile come one after the other, and others at once", async () => {
    const clock = new FakeClock();
    const patience = new Patience(clock, 10);
    const asked: string[] = [];
    let allowed = 0;
    const ask = (name: string) => async () => {
      asked.push(name);
      if (allowed-- <= 0) throw tooOften(50);
      return name;
    };
    const first = patience.run("digest", ask("a"));
    await clock.advance(1);
    const others = [patience.run("digest", ask("b")), patience.run("digest", ask("c"))];
    allowed = 1;
    expect(await patience.run("status", ask("s"))).toBe("s");
    expect(asked).toEqual(["a", "s"]);
    allowed = 3;
    await clock.advance(50);
    expect(await Promise.all([first, ...others])).toEqual(["a", "b", "c"]);
    expect(asked).toEqual(["a", "s", "a", "b", "c"]);
  });

  test("gives up on a server that never lets it through, with the refusal", async () => {
    const clock = new FakeClock();
    let asked = 0;
    const answer = new Patience(clock, 3).run("list", async () => {
      asked++;
      throw tooOften(1e9);
    });
    answer.catch(() => {});
    for (let second = 0; second < 60; second++) await clock.advance(1_000);
    await expect(answer).rejects.toMatchObject({ code: "TOO_OFTEN" });
    expect(asked).toBe(5);
  });

  test("passes on every other failure at once, and the end by a signal", async () => {
    const clock = new FakeClock();
    const patience = new Patience(clock, 10);
    const failing = patience.run("list", async () => {
      throw new CommError("NOT_FOUND", "no");
    });
    await expect(failing).rejects.toMatchObject({ code: "NOT_FOUND" });
    const abort = new AbortController();
    const waiting = patience.run("list", () => Promise.reject(tooOften(5_000)), abort.signal);
    waiting.catch(() => {});
    await clock.advance(1);
    abort.abort();
    await expect(waiting).rejects.toMatchObject({ code: "INTERRUPTED" });
  });

  test("waits no more for a caller that was interrupted while it asked", async () => {
    const clock = new FakeClock();
    const abort = new AbortController();
    const asked = new Patience(clock, 10).run(
      "list",
      async () => {
        abort.abort();
        throw tooOften(5_000);
      },
      abort.signal,
    );
    expect(await codeOf(() => asked)).toBe("INTERRUPTED");
    expect(clock.pending).toBe(0);
  });
});
