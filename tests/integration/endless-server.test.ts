/** A server that never comes to an end: lists, messages, changes, places in the queue. What a client does about it, and keeps of it. */

import { heapStats } from "bun:jsc";
import { describe, expect, test } from "bun:test";
import { completeLine } from "../../lib/cli/client/shell-completion.ts";
import { ShellFolder } from "../../lib/cli/client/shell-folder.ts";
import { Download } from "../../lib/client/download.ts";
import { MAX_AHEAD_BYTES, prefetch } from "../../lib/client/prefetch.ts";
import type { TransferItem } from "../../lib/client/transfer.ts";
import { systemClock } from "../../lib/session/clock.ts";
import { digest64 } from "../../lib/storage/digest64.ts";
import { MemoryStorage } from "../../lib/storage/memory-storage.ts";
import { facade } from "../support/facade.ts";
import { settle } from "../support/fake-clock.ts";
import { frame } from "../support/frames.ts";
import { type Answer, clientOf, HostileServer } from "../support/hostile-server.ts";
import { rejection, watch } from "../support/outcomes.ts";
import { BLOCK, record } from "../support/raw-chunks.ts";
import { TestServer } from "../support/test-server.ts";
import { until } from "../support/until.ts";

const ENTRIES_A_FRAME = 200;

/** Accepts, and then sends records on the stream for as long as it lives, as the client grants. */
function endless(recordOf: (index: number) => object): Answer {
  return ({ name, stream }, link) => {
    if (name !== "OPEN") return;
    link.say(frame("ACCEPT", {}, stream));
    let index = 0;
    let sent = 0;
    const make = () => {
      const records = Array.from({ length: ENTRIES_A_FRAME }, () => record(recordOf(index++)));
      const payload = Buffer.concat(records);
      sent += payload.length;
      return frame("DATA", payload, stream);
    };
    void link.flood(make, () => sent + 100_000 < 4 * BLOCK + (link.credit.get(stream) ?? 0));
  };
}

const entryOf = (prefix: string) => (index: number) => ({
  path: `${prefix}${index}`,
  kind: "file",
  size: 1,
  modifiedAt: 0,
});

describe("a list without end", () => {
  test("is read up to the number of entries that a get takes, and then left", async () => {
    using server = new HostileServer(endless(entryOf("f")));
    const client = await clientOf(server);
    let entries = 0;
    const listing = (async () => {
      for await (const batch of client.listBatches(undefined, undefined, { maxEntries: 5_000 }))
        entries += batch.length;
    })();
    const error = await rejection(listing);
    expect(error).toMatchObject({ code: "TOO_MANY_ENTRIES", message: expect.stringContaining("5000 entries") });
    expect(entries).toBeLessThanOrEqual(5_000);
    await until(() => server.heard.some(({ name }) => name === "RESET"));
  });

  test("of a million files leaves no path in memory, and loses none", async () => {
    const COUNT = 1_000_000;
    await using server = new TestServer();
    let placed = 0;
    const local = facade(new MemoryStorage(), {
      place: async (path) => {
        placed++;
        return { outcome: "unchanged" as const, path };
      },
    });
    const items = async function* (): AsyncGenerator<TransferItem[]> {
      for (let index = 0; index < COUNT; index += 1_000) {
        yield Array.from({ length: 1_000 }, (_, at) => {
          const to = `some folder/${"y".repeat(80)}/${index + at}`;
          return { from: to, to, kind: "file" as const, size: 1, modifiedAt: 0 };
        });
      }
    };
    const options = { exists: "skip" as const, clock: systemClock, digest64, onDone: () => {}, onFailed: () => {} };
    const download = new Download(items, { ...options, local });
    const client = await server.client();
    Bun.gc(true);
    const before = heapStats().objectTypeCounts["string"] ?? 0;
    const bytes = heapStats().heapSize;
    await download.run(client);
    Bun.gc(true);
    expect(placed).toBe(COUNT);
    expect((heapStats().objectTypeCounts["string"] ?? 0) - before).toBeLessThan(10_000);
    expect(heapStats().heapSize - bytes).toBeLessThan(40 * 1024 * 1024);
    await download.close();
  }, 180_000);

  test("is planned ahead to a number of bytes, however long its paths are", async () => {
    let pulled = 0;
    const long = "z".repeat(4_000);
    const source = async function* () {
      for (;;) {
        pulled += 100;
        yield Array.from({ length: 100 }, (_, at) => ({ from: `${long}${pulled + at}`, to: `${long}${pulled + at}` }));
      }
    };
    const ahead = prefetch(source(), () => {});
    await ahead.next();
    for (let turn = 0; turn < 100; turn++) await settle();
    const most = MAX_AHEAD_BYTES / 8_000;
    expect(pulled).toBeGreaterThan(most / 2);
    expect(pulled).toBeLessThan(2 * most + 200);
    await ahead.return();
  });
});

