/** Who waits for whom in a transfer: a slow disk of ours is no silence of the server's, and one that has too much open is asked again. */
import { describe, expect, test } from "bun:test";
import type { Client } from "../../lib/client/client.ts";
import { MemoryStorage } from "../../lib/storage/memory-storage.ts";
import { facade } from "../support/facade.ts";
import { FakeClock, settle } from "../support/fake-clock.ts";
import { frame } from "../support/frames.ts";
import { type Answer, clientOf, HostileServer } from "../support/hostile-server.ts";
import { codeOf, watch } from "../support/outcomes.ts";
import { BLOCK, chunk, record } from "../support/raw-chunks.ts";
import { fetchAll, sendAll } from "../support/transfers.ts";

const SILENCE_MS = 30_000;

const accepts: Answer = ({ name, stream }, link) => {
  if (name === "OPEN") link.say(frame("ACCEPT", {}, stream));
};

async function silent(answer: Answer, clock: FakeClock): Promise<{ client: Client; server: HostileServer }> {
  const server = new HostileServer(answer);
  return { client: await clientOf(server, { clock, silenceMs: SILENCE_MS }), server };
}

describe("a slow disk of ours", () => {
  const never = new Promise<never>(() => {});

  test("does not count as silence of the server while a file is opened", async () => {
    const clock = new FakeClock();
    const { client, server } = await silent(accepts, clock);
    using _ = server;
    const local = new MemoryStorage();
    local.set("small", new Uint8Array(3));
    const slow = facade(local, { load: () => never, open: () => never });
    const asked = watch(sendAll(client, slow));
    await settle();
    await clock.advance(10 * SILENCE_MS);
    expect(asked.state).toBe("pending");
    expect(server.heard.map(({ name }) => name)).not.toContain("RESET");
  });

  test("does not count while blocks are read that the server waits for; what it owes does", async () => {
    const clock = new FakeClock();
    const { client, server } = await silent(({ name, stream }, link) => {
      if (name === "OPEN") link.say(frame("ACCEPT", {}, stream));
      const ready = { id: 0, state: "ready", ranges: [[0, 3 * BLOCK]] };
      if (name === "DATA" && server.heard.filter((heard) => heard.name === "DATA").length === 1)
        link.say(frame("DATA", record(ready), stream));
    }, clock);
    using _ = server;
    const local = new MemoryStorage();
    local.set("large", new Uint8Array(3 * BLOCK));
    const held = Promise.withResolvers<void>();
    const slow = facade(local, {
      open: async (path) => {
        const file = await local.open(path);
        return facade(file, { read: (...args) => held.promise.then(() => file.read(...args)) });
      },
    });
    const asked = watch(sendAll(client, slow));
    await settle();
    await clock.advance(10 * SILENCE_MS);
    expect(asked.state).toBe("pending");
    expect(server.heard.map(({ name }) => name)).not.toContain("RESET");
    held.resolve();
    await settle();
    await clock.advance(2 * SILENCE_MS);
    expect(codeOf(asked)).toBe("TIMEOUT");
  });
});

describe("a server that has too much open", () => {
  const facts = { size: 3, modifiedAt: 0, executable: false, etag: "e" };
  const one = {
    async *items() {
      yield [{ from: "a", to: "a", kind: "file" as const, size: 3, modifiedAt: 0 }];
    },
  };

  /** Refuses the first requests of a get, and answers the others. */
  function overloaded(refusals: number): HostileServer {
    let asked = 0;
    return new HostileServer(({ name, stream, payload }, link) => {
      if (name === "OPEN") link.say(frame("ACCEPT", {}, stream));
      if (name === "END") link.say(frame("END", undefined, stream));
      if (name !== "DATA") return;
      for (const line of payload.toString().trim().split("\n")) {
        const { id } = JSON.parse(line);
        const fail = chunk("FAIL", id, { code: 56, message: "Too many files are open." });
        const file = [chunk("FILE", id, facts), chunk("BLOCK", id, Buffer.from("abc")), chunk("SEAL", id)];
        link.say(frame("DATA", asked++ < refusals ? fail : Buffer.concat(file), stream));
      }
    });
  }

  test("is asked again for that file, a little later each time", async () => {
    const clock = new FakeClock();
    using server = overloaded(3);
    const client = await clientOf(server, { clock, silenceMs: SILENCE_MS });
    const local = new MemoryStorage();
    const asked = watch(fetchAll(client, local, { ...one, clock }));
    await settle();
    expect(asked.state).toBe("pending");
    await clock.advance(250 + 500 + 1_000);
    expect(asked.value).toMatchObject({ failed: [], done: [{ path: "a", outcome: "stored" }] });
  });

  test("is not asked for ever", async () => {
    const clock = new FakeClock();
    using server = overloaded(Number.POSITIVE_INFINITY);
    const client = await clientOf(server, { clock, silenceMs: SILENCE_MS });
    const asked = watch(fetchAll(client, new MemoryStorage(), { ...one, clock }));
    for (let second = 0; second < 100; second++) await clock.advance(1_000);
    expect(asked.value?.codes).toEqual(["OVERLOADED"]);
    expect(server.heard.filter(({ name }) => name === "DATA").length).toBe(11);
  });
});
