/** A server that answers PING and nothing else, or cuts every link, or sends without end: what a client does about it. */
import { describe, expect, test } from "bun:test";
import type { Client } from "../../lib/client/client.ts";
import { Connection } from "../../lib/client/connection.ts";
import { Operator } from "../../lib/client/operator.ts";
import { MemoryStorage } from "../../lib/storage/memory-storage.ts";
import { facade } from "../support/facade.ts";
import { FakeClock, settle } from "../support/fake-clock.ts";
import { frame } from "../support/frames.ts";
import { type Answer, clientOf, HostileServer } from "../support/hostile-server.ts";
import { codeOf, watch } from "../support/outcomes.ts";
import { BLOCK, chunk, record } from "../support/raw-chunks.ts";
import { TestServer } from "../support/test-server.ts";
import { fetchAll, sendAll, Told } from "../support/transfers.ts";

const SILENCE_MS = 30_000;
const HOUR_MS = 3_600_000;

const accepts: Answer = ({ name, stream }, link) => {
  if (name === "OPEN") link.say(frame("ACCEPT", {}, stream));
};

async function all(records: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of records);
}

/** One file that nobody has listed before. */
function fetched(client: Client): Promise<unknown> {
  return fetchAll(client, new MemoryStorage(), {
    async *items() {
      yield [{ from: "a", to: "a", kind: "file", size: 2 * BLOCK, modifiedAt: 0 }];
    },
  });
}

function sent(client: Client): Promise<unknown> {
  const local = new MemoryStorage();
  local.set("large", new Uint8Array(3 * BLOCK));
  return sendAll(client, local);
}

async function silent(answer: Answer, clock: FakeClock): Promise<{ client: Client; server: HostileServer }> {
  const server = new HostileServer(answer);
  return { client: await clientOf(server, { clock, silenceMs: SILENCE_MS }), server };
}

const requests: Record<string, (client: Client) => Promise<unknown>> = {
  status: (client) => client.status(),
  stat: (client) => client.stat("a"),
  digest: (client) => client.digest("a"),
  remove: (client) => client.remove("a", true),
  rename: (client) => client.rename("a", "b", false),
  message: (client) => client.send("hello"),
  list: (client) => all(client.list()),
  watch: (client) => all(client.watch()),
  events: (client) => all(new Operator(client).events()),
  tokens: (client) => all(new Operator(client).tokens()),
  get: fetched,
  put: sent,
};

/** Those whose answer may come after ACCEPT. */
const bodies = ["list", "tokens", "get", "put"];

describe("an answer that never comes, while PONGs do", () => {
  test.each(Object.keys(requests))("ends %s with TIMEOUT, and says what was waited for", async (name) => {
    const clock = new FakeClock();
    const { client, server } = await silent(() => {}, clock);
    using _ = server;
    const asked = watch((requests[name] as (client: Client) => Promise<unknown>)(client));
    await settle();
    await clock.advance(SILENCE_MS - 1_000);
    expect(asked.state).toBe("pending");
    await clock.advance(SILENCE_MS / 4 + 1_000);
    expect(codeOf(asked)).toBe("TIMEOUT");
  });

  test.each(bodies)("ends %s with TIMEOUT when it stops after ACCEPT", async (name) => {
    const clock = new FakeClock();
    const { client, server } = await silent(accepts, clock);
    using _ = server;
    const asked = watch((requests[name] as (client: Client) => Promise<unknown>)(client));
    await settle();
    await clock.advance(2 * SILENCE_MS);
    expect(codeOf(asked)).toBe("TIMEOUT");
  });

  test.each(["watch", "events"])("is what %s is for: once accepted it waits for ever", async (name) => {
    const clock = new FakeClock();
    const { client, server } = await silent(accepts, clock);
    using _ = server;
    const asked = watch((requests[name] as (client: Client) => Promise<unknown>)(client));
    await settle();
    for (let hour = 0; hour < 3; hour++) await clock.advance(60_000);
    expect(asked.state).toBe("pending");
  });

  test("is waited for as long as the server says that it works", async () => {
    const clock = new FakeClock();
    let work: () => void = () => {};
    const { client, server } = await silent(({ name, stream }, link) => {
      if (name === "OPEN") work = () => void link.say(frame("WORKING", undefined, stream));
    }, clock);
    using _ = server;
    const asked = watch(client.digest("a"));
    await settle();
    for (let time = 0; time < 10; time++) {
      await clock.advance(SILENCE_MS / 2);
      work();
      await settle();
    }
    expect(asked.state).toBe("pending");
    await clock.advance(2 * SILENCE_MS);
    expect(codeOf(asked)).toBe("TIMEOUT");
  });

  test("is not waited for after a day of WORKING and nothing else", async () => {
    const clock = new FakeClock();
    let work: () => void = () => {};
    using server = new HostileServer(({ name, stream }, link) => {
      if (name === "OPEN") work = () => void link.say(frame("WORKING", undefined, stream));
    });
    const client = await clientOf(server, { clock, silenceMs: HOUR_MS });
    const asked = watch(client.digest("a"));
    await settle();
    for (let half = 0; half < 47; half++) {
      work();
      await clock.advance(HOUR_MS / 2);
    }
    expect(asked.state).toBe("pending");
    for (let half = 0; half < 3; half++) {
      work();
      await clock.advance(HOUR_MS / 2);
    }
    expect(codeOf(asked)).toBe("TIMEOUT");
    expect((asked.error as Error).message).toContain("24 h");
  });

  test("is none where a watch is idle, however often the server says that it works", async () => {
    const clock = new FakeClock();
    let work: () => void = () => {};
    using server = new HostileServer(({ name, stream }, link) => {
      if (name !== "OPEN") return;
      link.say(frame("ACCEPT", {}, stream));
      work = () => void link.say(frame("WORKING", undefined, stream));
    });
    const client = await clientOf(server, { clock, silenceMs: HOUR_MS });
    const asked = watch(all(client.watch()));
    await settle();
    for (let hour = 0; hour < 26; hour++) {
      work();
      await clock.advance(HOUR_MS);
    }
    expect(asked.state).toBe("pending");
  });

  test("ends a ping with TIMEOUT, though the server says other things", async () => {
    const clock = new FakeClock();
    const { client, server } = await silent(() => {}, clock);
    using _ = server;
    server.answersPings = false;
    const asked = watch(client.ping());
    for (let second = 0; second < 45; second += 5) {
      server.links[0]?.say(frame("PING", Buffer.alloc(8)));
      await clock.advance(5_000);
    }
    expect(codeOf(asked)).toBe("TIMEOUT");
  });

  test("ends get with TIMEOUT when all is answered but for the end", async () => {
    const clock = new FakeClock();
    const { client, server } = await silent(accepts, clock);
    using _ = server;
    const asked = watch(fetchAll(client, new MemoryStorage(), { async *items() {} }));
    await settle();
    await clock.advance(2 * SILENCE_MS);
    expect(codeOf(asked)).toBe("TIMEOUT");
  });

  test("ends put with TIMEOUT when all is answered but for the end", async () => {
    const clock = new FakeClock();
    let isStored = false;
    const { client, server } = await silent((request, link) => {
      accepts(request, link);
      if (request.name !== "DATA" || isStored) return;
      isStored = true;
      const answer = { id: 0, state: "done", path: "a", outcome: "stored" };
      link.say(frame("DATA", record(answer), request.stream));
    }, clock);
    using _ = server;
    const local = new MemoryStorage();
    local.set("a", new Uint8Array(1));
    const told = new Told();
    const asked = watch(sendAll(client, local, { told }));
    await settle();
    expect(told.done).toHaveLength(1);
    await clock.advance(2 * SILENCE_MS);
    expect(codeOf(asked)).toBe("TIMEOUT");
  });

  test("does not end a request when it was this process that stood still", async () => {
    const clock = new FakeClock();
    let answer: () => void = () => {};
    const { client, server } = await silent(({ name, stream }, link) => {
      const digest = { size: 1, modifiedAt: 0, executable: false, etag: "e", sha256: "0".repeat(64) };
      if (name === "OPEN") answer = () => void link.say(frame("ACCEPT", digest, stream, 1));
    }, clock);
    using _ = server;
    const asked = watch(client.digest("a"));
    await settle();
    clock.stall(10 * SILENCE_MS);
    await clock.advance(1);
    expect(asked.state).toBe("pending");
    answer();
    await settle();
    expect(asked.state).toBe("resolved");
  });
});

