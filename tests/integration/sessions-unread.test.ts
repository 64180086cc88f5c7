import { describe, expect, test } from "bun:test";
import { FakeClock, settle } from "../support/fake-clock.ts";
import { frame } from "../support/frames.ts";
import { chunk } from "../support/raw-chunks.ts";
import { RawPeer } from "../support/raw-peer.ts";
import { isAllRead } from "../support/tcp-queues.ts";
import { TestServer } from "../support/test-server.ts";
import { cut } from "../support/transport-recorder.ts";
import { until } from "../support/until.ts";

/**
 * Peers that go while nothing is read from them. Their clock stands still, or nearly so: no heartbeat misses them. What is
 * awaited tells that their session has ended.
 */

const MIB = 1_048_576;
const PING = frame("PING", Buffer.alloc(8));

const facts = { exists: "fail", size: 3 * MIB, modifiedAt: 1, executable: false, etag: "1" };

/** A server that lets each session move so many bytes a second. */
const slowServer = (clock: FakeClock, perSession: number) =>
  new TestServer({ clock, bandwidth: { perSession, total: undefined }, limits: { credit: 2 * MIB, maxStreams: 128 } });

const isGone = ({ server }: TestServer) => server.members.clients.length === 0;

/** Until the server has read from its only session no less than that. */
const hasRead = ({ server }: TestServer, bytes: number) =>
  until(() => (server.members.clients[0]?.bytesIn ?? 0) >= bytes);

describe.skipIf(process.platform !== "linux")("a session ends at once when its peer sends no more", () => {
  test("though it is not read from, because it does not read its answers", async () => {
    await using server = new TestServer({ clock: new FakeClock() });
    await using deaf = await RawPeer.admitted(server.listen());
    const address = server.server.members.clients[0]?.address ?? "";
    deaf.pause();
    // Until its answers stay with the server. What it sends then stays where it is, and so does its end.
    let asked = 0;
    await until(async () => {
      if (server.server.members.clients[0]?.session.congested) return true;
      deaf.send(Buffer.alloc(1_000 * PING.length, PING));
      asked += 1_000 * PING.length;
      await hasRead(server, asked);
      return false;
    });
    deaf.send(Buffer.alloc(1_000 * PING.length, PING));
    await until(() => deaf.unsentBytes === 0);
    await settle();
    expect(isAllRead(address)).toBe(false);
    deaf.halfClose();
    await until(() => isGone(server));
  });

  test("though it is not read from, because it has sent faster than it may", async () => {
    await using server = slowServer(new FakeClock(), 1_000);
    await using hasty = await RawPeer.admitted(server.listen());
    hasty.send(frame("OPEN", { method: "put", params: {} }, 1), frame("DATA", Buffer.alloc(20_000), 1));
    await hasRead(server, 20_000);
    await settle();
    hasty.send(frame("DATA", Buffer.alloc(20_000), 1));
    hasty.halfClose();
    await until(() => isGone(server));
  });

  test("and a put that was moving keeps what had arrived, and was not read yet", async () => {
    const clock = new FakeClock();
    await using server = slowServer(clock, 10_000);
    await using peer = await RawPeer.admitted(server.listen());
    peer.send(frame("OPEN", { method: "put", params: {} }, 1));
    peer.send(frame("DATA", chunk("FILE", 0, { path: "kept.bin", ...facts }), 1));
    await peer.next("DATA");
    const parts = [...cut(chunk("BLOCK", 0, new Uint8Array(MIB), MIB), [40_000])].map((part) => frame("DATA", part, 1));
    const last = parts.pop() ?? Buffer.alloc(0);
    let read = server.server.members.clients[0]?.bytesIn ?? 0;
    for (const part of parts) {
      await clock.advance(5_000);
      peer.send(part);
      read += part.length;
      await hasRead(server, read);
    }
    await settle();
    peer.send(last);
    peer.halfClose();
    await until(() => isGone(server) && server.server.memory.used === 0);
    const placement = await server.storage.place("kept.bin", facts, "fail");
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
