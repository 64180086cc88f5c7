import { describe, expect, spyOn, test } from "bun:test";
import { Connection } from "../../lib/client/connection.ts";
import { MemoryStorage } from "../../lib/storage/memory-storage.ts";
import type { ExistsPolicy, FileFacts, OpenFile, PartFile } from "../../lib/storage/storage.ts";
import { memoryPair } from "../../lib/transport/memory-transport.ts";
import { FakeClock, settle } from "../support/fake-clock.ts";
import { frame } from "../support/frames.ts";
import { admittedPeer, CODES, clientFrom } from "../support/limits.ts";
import { getting } from "../support/raw-chunks.ts";
import { RawPeer } from "../support/raw-peer.ts";
import { RawTransfers } from "../support/raw-transfers.ts";
import { TestServer } from "../support/test-server.ts";
import { digestsOf, fetchAll, hastyClock, sendAll, sha256Of } from "../support/transfers.ts";
import { noise } from "../support/transport-recorder.ts";
import { until } from "../support/until.ts";

const MIB = 1_048_576;
/** Room for one transfer that makes do with little, or two small ones. */
const MEMORY = { bytes: 3 * MIB, sessionBytes: 3 * MIB, firstBytes: 3 * MIB };
const content = noise(6 * MIB);

/** Room for one small transfer alone. */
const LITTLE = { bytes: 2 * MIB, sessionBytes: 2 * MIB, firstBytes: 2 * MIB };

function crowded(memory = MEMORY): { server: TestServer; clock: FakeClock } {
  const clock = new FakeClock();
  const limits = { credit: 8_192, maxStreams: 128 };
  const server = new TestServer({
    clock,
    memory,
    maxWindow: 4 * MIB,
    limits,
    maxClients: 10,
    heartbeatMs: 1e9,
  });
  server.storage.set("large.bin", content);
  return { server, clock };
}

/** A tree whose disk stands still on demand. */
class SlowStorage extends MemoryStorage {
  gate: Promise<void> | undefined;

  override async receive(path: string, facts: FileFacts, exists: ExistsPolicy): Promise<PartFile> {
    const part = await super.receive(path, facts, exists);
    const write: PartFile["write"] = async (...block) => {
      await this.gate;
      return part.write(...block);
    };
    return Object.assign(Object.create(part), { write });
  }

  override async open(path: string): Promise<OpenFile> {
    const file = await super.open(path);
    const read: OpenFile["read"] = async (buffer, position) => {
      if (position > 0) await this.gate;
      return file.read(buffer, position);
    };
    return { ...file, read };
  }
}

/** Somebody who comes back, over memory. */
function connectionTo(server: TestServer): Promise<Connection> {
  return Connection.open({
    clock: hastyClock,
    reconnectMs: 600_000,
    random: () => 0,
    connect: (resume) => {
      const [ours, theirs] = memoryPair();
      server.server.accept(ours, "write");
      return server.clientOver(theirs, { resume });
    },
  });
}

