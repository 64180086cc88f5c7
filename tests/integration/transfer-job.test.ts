/** Transfers as a library: no command line, no disk, no terminal; over memory, between two storages in memory. */
import { describe, expect, test } from "bun:test";
import { Connection, type ConnectionOptions } from "../../lib/client/connection.ts";
import { type FetchJobSettings, fetchJob } from "../../lib/client/fetch-job.ts";
import { NamingError } from "../../lib/client/plan.ts";
import { type SendJobSettings, sendJob } from "../../lib/client/send-job.ts";
import type { LocalSources } from "../../lib/client/send-plan.ts";
import type { TransferItem } from "../../lib/client/transfer.ts";
import type { TransferJobEvents } from "../../lib/client/transfer-job.ts";
import { StorageError } from "../../lib/errors.ts";
import { isGlob } from "../../lib/glob.ts";
import { baseName } from "../../lib/path.ts";
import type { Clock } from "../../lib/session/clock.ts";
import { digest64 } from "../../lib/storage/digest64.ts";
import { MemoryStorage } from "../../lib/storage/memory-storage.ts";
import { facade } from "../support/facade.ts";
import { codeOf, faultOf } from "../support/fault.ts";
import type { MeddlerOptions, Meddling } from "../support/meddler.ts";
import { contentOf, meddledClient } from "../support/moving.ts";
import { BLOCK } from "../support/raw-chunks.ts";
import { TestServer } from "../support/test-server.ts";
import { hastyClock } from "../support/transfers.ts";
import { noise } from "../support/transport-recorder.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const sha256 = () => new Bun.CryptoHasher("sha256");

/** What a subscriber hears, as lines. */
class Heard {
  readonly lines: string[] = [];
  progress = 0;

  get events(): TransferJobEvents<TransferItem> {
    const say = (line: string) => void this.lines.push(line);
    return {
      onPlanned: ({ to }) => say(`planned ${to}`),
      onPlanComplete: () => say("plan complete"),
      onProgress: (_, more) => {
        this.progress += more;
      },
      onRestart: ({ from }) => say(`restarted ${from}`),
      onVerifying: ({ from }) => say(`verifying ${from}`),
      onDone: ({ from }, { outcome, path }) => say(`${outcome} ${from} at ${path}`),
      onFailed: ({ from }, { code }) => say(`failed ${from}: ${code}`),
      onSourceFailed: (source, { code }) => say(`failed source ${source}: ${code}`),
      onLeftOut: ({ path, code }) => say(`left out ${path}: ${code}`),
      onGone: ({ from }) => say(`gone ${from}`),
    };
  }

  of(word: string): string[] {
    return this.lines.filter((line) => line.startsWith(`${word} `)).sort();
  }
}

interface LinkChoice extends Partial<Pick<ConnectionOptions, "clock" | "reconnectMs">> {
  /** Whose frames the test looks at. */
  readonly on?: keyof MeddlerOptions;
}

/** A connection whose links, one after the other, are cut as the test wants; the last one lives. */
async function connectionTo(
  server: TestServer,
  links: ((frame: { name: string }) => Meddling)[] = [],
  { clock = hastyClock, reconnectMs = 600_000, on = "onIncoming" }: LinkChoice = {},
) {
  let made = 0;
  const connection = await Connection.open({
    clock,
    reconnectMs,
    random: () => 0,
    connect: async () => {
      const cut = links[made++];
      return (await meddledClient(server, cut && { [on]: cut })).client;
    },
  });
  return { connection, links: () => made };
}

/** Time that moves only by waiting, which takes no longer than a turn. */
function waitingClock(): Clock {
  let now = 1000;
  const after = (ms: number, action: () => void) =>
    hastyClock.after(ms, () => {
      now += ms;
      action();
    });
  return { ...hastyClock, now: () => now, after };
}

/** Cuts the link when so many bytes of DATA have come. */
function cutAfter(limit: number, before: () => void = () => {}) {
  let come = 0;
  return ({ name, payload }: { name: string; payload?: Buffer }): Meddling => {
    if (name === "DATA") come += payload?.length ?? 0;
    if (come <= limit) return undefined;
    before();
    return "cut";
  };
}