describe("WORKING", () => {
  test("is said by a server of a request that takes long, to clients that know it", async () => {
    const clock = new FakeClock();
    const storage = new MemoryStorage();
    storage.set("a", new Uint8Array(10));
    const held = Promise.withResolvers<void>();
    const slow = facade(storage, {
      open: (path) => held.promise.then(() => storage.open(path)),
      load: (path, limit) => held.promise.then(() => storage.load(path, limit)),
    });
    await using server = new TestServer({ clock, storage: slow });
    const client = await server.client({ clock, silenceMs: 45_000 });
    const asked = watch(client.digest("a"));
    await settle();
    for (let time = 0; time < 30; time++) await clock.advance(5_000);
    expect(asked.state).toBe("pending");
    held.resolve();
    await settle();
    expect(asked.state).toBe("resolved");
  });
});

describe("a server that welcomes and cuts", () => {
  test.each(["get", "put", "list"])("for ever is not returned to for ever by %s", async (name) => {
    const clock = new FakeClock();
    using server = new HostileServer(({ name: frameName }, link) => {
      if (frameName === "OPEN") link.cut();
    });
    const connection = await Connection.open({
      clock,
      reconnectMs: 60_000,
      random: () => 1,
      connect: () => clientOf(server, { clock }),
    });
    const work = requests[name] as (client: Client) => Promise<unknown>;
    const persisting = watch(connection.persist(work));
    for (let second = 0; second < 80; second++) await clock.advance(1_000);
    expect(codeOf(persisting)).toBe("LOST");
    expect(server.links.length).toBeLessThan(20);
  });
});

describe("blocks without end", () => {
  test("of one file end the get with BAD_PAYLOAD, though each is right", async () => {
    let isAsked = false;
    using server = new HostileServer(({ name, stream }, link) => {
      if (name === "OPEN") link.say(frame("ACCEPT", {}, stream));
      if (name !== "DATA" || isAsked) return;
      isAsked = true;
      const facts = { size: 2 * BLOCK, modifiedAt: 0, executable: false, etag: "e" };
      link.say(frame("DATA", chunk("FILE", 0, facts), stream));
      const block = chunk("BLOCK", 0, Buffer.alloc(BLOCK), 0);
      const half = block.length / 2;
      const frames = Buffer.concat([
        frame("DATA", block.subarray(0, half), stream),
        frame("DATA", block.subarray(half), stream),
      ]);
      // No more than the client grants: what was said first is not counted so closely.
      let left = 4 * BLOCK - 1_000;
      const mayGoOn = () => left + (link.credit.get(stream) ?? 0) >= block.length;
      void link.flood(() => {
        left -= block.length;
        return frames;
      }, mayGoOn);
    });
    const client = await clientOf(server);
    const outcome = watch(fetched(client));
    while (outcome.state === "pending") await settle();
    expect(codeOf(outcome)).toBe("BAD_PAYLOAD");
    await client.close(0);
  });
});
