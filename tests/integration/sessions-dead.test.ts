import { describe, expect, test } from "bun:test";
import { MemoryStorage } from "../../lib/storage/memory-storage.ts";
import type { ExistsPolicy, FileFacts, OpenFile, PartFile } from "../../lib/storage/storage.ts";
import { settle } from "../support/fake-clock.ts";
import { frame } from "../support/frames.ts";
import { admittedPeer, clientFrom } from "../support/limits.ts";
import { chunk, getting } from "../support/raw-chunks.ts";
import { TestServer } from "../support/test-server.ts";
import { until } from "../support/until.ts";

const STREAMS = 128;
/** Transfers of a session that move at once. */
const TURNS = 4;
const MIB = 1_048_576;
const odd = (index: number) => 2 * index + 1;

/** A tree in memory that counts what is done to it, and holds up every look at a file on demand. */
class CountedStorage extends MemoryStorage {
  opens = 0;
  receives = 0;
  gate: Promise<void> | undefined;

  override async open(path: string): Promise<OpenFile> {
    this.opens++;
    await this.gate;
    return super.open(path);
  }

  override async receive(path: string, facts: FileFacts, exists: ExistsPolicy): Promise<PartFile> {
    this.receives++;
    await this.gate;
    return super.receive(path, facts, exists);
  }
}

function site(): { server: TestServer; storage: CountedStorage } {
  const storage = new CountedStorage();
  storage.set("large.bin", new Uint8Array(3 * MIB));
  return {
    server: new TestServer({ storage, limits: { credit: 8_192, maxStreams: 128 }, maxWindow: 4 * MIB }),
    storage,
  };
}

const facts = { exists: "fail", size: 3 * MIB, modifiedAt: 1, executable: false, etag: "1" };
const putting = (path: string, stream: number) =>
  Buffer.concat([
    frame("OPEN", { method: "put", params: {} }, stream),
    frame("DATA", chunk("FILE", 0, { path, ...facts }), stream),
  ]);

async function allTurns(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await settle();
}

describe("transfers that wait in a session that is gone", () => {
  test.each(["a cut", "GOAWAY", "a half-closed pipe and a kick"])(
    "are never begun: no file is opened for a get after %s",
    async (how) => {
      const { server, storage } = site();
      await using _ = server;
      const peer = await admittedPeer(server, {}, { credit: 0 });
      const { name } = peer.last("WELCOME")?.json ?? {};
      const honest = await clientFrom(server);
      for (let index = 0; index < STREAMS; index++) await peer.send(getting("large.bin", odd(index)));
      await until(() => storage.opens === TURNS);
      if (how === "GOAWAY") await peer.send(frame("GOAWAY", { code: 1, message: "" }));
      else if (how === "a cut") await peer.close();
      else server.server.kick(name, "enough");
      await peer.close();
      await until(() => server.server.members.clients.length === 1);
      await allTurns();
      expect(storage.opens).toBe(TURNS);
      expect([server.server.memory.used, server.server.memory.waiting]).toEqual([0, 0]);
      expect((await honest.send("beside it")).text).toBe("beside it ACK");
    },
  );

  test("are never begun: nothing is made for a put", async () => {
    const { server, storage } = site();
    await using _ = server;
    const peer = await admittedPeer(server, {}, { credit: 0 });
    for (let index = 0; index < STREAMS; index++) await peer.send(putting(`f${index}`, odd(index)));
    await until(() => storage.receives === TURNS);
    await peer.close();
    await until(() => server.server.members.clients.length === 0);
    await allTurns();
    expect(storage.receives).toBe(TURNS);
    expect(server.server.memory.used).toBe(0);
  });

  test("are dropped with the stream when only that is reset, and later ones continue", async () => {
    const { server, storage } = site();
    await using _ = server;
    const peer = await admittedPeer(server, {}, { credit: 0 });
    for (let index = 0; index < 8; index++) await peer.send(getting("large.bin", odd(index)));
    await until(() => storage.opens === TURNS);
    for (let index = 4; index < 7; index++) await peer.send(frame("RESET", { code: 38, message: "" }, odd(index)));
    expect(storage.opens).toBe(TURNS);
    await peer.send(frame("RESET", { code: 38, message: "" }, odd(0)));
    await until(() => storage.opens === TURNS + 1);
    await allTurns();
    expect(storage.opens).toBe(TURNS + 1);
  });
});

describe("what moves in a session that is cut", () => {
  test("a get stops at its next block, and asks for no other file", async () => {
    const { server, storage } = site();
    await using _ = server;
    const gate = Promise.withResolvers<void>();
    storage.gate = gate.promise;
    const peer = await admittedPeer(server);
    await peer.send(getting("large.bin", 1));
    for (let id = 1; id < 50; id++) {
      await peer.send(frame("DATA", Buffer.from(`{"id":${id},"path":"large.bin"}\n`), 1));
    }
    await until(() => storage.opens === 1);
    await peer.close();
    await until(() => server.server.members.clients.length === 0);
    gate.resolve();
    await allTurns();
    expect(storage.opens).toBe(1);
    expect(server.server.memory.used).toBe(0);
  });

  test("a put keeps what had arrived, so that it need not be sent again", async () => {
    const { server, storage } = site();
    await using _ = server;
    const gate = Promise.withResolvers<void>();
    const peer = await admittedPeer(server);
    await peer.send(putting("kept.bin", 1));
    await until(async () => {
      await peer.send();
      return peer.last("DATA") !== undefined;
    });
    storage.gate = gate.promise;
    const block = chunk("BLOCK", 0, new Uint8Array(MIB), MIB);
    await peer.send(frame("DATA", chunk("FILE", 1, { path: "other.bin", ...facts }), 1));
    await until(() => storage.receives === 2);
    await peer.send(frame("DATA", block.subarray(0, 1_000), 1), frame("DATA", block.subarray(1_000), 1));
    await peer.close();
    await until(() => server.server.members.clients.length === 0);
    gate.resolve();
    await until(() => server.server.memory.used === 0);
    storage.gate = undefined;
    const placement = await storage.place("kept.bin", facts, "fail");
    expect(placement).toMatchObject({
      resume: {
        missing: [
          [0, MIB],
          [2 * MIB, 3 * MIB],
        ],
      },
    });
  });
});