function fetchSettings(connection: Connection, local: MemoryStorage, heard: Heard): FetchJobSettings {
  return {
    connection,
    exists: "fail",
    clock: hastyClock,
    digest64,
    signal: new AbortController().signal,
    events: heard.events,
    sources: [""],
    naming: { into: "" },
    local,
  };
}

/** Names of a tree in memory. */
function sourcesIn(local: MemoryStorage): LocalSources {
  return {
    async find(source) {
      const open = async () => local;
      if (isGlob(source)) return { kind: "pattern", pattern: source, open };
      const { kind } = await local.stat(source);
      if (kind === "folder") return { kind, name: "", open };
      return { kind: "file", name: baseName(source), path: source, open };
    },
    takeHidden: () => [],
  };
}

function sendSettings(connection: Connection, local: MemoryStorage, heard: Heard): SendJobSettings {
  const { local: _, naming: __, ...rest } = fetchSettings(connection, local, heard);
  return { ...rest, events: heard.events, sources: [""], here: sourcesIn(local), to: "" };
}

describe("a job that fetches", () => {
  test("reports a file that has disappeared once, however many sources named it", async () => {
    await using server = new TestServer();
    server.storage.set("a", bytes("aaa"), 5);
    server.storage.set("docs/b", bytes("bb"), 5);
    const load = server.storage.load.bind(server.storage);
    server.storage.load = async (path, limit) => {
      if (path === "docs/b") throw new StorageError("NOT_FOUND", "It has disappeared.");
      return load(path, limit);
    };
    const heard = new Heard();
    const { connection } = await connectionTo(server);
    const settings = fetchSettings(connection, new MemoryStorage(), heard);
    const result = await fetchJob({ ...settings, sources: ["docs", "docs/*"] }).run();
    expect(result).toMatchObject({ failed: 0, leftOut: 1 });
    expect(heard.of("left out")).toEqual(["left out docs/b: NOT_FOUND"]);
    expect(heard.of("gone")).toEqual(["gone docs/b", "gone docs/b"]);
  });

  test("fetches no two files to one name, and says which one it leaves; the same one twice is one", async () => {
    await using server = new TestServer();
    for (const path of ["a/x", "b/x", "b/y", "a/in/z", "b/in/z"]) server.storage.set(path, bytes(path), 5);
    const { connection } = await connectionTo(server);
    const local = new MemoryStorage();
    const heard = new Heard();
    const fetch = (...sources: string[]) => fetchJob({ ...fetchSettings(connection, local, heard), sources }).run();
    expect(await fetch("a/x", "b/x", "a/x", "a/x")).toMatchObject({ stored: 1, failed: 1 });
    expect(heard.of("failed")).toEqual(["failed source b/x: SAME_NAME"]);
    const there = await contentOf(server.storage);
    expect(await contentOf(local)).toEqual({ x: there["a/x"] as string });
    expect(await fetch("a/in", "b/in", "b/y")).toMatchObject({ stored: 2, failed: 1 });
    expect(await contentOf(local)).toMatchObject({ "in/z": there["a/in/z"] as string, y: there["b/y"] as string });
  });

  test("reports its plan and the outcomes, and counts", async () => {
    await using server = new TestServer();
    server.storage.set("a", bytes("aaa"), 5);
    server.storage.set("docs/b", bytes("bb"), 5);
    const local = new MemoryStorage();
    const heard = new Heard();
    const { connection } = await connectionTo(server);
    const job = fetchJob({ ...fetchSettings(connection, local, heard), sources: ["", "missing"] });
    expect(await job.run()).toMatchObject({ stored: 2, failed: 1, skipped: 0, bytes: 5 });
    expect(job.result.firstFailure?.code).toBe("NOT_FOUND");
    expect(heard.of("planned")).toEqual(["planned a", "planned docs", "planned docs/b"]);
    expect(heard.of("stored")).toEqual(["stored a at a", "stored docs at docs", "stored docs/b at docs/b"]);
    expect(heard.lines).toContain("failed source missing: NOT_FOUND");
    expect(heard.lines).toContain("plan complete");
    expect(heard.progress).toBe(5);
    expect(await contentOf(local)).toEqual(await contentOf(server.storage));

    const again = new Heard();
    const second = fetchJob(fetchSettings(connection, local, again));
    expect(await second.run()).toMatchObject({ stored: 0, unchanged: 2, bytes: 0 });
  });

  test("goes on over lost links, plans again, and reports each thing once", async () => {
    await using server = new TestServer();
    server.storage.set("large", noise(9 * BLOCK), 5);
    for (let at = 0; at < 20; at++) server.storage.set(`many/${at}`, noise(at * 900 + 1, at + 1), 5);
    const local = new MemoryStorage();
    const heard = new Heard();
    const { connection, links } = await connectionTo(server, [cutAfter(2.5 * BLOCK), cutAfter(3.5 * BLOCK)]);
    expect(await fetchJob(fetchSettings(connection, local, heard)).run()).toMatchObject({ stored: 21, failed: 0 });
    expect(links()).toBe(3);
    expect(heard.of("planned")).toHaveLength(22);
    expect(new Set(heard.lines.filter((line) => line !== "plan complete")).size).toBe(44);
    expect(await contentOf(local)).toEqual(await contentOf(server.storage));
  });

  test("is retried as long as each link brings bytes, however long all the losses take together", async () => {
    await using server = new TestServer();
    server.storage.set("large", noise(24 * BLOCK), 5);
    const local = new MemoryStorage();
    const cuts = Array.from({ length: 6 }, () => cutAfter(3.5 * BLOCK));
    // One loss waits for 100 ms. Without progress, the fourth in a row finds no time left.
    const { connection, links } = await connectionTo(server, cuts, { clock: waitingClock(), reconnectMs: 1000 });
    expect(await fetchJob(fetchSettings(connection, local, new Heard())).run()).toMatchObject({ stored: 1 });
    expect(links()).toBe(7);
    expect(await contentOf(local)).toEqual(await contentOf(server.storage));
  });

  test("ends as LOST when no link brings anything for as long as reconnecting may take", async () => {
    await using server = new TestServer();
    server.storage.set("large", noise(24 * BLOCK), 5);
    const cuts = Array.from({ length: 6 }, () => cutAfter(0));
    const { connection, links } = await connectionTo(server, cuts, { clock: waitingClock(), reconnectMs: 1000 });
    const job = fetchJob(fetchSettings(connection, new MemoryStorage(), new Heard()));
    expect(await codeOf(() => job.run())).toBe("LOST");
    expect(links()).toBe(4);
  });

  test("asks once about all that exists, when the rest has moved, and replaces that alone", async () => {
    await using server = new TestServer();
    for (const path of ["a", "b", "c"]) server.storage.set(path, bytes(`their ${path}`), 5);
    const local = new MemoryStorage();
    for (const path of ["a", "b"]) local.set(path, bytes("mine"), 7);
    const heard = new Heard();
    const { connection } = await connectionTo(server);
    const asked: string[][] = [];
    const job = fetchJob({
      ...fetchSettings(connection, local, heard),
      onConflict: async (conflicts) => {
        asked.push(conflicts.map(({ item }) => item.to).sort());
        expect(heard.lines).toContain("stored c at c");
        server.storage.set("late", bytes("their late"));
        local.set("late", bytes("mine"));
        return ["overwrite", "overwrite"];
      },
    });
    expect(await job.run()).toMatchObject({ stored: 3, failed: 0 });
    expect(asked).toEqual([["a", "b"]]);
    expect(heard.of("planned")).toHaveLength(3);
    expect((await local.load("a", 100))?.bytes).toEqual(bytes("their a"));
    expect((await local.load("late", 100))?.bytes).toEqual(bytes("mine"));
  });

  test("counts what may not be replaced as failed, and asks nothing where another policy was chosen", async () => {
    await using server = new TestServer();
    server.storage.set("a", bytes("theirs"), 5);
    const local = new MemoryStorage();
    local.set("a", bytes("mine"), 7);
    const heard = new Heard();
    const { connection } = await connectionTo(server);
    let asked = 0;
    const onConflict = async () => {
      asked++;
      return undefined;
    };
    const settings = { ...fetchSettings(connection, local, heard), onConflict };
    expect(await fetchJob(settings).run()).toMatchObject({ stored: 0, failed: 1, firstFailure: { code: "EXISTS" } });
    expect(await fetchJob({ ...settings, exists: "skip" }).run()).toMatchObject({ skipped: 1, failed: 0 });
    expect(await fetchJob({ ...settings, exists: "rename" }).run()).toMatchObject({ stored: 1, failed: 0 });
    expect(asked).toBe(1);
    expect(heard.lines).toContain("stored a at a (2)");
  });

  test("that is aborted keeps what has arrived, and one made and run again goes on with it", async () => {
    await using server = new TestServer();
    server.storage.set("large", noise(20 * BLOCK), 5);
    const local = new MemoryStorage();
    const pause = new AbortController();
    const { connection } = await connectionTo(server);
    const heard = new Heard();
    const { events, ...settings } = fetchSettings(connection, local, heard);
    const pausing = {
      ...events,
      onProgress: (...[item, more]: [TransferItem, number]) => {
        events.onProgress?.(item, more);
        if (heard.progress >= 3 * BLOCK) pause.abort();
      },
    };
    const first = fetchJob({ ...settings, events: pausing, signal: pause.signal });
    expect(await codeOf(() => first.run())).toBe("INTERRUPTED");
    expect(first.result).toMatchObject({ stored: 0, failed: 0 });
    const again = new Heard();
    const { bytes: all, resumed, ...counts } = await fetchJob({ ...settings, events: again.events }).run();
    expect(counts).toMatchObject({ stored: 1 });
    expect([all, resumed]).toEqual([20 * BLOCK, 20 * BLOCK - again.progress]);
    expect(resumed).toBeGreaterThanOrEqual(3 * BLOCK);
    expect(again.progress).toBeLessThanOrEqual(20 * BLOCK - heard.progress);
    expect(await contentOf(local)).toEqual(await contentOf(server.storage));
  });

  test("compares digests when that is wanted, and a file that differs here has failed", async () => {
    await using server = new TestServer();
    server.storage.set("good", bytes("good"), 5);
    server.storage.set("bad", bytes("bad"), 5);
    const local = new MemoryStorage();
    const heard = new Heard();
    const { connection } = await connectionTo(server);
    const spoiled = facade(local, {
      store: async (...[path, facts, exists, content]: Parameters<MemoryStorage["store"]>) =>
        local.store(path, facts, exists, path === "bad" ? bytes("BAD") : content),
    });
    const job = fetchJob({
      ...fetchSettings(connection, local, heard),
      local: spoiled,
      verification: { sha256, open: (path) => local.open(path) },
    });
    expect(await job.run()).toMatchObject({ stored: 1, failed: 1, firstFailure: { code: "DIGEST_MISMATCH" } });
    expect(heard.lines).toContain("stored good at good");
    expect(heard.lines).toContain("failed bad: DIGEST_MISMATCH");
    expect(heard.lines.filter((line) => line.startsWith("verifying"))).not.toEqual([]);
  });

  test("throws what ends it, with its counts kept, when the connection does not come back", async () => {
    await using server = new TestServer();
    server.storage.set("a/small", bytes("s"), 5);
    server.storage.set("b/large", noise(9 * BLOCK), 5);
    const local = new MemoryStorage();
    local.set("a/there", bytes("mine"));
    server.storage.set("a/there", bytes("theirs"), 5);
    const heard = new Heard();
    const { client } = await meddledClient(server, { onIncoming: cutAfter(3 * BLOCK) });
    const connection = await Connection.open({
      clock: hastyClock,
      reconnectMs: 0,
      random: () => 0,
      connect: async () => client,
    });
    let asked = 0;
    const job = fetchJob({
      ...fetchSettings(connection, local, heard),
      onConflict: async (conflicts) => (++asked > 0 ? conflicts.map(() => "overwrite") : undefined),
    });
    expect(await codeOf(() => job.run())).toBe("LOST");
    // Nobody is asked about half a transfer.
    expect([asked, job.result.stored, job.result.failed]).toEqual([0, 1, 1]);
    expect(heard.lines).toContain("failed a/there: EXISTS");
  });

  test("refuses one name for what a pattern matches", async () => {
    await using server = new TestServer();
    server.storage.set("a", bytes("a"));
    const { connection } = await connectionTo(server);
    const heard = new Heard();
    const settings = { ...fetchSettings(connection, new MemoryStorage(), heard), sources: ["*"] };
    const error = await faultOf(() => fetchJob({ ...settings, naming: { into: "", as: "b" } }).run());
    expect(error).toBeInstanceOf(NamingError);
  });
});