describe("endings for what was typed", () => {
  test.each([
    ["that do not fit", "other", 0],
    ["that can't be shown", "docs/\u202e", 0],
    ["that fit", "docs/", 1_000],
  ])("from a server that lists without end what %s are told all the same", async (_, prefix, count) => {
    using server = new HostileServer(endless(entryOf(prefix)));
    const client = await clientOf(server);
    const { names, typed } = await completeLine(client, new ShellFolder(), "get docs/", new AbortController().signal);
    expect([names.length, count === 0 ? "" : typed]).toEqual([count, count === 0 ? "" : "docs/"]);
    await until(() => server.heard.some(({ name }) => name === "RESET"));
  });

  test.each([
    ["does not answer", () => {}],
    [
      "accepts, and says no more",
      (({ name, stream }, link) => {
        if (name === "OPEN") link.say(frame("ACCEPT", {}, stream));
      }) satisfies Answer,
    ],
  ])("are none when the server %s", async (_, answer) => {
    using server = new HostileServer(answer as Answer);
    const client = await clientOf(server);
    const patience = new AbortController();
    const completing = watch(completeLine(client, new ShellFolder(), "get docs/", patience.signal));
    await settle();
    expect(completing.state).toBe("pending");
    patience.abort();
    await until(() => completing.state !== "pending");
    expect(completing.value).toMatchObject({ names: [] });
  });
});

describe("what is pushed without end", () => {
  test("is refused while as many messages as may be open were not read", async () => {
    using server = new HostileServer(() => {});
    const shown: (() => void)[] = [];
    const client = await clientOf(server, { onMessage: () => new Promise<void>((resolve) => shown.push(resolve)) });
    const [link] = server.links;
    for (let id = 2; id <= 600; id += 2) {
      link?.say(frame("OPEN", { method: "message", params: { from: "x", to: "y", text: "hello" } }, id, 1));
    }
    await until(() => server.heard.filter(({ name }) => name === "RESET").length === 300 - 128);
    expect(shown.length).toBe(128);
    expect(server.heard.filter(({ name }) => name === "ACCEPT")).toEqual([]);
    for (const done of shown) done();
    await until(() => server.heard.filter(({ name }) => name === "ACCEPT").length === 128);
    await client.close(0);
  });

  test("of a watch that nobody reads is as much as was granted", async () => {
    let sent = 0;
    using server = new HostileServer(
      endless(() => {
        sent++;
        return { change: "removed", path: "x".repeat(1_000) };
      }),
    );
    const client = await clientOf(server);
    const changes = client.watch();
    await changes.next();
    for (let turn = 0; turn < 200; turn++) await settle();
    expect(sent * 1_000).toBeLessThan(9 * BLOCK);
    await changes.return();
  });
});

describe("the queue", () => {
  const queuing = (...positions: number[]): Promise<unknown> => {
    const server = new HostileServer(({ name }, link) => {
      if (name === "HELLO") link.say(...positions.map((position) => frame("QUEUED", { position })));
    }, null);
    const seen: number[] = [];
    return clientOf(server, { wait: true, onQueued: (position) => seen.push(position) }).catch((error) => ({
      seen,
      code: error.code,
    }));
  };

  test("that stands still, or grows, is no queue", async () => {
    expect(await queuing(3, 2, 2)).toEqual({ seen: [3, 2], code: "UNEXPECTED_FRAME" });
    expect(await queuing(3, 4)).toEqual({ seen: [3], code: "UNEXPECTED_FRAME" });
  });

  test("has an end that can be waited for", async () => {
    expect(await queuing(1_000_001)).toEqual({ seen: [], code: "BAD_PAYLOAD" });
  });
});
