import { describe, expect, test } from "bun:test";
import { settle } from "../support/fake-clock.ts";
import { frame } from "../support/frames.ts";
import { admittedPeer, clientFrom } from "../support/limits.ts";
import { FRAME, PacedPeer, PacedSite } from "../support/paced-peer.ts";
import { BLOCK, chunk } from "../support/raw-chunks.ts";

const RATE = 1_000_000;
const BURST = RATE / 4;
const CREDIT = 65_536;

const facts = (path: string, size: number) => ({
  path,
  exists: "fail",
  size,
  modifiedAt: 1,
  executable: false,
  etag: "1",
});

describe("a rate for each session", () => {
  test("holds a download: no more than rate × time, a burst and a frame, and hardly less", async () => {
    await using site = new PacedSite({ perSession: RATE });
    const peer = await site.download();
    for (let second = 1; second <= 10; second++) {
      await site.pass(1_000);
      expect(peer.received).toBeLessThanOrEqual(RATE * second + BURST + FRAME);
      expect(peer.received).toBeGreaterThanOrEqual(RATE * second - FRAME);
    }
  });

  test("is each session's own, and each direction's", async () => {
    await using site = new PacedSite({ perSession: RATE });
    const peers = [await site.download(), await site.download(), await site.download()];
    await site.pass(5_000);
    for (const peer of peers) {
      expect(peer.received).toBeGreaterThanOrEqual(5 * RATE - FRAME);
      expect(peer.received).toBeLessThanOrEqual(5 * RATE + BURST + FRAME);
    }
  });

  test("holds several streams of a session together", async () => {
    await using site = new PacedSite({ perSession: RATE });
    const peer = await site.download();
    for (const id of [3, 5]) {
      const request = Buffer.from(`${JSON.stringify({ id: 0, path: "large" })}\n`);
      await peer.peer.send(frame("OPEN", { method: "get" }, id), frame("DATA", request, id));
    }
    await site.pass(5_000);
    expect(peer.received).toBeLessThanOrEqual(5 * RATE + BURST + FRAME);
  });

  test("delays neither messages nor pings, of this session or another", async () => {
    await using site = new PacedSite({ perSession: RATE });
    const [peer, other] = [await site.download(), await clientFrom(site.server)];
    for (let round = 0; round < 20; round++) {
      // No time passes meanwhile.
      expect(await peer.ping()).toBe(true);
      const before = peer.peer.frames.length;
      await peer.peer.send(frame("OPEN", { method: "message", params: { text: "x" } }, 2 * round + 3, 1));
      expect(peer.peer.frames.slice(before).map(({ name }) => name)).toContain("ACCEPT");
      expect((await other.send("y")).text).toBe("y ACK");
      await site.pass(200);
    }
  });

  test("holds an upload by its credit", async () => {
    await using site = new PacedSite({ perSession: RATE });
    const peer = new PacedPeer(await admittedPeer(site.server));
    const body = Buffer.concat([
      chunk("FILE", 0, facts("up", 12 * BLOCK)),
      ...Array.from({ length: 12 }, (_, at) => chunk("BLOCK", 0, new Uint8Array(BLOCK), at * BLOCK)),
    ]);
    await peer.peer.send(frame("OPEN", { method: "put" }, 1));
    let sent = 0;
    const send = async () => {
      while (sent < Math.min(body.length, CREDIT + peer.granted)) {
        const piece = body.subarray(sent, Math.min(body.length, CREDIT + peer.granted));
        sent += piece.length;
        await peer.peer.send(frame("DATA", piece, 1));
      }
    };
    await send();
    for (let second = 1; second <= 8; second++) {
      await site.pass(1_000, send);
      expect(sent).toBeLessThanOrEqual(RATE * second + BURST + 2 * CREDIT);
      expect(await peer.ping()).toBe(true);
    }
    expect(sent).toBeGreaterThanOrEqual(7 * RATE);
  });

  test("also holds a client that opens a stream for each file", async () => {
    await using site = new PacedSite({ perSession: 100_000 });
    const peer = await admittedPeer(site.server);
    const size = 30_000;
    for (let index = 0; index < 100; index++) {
      const id = 2 * index + 1;
      const file = [
        chunk("FILE", 0, facts(`f${index}`, size)),
        chunk("BLOCK", 0, new Uint8Array(size)),
        chunk("SEAL", 0),
      ];
      await peer.send(
        frame("OPEN", { method: "put" }, id),
        frame("DATA", Buffer.concat(file), id),
        frame("END", Buffer.alloc(0), id),
      );
      await settle();
    }
    // No time has passed: what came is what a burst and the first credit of so many streams allow.
    const stored = site.server.events.filter(({ event }) => event === "stored").length * size;
    expect(stored).toBeLessThanOrEqual(25_000 + 4 * CREDIT);
  });
});

describe("a rate for all", () => {
  test("holds them together", async () => {
    await using site = new PacedSite({ total: RATE });
    const peers = [await site.download(), await site.download(), await site.download()];
    for (let second = 1; second <= 5; second++) {
      await site.pass(1_000);
      const sum = peers.reduce((bytes, { received }) => bytes + received, 0);
      expect(sum).toBeLessThanOrEqual(RATE * second + BURST + FRAME);
      expect(sum).toBeGreaterThanOrEqual(RATE * second - FRAME);
    }
  });

  test("is shared about evenly", async () => {
    await using site = new PacedSite({ total: RATE });
    const peers = [await site.download(), await site.download()];
    await site.pass(20_000);
    const [one = 0, other = 0] = peers.map(({ received }) => received);
    expect(Math.min(one, other)).toBeGreaterThanOrEqual(0.35 * (one + other));
  });

  test("delays neither messages nor pings", async () => {
    await using site = new PacedSite({ total: RATE });
    const [peer, other] = [await site.download(), await clientFrom(site.server)];
    for (let round = 0; round < 20; round++) {
      expect(await peer.ping()).toBe(true);
      expect((await other.send("y")).text).toBe("y ACK");
      await site.pass(100);
    }
  });

  test("of both, the lower holds", async () => {
    await using site = new PacedSite({ perSession: RATE / 4, total: RATE });
    const peers = [await site.download(), await site.download()];
    await site.pass(8_000);
    for (const { received } of peers) {
      expect(received).toBeLessThanOrEqual(8 * (RATE / 4) + BURST / 4 + FRAME);
      expect(received).toBeGreaterThanOrEqual(8 * (RATE / 4) - FRAME);
    }
  });
});

test("without a rate nothing waits for the clock", async () => {
  await using site = new PacedSite({});
  const peer = await site.download();
  for (let round = 0; round < 2_000 && peer.received < 64 * BLOCK; round++) await settle();
  expect(peer.received).toBeGreaterThan(64 * BLOCK);
});
