import { expect, test } from "bun:test";
import { MemoryStorage } from "../../lib/storage/memory-storage.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { frame, HELLO } from "../support/frames.ts";
import { type Direction, LinkProxy, openTap, type ProxiedLink, type Tap } from "../support/link-proxy.ts";
import { Random } from "../support/random.ts";
import { BLOCK, getting } from "../support/raw-chunks.ts";
import { RawPeer } from "../support/raw-peer.ts";
import { TestServer } from "../support/test-server.ts";
import { clientAt, connectionAt, digestsOf, fetchAll, sha256Of, Told } from "../support/transfers.ts";
import { until } from "../support/until.ts";

const GRACE_MS = 30_000;
const HEARTBEAT_MS = 15_000;
/** A minute at most, says PROTOCOL.md. */
const SILENCE_MS = 60_000;
const STOP_AT = 6 * BLOCK;

const random = new Random("clock-silence");
const content = random.bytes(12 * BLOCK + 17);

/** The server stops in the middle, for good: nothing more comes from it, and nothing ends. */
class StopTap implements Tap {
  #passed = 0;
  isStopped = false;

  pass(direction: Direction, bytes: Buffer, link: ProxiedLink): Uint8Array {
    if (direction === "down") this.#passed += bytes.length;
    if (this.#passed < STOP_AT) return bytes;
    link.freeze();
    this.isStopped = true;
    return new Uint8Array(0);
  }
}

test("a client finds a server that is stopped for good within a minute, and goes on when there is one again", async () => {
  const clock = new FakeClock();
  await using server = new TestServer({ maxClients: 1 });
  server.storage.set("large.bin", content);
  const stopping = new StopTap();
  using proxy = new LinkProxy(server.listen(), (index) => (index === 0 ? stopping : openTap));
  const lostAfter: { code: string; ms: number }[] = [];
  const names: string[] = [];
  const startedAt = clock.now();
  const connection = await connectionAt(proxy.port, {
    clock,
    connect: (resume) => clientAt(proxy.port, { clock, resume }),
    onLost: ({ code }) => lostAfter.push({ code, ms: clock.now() - startedAt }),
    onBack: ({ name }) => names.push(name),
  });
  const { name } = connection.client;
  const local = new MemoryStorage();
  const told = new Told();
  const fetching = fetchAll(connection, local, { paths: ["large.bin"], told, clock });
  let isDone = false;
  void fetching.finally(() => {
    isDone = true;
  });
  await until(() => stopping.isStopped);
  // What is on its way yet may come when the first of this time has passed already.
  for (let ms = 0; ms < SILENCE_MS + HEARTBEAT_MS && lostAfter.length === 0; ms += HEARTBEAT_MS) {
    expect(isDone).toBe(false);
    await clock.advance(HEARTBEAT_MS);
  }
  expect(lostAfter.map(({ code }) => code)).toEqual(["HEARTBEAT_TIMEOUT"]);
  expect(lostAfter[0]?.ms).toBeGreaterThanOrEqual(3 * HEARTBEAT_MS);
  await until(async () => {
    await clock.advance(100);
    return isDone;
  });
  expect((await fetching).failed).toEqual([]);
  expect(names).toEqual([name]);
  expect(proxy.links).toHaveLength(2);
  expect(await digestsOf(local)).toEqual({ "large.bin": sha256Of(content) });
  await connection.client.close();
});

test("a server finds a client that is stopped for good within a minute, gives its seat back after the grace time, and nobody beside it waits", async () => {
  const clock = new FakeClock();
  await using server = new TestServer({ clock, maxClients: 2, graceMs: GRACE_MS });
  server.storage.set("large.bin", content);
  const port = server.listen();
  await using stopped = await RawPeer.connect(port);
  stopped.send(frame("HELLO", { ...HELLO, resume: "", credit: 2 ** 30 }));
  const { json: welcome } = await stopped.next("WELCOME");
  stopped.send(getting("large.bin"));
  await stopped.next("DATA");
  stopped.pause();

  // Its own clock is the true one: it only answers.
  const honest = await clientAt(port);
  const waiting = clientAt(port, { wait: true });
  await until(() => server.server.seats.waiting === 1);
  const left = () => server.events.filter(({ event }) => event === "left");
  const away = () => server.events.filter(({ event }) => event === "away");
  for (let ms = 0; ms < SILENCE_MS && away().length === 0; ms += HEARTBEAT_MS) {
    const { failed } = await fetchAll(honest, new MemoryStorage());
    expect(failed).toEqual([]);
    expect((await honest.send("beside it")).text).toBe("beside it ACK");
    await clock.advance(HEARTBEAT_MS);
  }
  expect(away()).toMatchObject([{ name: welcome.name, message: expect.stringContaining("Nothing came") }]);
  expect(server.server.seats).toMatchObject({ taken: 2, waiting: 1 });
  for (let ms = 0; ms < GRACE_MS; ms += GRACE_MS / 3) {
    expect(left()).toEqual([]);
    await honest.ping();
    await clock.advance(GRACE_MS / 3);
  }
  const next = await waiting;
  expect(left()).toMatchObject([{ name: welcome.name, reason: "timeout" }]);
  for (const client of [honest, next]) {
    expect((await client.send("still here")).text).toBe("still here ACK");
    await client.close();
  }
});