describe("the memory of a server", () => {
  test("is full: further transfers of other sessions wait, in order, and nothing else does", async () => {
    const { server } = crowded();
    await using _ = server;
    const deaf = await admittedPeer(server, {}, { credit: 0 });
    await deaf.send(getting("large.bin", 1), getting("large.bin", 3));
    const honest = await clientFrom(server);
    const local = new MemoryStorage();
    const fetched = fetchAll(honest, local, { paths: ["large.bin"] });
    await until(() => server.server.memory.waiting === 1);
    expect(server.server.memory.used).toBeLessThanOrEqual(MEMORY.bytes);
    expect((await honest.send("beside it")).text).toBe("beside it ACK");
    await deaf.send(frame("RESET", { code: 38, message: "" }, 1));
    expect((await fetched).failed).toEqual([]);
    expect((await digestsOf(local))["large.bin"]).toBe(sha256Of(content));
  });

  test("is had back from a peer that takes nothing, after five seconds in which others wait", async () => {
    const { server, clock } = crowded();
    await using _ = server;
    const deaf = await admittedPeer(server, {}, { credit: 0 });
    await deaf.send(getting("large.bin", 1), getting("large.bin", 3));
    await clock.advance(100_000);
    expect(deaf.names).not.toContain("RESET");
    const honest = await clientFrom(server);
    const local = new MemoryStorage();
    const fetched = fetchAll(honest, local, { paths: ["large.bin"] });
    await until(() => server.server.memory.waiting === 1);
    await clock.advance(7_000);
    await deaf.send();
    expect(deaf.last("RESET")?.json.code).toBe(CODES.CROWDED);
    expect((await fetched).failed).toEqual([]);
  });

  test("is had back from one that does not even read, by the end of its session", async () => {
    // One transfer, so that what the system has not taken from us is its: of two, one might have nothing on its way.
    const { server, clock } = crowded(LITTLE);
    await using _ = server;
    server.storage.set("huge.bin", new Uint8Array(40 * MIB));
    await using deaf = await RawPeer.admitted(server.listen(), { credit: 2 ** 31 - 1 });
    deaf.pause();
    deaf.send(getting("huge.bin", 1));
    await until(() => server.server.memory.used > LITTLE.bytes / 2);
    const honest = await clientFrom(server);
    const fetched = fetchAll(honest, new MemoryStorage(), { paths: ["large.bin"] });
    await until(() => server.server.memory.waiting === 1);
    await until(async () => {
      await clock.advance(1_000);
      return server.events.some(({ event }) => event === "left");
    });
    expect((await fetched).failed).toEqual([]);
    expect(server.events.filter(({ event }) => event === "left")).toMatchObject([{ reason: "timeout" }]);
  });

  for (const direction of ["get", "put"] as const) {
    test(`is given up by our own ${direction} that stands still, which goes on later with what it has`, async () => {
      const { server, clock } = crowded();
      await using _ = server;
      const connection = await connectionTo(server);
      const local = new SlowStorage();
      const gate = Promise.withResolvers<void>();
      local.gate = gate.promise;
      local.set("mine.bin", content);
      const moved =
        direction === "get"
          ? fetchAll(connection, local, { paths: ["large.bin"] })
          : sendAll(connection, local, { paths: ["mine.bin"] });
      await until(() => server.server.memory.used > 0);
      for (let turn = 0; turn < 20; turn++) await settle();
      const honest = await clientFrom(server);
      const first = fetchAll(honest, new MemoryStorage(), { paths: ["large.bin"] });
      const other = new MemoryStorage();
      other.set("other.bin", content);
      const second = sendAll(honest, other);
      await until(() => server.server.memory.waiting > 0);
      for (let step = 0; step < 12; step++) await clock.advance(1_000);
      expect((await first).failed).toEqual([]);
      await second;
      gate.resolve();
      const told = await moved;
      expect(told.failed).toEqual([]);
      // Nothing but what was under way moved twice.
      expect(told.bytes).toBeLessThanOrEqual(content.length + 4 * MIB);
      const [where, name] = direction === "get" ? [local, "large.bin"] : [server.storage, "mine.bin"];
      expect((await digestsOf(where))[name]).toBe(sha256Of(content));
    });
  }

  test("bounds what one session may have: its own transfers wait for each other, and those of others do not", async () => {
    const clock = new FakeClock();
    const memory = { bytes: 40 * MIB, sessionBytes: 3 * MIB, firstBytes: 3 * MIB };
    await using server = new TestServer({ clock, memory, heartbeatMs: 1e9 });
    server.storage.set("large.bin", content);
    const greedy = await admittedPeer(server, {}, { credit: 0 });
    for (let id = 1; id < 20; id += 2) await greedy.send(getting("large.bin", id));
    expect(server.server.memory.used).toBeLessThanOrEqual(memory.sessionBytes);
    await clock.advance(200_000);
    expect(greedy.names).not.toContain("RESET");
    const honest = await clientFrom(server);
    expect((await fetchAll(honest, new MemoryStorage(), { paths: ["large.bin"] })).failed).toEqual([]);
  });
});

describe("blocks in memory", () => {
  /** How many buffers for blocks transfers have. */
  function heldBlocks({ server }: TestServer): () => number {
    const { buffers } = server.gateway.transfers;
    const [taken, given] = [spyOn(buffers, "take"), spyOn(buffers, "give")];
    return () => taken.mock.calls.length - given.mock.calls.length;
  }

  test("are free for others when a download has ended, or was cut off", async () => {
    await using server = new TestServer();
    server.storage.set("large.bin", content);
    const held = heldBlocks(server);
    await fetchAll(await server.client(), new MemoryStorage());
    expect(held()).toBe(0);
    const peer = await admittedPeer(server, {}, { credit: 1_000 });
    await peer.send(getting("large.bin"));
    await until(() => held() > 0);
    await peer.close();
    await until(() => held() === 0);
  });

  test("are free while a file is digested between two downloads", async () => {
    const seen: number[] = [];
    let held = () => 0;
    const createSha256 = () => {
      seen.push(held());
      return new Bun.CryptoHasher("sha256");
    };
    await using server = new TestServer({ createSha256 });
    server.storage.set("large.bin", content);
    server.storage.set("other.bin", content);
    held = heldBlocks(server);
    await using peer = await RawPeer.admitted(server.listen(), { capabilities: ["digests"], credit: 16 * MIB });
    const chunks = await new RawTransfers(peer).get(
      { id: 1, path: "large.bin" },
      { id: 2, path: "other.bin", digest: true, length: 0 },
    );
    expect(chunks.at(-2)?.json.sha256).toBe(sha256Of(content));
    expect(seen).toEqual([0]);
  });

  test("are free for others when an upload has ended", async () => {
    await using server = new TestServer();
    const held = heldBlocks(server);
    const tree = new MemoryStorage();
    tree.set("large.bin", content, 1_000);
    await sendAll(await server.client(), tree);
    expect(held()).toBe(0);
  });
});
