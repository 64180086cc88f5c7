import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { MAX_FILE_BYTES } from "../../lib/block.ts";
import { fetchAll as fetchAndTell } from "../../lib/cli/client/get-command.ts";
import type { Client } from "../../lib/client/client.ts";
import { Connection } from "../../lib/client/connection.ts";
import { Upload } from "../../lib/client/upload.ts";
import { systemClock } from "../../lib/session/clock.ts";
import { digest64 } from "../../lib/storage/digest64.ts";
import { PrivatePlaces } from "../../lib/storage/local/private/private-places.ts";
import { MemoryStorage } from "../../lib/storage/memory-storage.ts";
import { facade } from "../support/facade.ts";
import { codeOf } from "../support/fault.ts";
import { frame } from "../support/frames.ts";
import { clientOf, HostileServer } from "../support/hostile-server.ts";
import { BLOCK, record } from "../support/raw-chunks.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { TestIo } from "../support/test-io.ts";
import { TestServer } from "../support/test-server.ts";
import { sendAll, Told } from "../support/transfers.ts";

/** 16 TiB: the largest file that there can be. */
const PROMISED = MAX_FILE_BYTES;

let folder: TempFolder;

beforeEach(() => {
  folder = new TempFolder();
});

afterEach(() => folder[Symbol.dispose]());

/** A client of a server that lists everything much larger than it is, folders too. */
function boasted(client: Client): Client {
  return facade(client, {
    stat: async (path) => ({ ...(await client.stat(path)), size: PROMISED }),
    async *listBatches(glob, signal) {
      const batches = client.listBatches(glob, signal);
      for (let step = await batches.next(); ; step = await batches.next()) {
        if (step.done) return step.value;
        yield step.value.map((entry) => ({ ...entry, size: PROMISED }));
      }
    },
  });
}

function connectionTo(server: TestServer): Promise<Connection> {
  const connect = async () => boasted(await server.client());
  return Connection.open({ clock: systemClock, reconnectMs: 0, random: () => 0, connect });
}

async function fetched(server: TestServer, sources: string[], json: boolean): Promise<TestIo> {
  const io = new TestIo();
  const request = { sources, output: `${folder.path}/`, exists: "fail", digest: false, strict: false, json } as const;
  const terms = { io, signal: new AbortController().signal, places: new PrivatePlaces() };
  expect(await fetchAndTell(await connectionTo(server), request, terms)).toBe(0);
  return io;
}

const eventsOf = (io: TestIo): Record<string, any>[] =>
  io.written
    .join("")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));

describe("a get of what was promised to be terabytes", () => {
  test("tells the bytes that were verified and stored", async () => {
    await using server = new TestServer();
    server.storage.set("good", new Uint8Array(3));
    server.storage.set("docs/large", new Uint8Array(2 * BLOCK + 5));
    const io = await fetched(server, ["good", "docs"], false);
    const shown = [...io.written, ...io.notes].join("\n");
    expect(shown).toContain("Fetched good as ");
    expect(shown).toContain("(3 B, verified)");
    expect(shown).toContain("(2.1 MB, verified)");
    expect(shown).toContain("Fetched 2 files, 2.1 MB in ");
    expect(shown).not.toContain("TB");
  });

  test("has no other number in an event, with --json", async () => {
    await using server = new TestServer();
    server.storage.set("good", new Uint8Array(3));
    server.storage.set("docs/large", new Uint8Array(2 * BLOCK + 5));
    const events = eventsOf(await fetched(server, ["good", "docs"], true));
    expect(events.filter(({ event }) => event === "started")).toMatchObject([
      { path: "good", size: 3, present: 0 },
      { path: "docs/large", size: 2 * BLOCK + 5, present: 0 },
    ]);
    const done = events.filter(({ event }) => event === "done").map(({ path, size }) => [path, size]);
    expect(Object.fromEntries(done)).toEqual({ good: 3, docs: 0, "docs/large": 2 * BLOCK + 5 });
    expect(events.at(-1)).toMatchObject({ event: "finished", stored: 2, bytes: 2 * BLOCK + 8 });
    for (const event of events)
      if (event["event"] === "progress") expect(event["bytes"]).toBeLessThanOrEqual(event["size"]);
    expect(JSON.stringify(events)).not.toContain(`${PROMISED}`);
  });
});

describe("a put", () => {
  test("of files that have grown since they were listed tells what was sent and stored", async () => {
    await using server = new TestServer();
    const local = new MemoryStorage();
    local.set("log", new Uint8Array(6));
    local.set("large", new Uint8Array(3 * BLOCK));
    const sizes: Record<string, number> = {};
    const items = async function* () {
      yield ["log", "large"].map((path) => ({
        from: path,
        to: path,
        kind: "file" as const,
        size: 1,
        modifiedAt: 0,
        local,
      }));
    };
    const upload = new Upload(items(), {
      exists: "fail",
      clock: systemClock,
      digest64,
      onFailed: () => {},
      onDone: ({ from }, _outcome, _path, size) => {
        sizes[from] = size;
      },
    });
    await upload.run(await server.client());
    expect(sizes).toEqual({ log: 6, large: 3 * BLOCK });
  });

  test.each([
    ["before it has asked for a byte", []],
    ["before it has got all of it", [{ id: 0, state: "ready", ranges: [[0, 2 * BLOCK]] }]],
  ])("does not believe a server that says it has stored a file %s", async (_, first) => {
    const local = new MemoryStorage();
    local.set("a", new Uint8Array(2 * BLOCK));
    let isAnswered = false;
    // Credit for less than a block: what is sent can't be all.
    using server = new HostileServer(
      ({ name, stream }, link) => {
        if (name === "OPEN") link.say(frame("ACCEPT", {}, stream));
        if (name !== "DATA" || isAnswered) return;
        isAnswered = true;
        for (const answer of [...first, { id: 0, state: "done", path: "a", outcome: "stored" }]) {
          link.say(frame("DATA", record(answer), stream));
        }
      },
      { credit: BLOCK / 2 },
    );
    const client = await clientOf(server);
    const told = new Told();
    expect(await codeOf(() => sendAll(client, local, { told }))).toBe("BAD_PAYLOAD");
    expect(told.done).toEqual([]);
    await client.close(0);
  });
});
