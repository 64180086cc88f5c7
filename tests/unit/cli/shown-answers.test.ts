/** How commands show the answers of a server. */
import { describe, expect, test } from "bun:test";
import { countOf, formatTimes, measure } from "../../../lib/cli/client/ping-command.ts";
import { sendTyped } from "../../../lib/cli/client/send-command.ts";
import { formatChange, printChanges } from "../../../lib/cli/client/watch-command.ts";
import { formatMessage } from "../../../lib/cli/client/with-connection.ts";
import type { Client } from "../../../lib/client/client.ts";
import type { Change } from "../../../lib/protocol/methods.ts";
import { facade } from "../../support/facade.ts";
import { codeOf } from "../../support/fault.ts";
import { TestIo } from "../../support/test-io.ts";

describe("ping", () => {
  /** A client whose server answers after these times. */
  function clientOf(...times: number[]): Client {
    return facade({} as Client, { ping: async () => times.shift() ?? Number.NaN });
  }

  test("tells the shortest, the median and the longest of its round trips", async () => {
    expect(await measure(clientOf(9, 10, 1, 100, 5), 5)).toEqual({ count: 5, minMs: 1, medianMs: 9, maxMs: 100 });
    expect(await measure(clientOf(2, 1), 2)).toEqual({ count: 2, minMs: 1, medianMs: 2, maxMs: 2 });
  });

  test("stops between two round trips at Ctrl-C", async () => {
    const interrupt = new AbortController();
    let asked = 0;
    const client = facade({} as Client, {
      ping: async () => {
        if (++asked === 2) interrupt.abort();
        return asked;
      },
    });
    expect(await measure(client, 100, interrupt.signal)).toEqual({ count: 2, minMs: 1, medianMs: 2, maxMs: 2 });
    const none = { count: 0, minMs: 0, medianMs: 0, maxMs: 0 };
    expect(await measure(clientOf(), 5, AbortSignal.abort())).toEqual(none);
  });

  test("shows one time alone, and times below ten milliseconds more exactly", () => {
    expect(formatTimes({ count: 1, minMs: 1.23456, medianMs: 1.23456, maxMs: 1.23456 })).toBe("1.235 ms");
    const times = { minMs: 9.9994, medianMs: 10, maxMs: 123.456 };
    expect(formatTimes({ count: 4, ...times })).toBe(
      "4 round trips: 9.999 ms at least, 10.0 ms median, 123.5 ms at most",
    );
  });

  test("measures 1 to 100000 round trips", () => {
    const count = (text: string) => countOf({ _: [], count: text });
    expect([count("1"), count("100000")]).toEqual([1, 100_000]);
    for (const text of ["0", "100001"]) expect(() => count(text)).toThrow("--count takes a whole number");
  });
});

describe("watch", () => {
  const CHANGES: [Change, string][] = [
    [{ change: "added", path: "a", kind: "file", size: 1_500, modifiedAt: 0 }, "added    a  1.5 KB"],
    [{ change: "changed", path: "a", kind: "file", size: 0, modifiedAt: 0 }, "changed  a  0 B"],
    [{ change: "added", path: "docs", kind: "folder", size: 0, modifiedAt: 0 }, "added    docs/"],
    [{ change: "removed", path: "a" }, "removed  a"],
    [{ change: "missed", count: 1 }, "(1 more change)"],
    [{ change: "missed", count: 3, message: "Too fast." }, "(3 more changes: Too fast.)"],
    [{ change: "missed", count: 0, message: "Too fast." }, "(Too fast.)"],
    [{ change: "missed", count: 0 }, "(0 more changes)"],
  ];

  test.each(CHANGES)("shows %j as %s", (change, line) => {
    expect(formatChange(change)).toBe(line);
  });

  test("shows each change as it comes, as a line or as JSON", async () => {
    const client = facade({} as Client, {
      watch: async function* () {
        yield { change: "removed", path: "a" };
        yield { change: "removed", path: "b" };
      } as unknown as Client["watch"],
    });
    const { signal } = new AbortController();
    for (const json of [false, true]) {
      const io = new TestIo();
      await printChanges(client, { source: undefined, json, signal, io });
      const records = ["a", "b"].map((path) => `${JSON.stringify({ change: "removed", path })}\n`);
      expect(io.written).toEqual(json ? records : ["removed  a\n", "removed  b\n"]);
    }
  });
});