describe("a job that sends", () => {
  test("is retried as long as each link takes bytes, however long all the losses take together", async () => {
    await using server = new TestServer();
    const local = new MemoryStorage();
    local.set("large", noise(24 * BLOCK), 5);
    const cuts = Array.from({ length: 6 }, () => cutAfter(3.5 * BLOCK));
    const choice = { clock: waitingClock(), reconnectMs: 1000, on: "onOutgoing" } as const;
    const { connection, links } = await connectionTo(server, cuts, choice);
    expect(await sendJob(sendSettings(connection, local, new Heard())).run()).toMatchObject({ stored: 1 });
    expect(links()).toBe(7);
    expect(await contentOf(server.storage)).toEqual(await contentOf(local));
  });

  test("reports its plan and the outcomes, over lost links", async () => {
    await using server = new TestServer();
    const local = new MemoryStorage();
    local.set("docs/a", bytes("a"), 5);
    local.set("large", noise(6 * BLOCK), 5);
    const heard = new Heard();
    let frames = 0;
    const cut = ({ name }: { name: string }): Meddling => (name === "WINDOW" && ++frames > 2 ? "cut" : undefined);
    const { connection } = await connectionTo(server, [cut]);
    const job = sendJob({ ...sendSettings(connection, local, heard), sources: ["", "none"], verification: { sha256 } });
    expect(await job.run()).toMatchObject({ stored: 2, failed: 1, bytes: 6 * BLOCK + 1 });
    expect(heard.of("planned")).toEqual(["planned docs", "planned docs/a", "planned large"]);
    expect(heard.lines).toContain("failed source none: NOT_FOUND");
    expect(heard.of("stored")).toHaveLength(3);
    expect(await contentOf(server.storage)).toEqual(await contentOf(local));
  });

  test("asks once about all that exists at the server, and replaces that alone", async () => {
    await using server = new TestServer();
    const local = new MemoryStorage();
    for (const path of ["a", "b", "c"]) local.set(path, bytes(`my ${path}`), 7);
    server.storage.set("a", bytes("theirs"), 5);
    const heard = new Heard();
    const { connection } = await connectionTo(server);
    const job = sendJob({
      ...sendSettings(connection, local, heard),
      onConflict: async (conflicts) => (conflicts.length === 1 ? ["overwrite"] : undefined),
    });
    expect(await job.run()).toMatchObject({ stored: 3, failed: 0 });
    expect(await contentOf(server.storage)).toEqual(await contentOf(local));
  });

  test("that finds nothing to send asks the server for nothing, which may take no files", async () => {
    await using server = new TestServer({ writable: false });
    const heard = new Heard();
    const { connection } = await connectionTo(server);
    const settings = { ...sendSettings(connection, new MemoryStorage(), heard), sources: ["none"] };
    expect(await sendJob(settings).run()).toMatchObject({ failed: 1, firstFailure: { code: "NOT_FOUND" } });
    expect(heard.lines).toEqual(["failed source none: NOT_FOUND", "plan complete"]);
  });

  test("reports what can't be read as failed, and sends the rest", async () => {
    await using server = new TestServer();
    const local = new MemoryStorage();
    for (const path of ["a", "b"]) local.set(path, bytes(path), 7);
    const denied = async () => {
      throw new StorageError("DISK_DENIED", "No permission.");
    };
    const partly = facade(local, {
      load: async (...[path, limit]: Parameters<MemoryStorage["load"]>) =>
        path === "a" ? undefined : local.load(path, limit),
      open: (path: string) => (path === "a" ? denied() : local.open(path)),
    });
    const heard = new Heard();
    const { connection } = await connectionTo(server);
    const settings = { ...sendSettings(connection, local, heard), here: sourcesIn(partly) };
    expect(await sendJob(settings).run()).toMatchObject({ stored: 1, failed: 1 });
    expect(heard.lines).toContain("failed a: DISK_DENIED");
  });
});