describe("a message", () => {
  /** What was sent, and the line that is shown, when the server answers so. */
  async function sent(typed: string, answer: object = {}, defaultTo?: string) {
    const calls: unknown[] = [];
    const client = facade({} as Client, {
      send: (async (text: string, to?: string) => {
        calls.push([text, to]);
        return { text: `${text} ACK`, delivered: [], failed: [], ...answer };
      }) as unknown as Client["send"],
    });
    const shown = await sendTyped(client, typed, defaultTo);
    return [shown, calls[0]];
  }

  test("goes to the server, which answers it", async () => {
    expect(await sent("hello\nyou")).toEqual(["hello\\u{a}you ACK", ["hello\nyou", undefined]]);
    expect(await sent("@Server hello")).toEqual(["hello ACK", ["hello", "Server"]]);
  });

  test("goes to the client that it names, to all, or to where the operator's go", async () => {
    const to = { delivered: ["Client02"] };
    expect(await sent("@Client02  two  words", to)).toEqual(["Delivered to Client02.", ["two  words", "Client02"]]);
    expect(await sent("hi", to, "all")).toEqual(["Delivered to Client02.", ["hi", "all"]]);
    expect((await sent("@Client03 hi", to, "all"))[1]).toEqual(["hi", "Client03"]);
    expect((await sent("me@Client03 hi"))[1]).toEqual(["me@Client03 hi", undefined]);
  });

  test("says who has received it, who has not and why, and how many more", async () => {
    const failed = [{ name: "Client04", message: "It does not read." }];
    expect((await sent("@all hi", { delivered: ["Client02", "Client03"], failed, omitted: 1 }))[0]).toBe(
      "Delivered to Client02, Client03.\nNot delivered to Client04: It does not read.\n… and 1 more client.",
    );
    expect((await sent("@all hi"))[0]).toBe("Delivered to nobody.");
  });

  test("says for whom it is kept, and until when", async () => {
    const kept = { name: "bob", until: Date.parse("2026-12-30T14:22:05") };
    expect((await sent("@BOB hi", { kept }))[0]).toBe("Kept for bob, who is not here, until 2026-12-30.");
    const failed = [{ name: "Client04", message: "It does not read." }];
    expect((await sent("@bob hi", { kept, failed }))[0]).toBe(
      "Kept for bob until 2026-12-30.\nNot delivered to Client04: It does not read.",
    );
  });

  test("must have a text, of 8192 characters at most", async () => {
    expect(await codeOf(() => sent("@Client02"))).toBe("USAGE");
    expect(await codeOf(() => sent("@Client02 "))).toBe("USAGE");
    expect((await sent("x".repeat(8_192)))[1]).toEqual(["x".repeat(8_192), undefined]);
    expect(await codeOf(() => sent("x".repeat(8_193)))).toBe("USAGE");
  });

  test("that arrives says whom it is for when it is for all", () => {
    const from = { from: "Client02", text: "hi" };
    expect(["all", "ALL", "Client01"].map((to) => formatMessage({ ...from, to }))).toEqual([
      ...["Client02 to all: hi", "Client02 to all: hi", "Client02: hi"],
    ]);
  });

  test("that was kept says when it was sent, and whether it may have come before", () => {
    const kept = { from: "Client02", token: "alice", to: "bob", text: "hi", sentAt: Date.parse("2026-11-30T14:22:05") };
    expect(formatMessage(kept)).toBe("2026-11-30 14:22 alice (Client02): hi");
    expect(formatMessage({ ...kept, again: true })).toBe("2026-11-30 14:22 alice (Client02), perhaps again: hi");
  });
});
