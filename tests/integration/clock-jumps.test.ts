import { describe, expect, test } from "bun:test";
import { formatStatus } from "../../lib/cli/client/status-command.ts";
import { Connection } from "../../lib/client/connection.ts";
import { TransportError } from "../../lib/errors.ts";
import { cleanUnfinished } from "../../lib/server/cleaning.ts";
import { Ledger } from "../../lib/server/ledger.ts";
import { type Clock, systemClock } from "../../lib/session/clock.ts";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import { MemoryStorage } from "../../lib/storage/memory-storage.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { type Direction, LinkProxy, type Tap } from "../support/link-proxy.ts";
import { Random } from "../support/random.ts";
import { BLOCK } from "../support/raw-chunks.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { TestServer } from "../support/test-server.ts";
import { clientAt, connectionAt, digestsOf, fetchAll, sendAll, sha256Of } from "../support/transfers.ts";
import { until } from "../support/until.ts";

const HOUR_MS = 3_600_000;
const DECADE_MS = 10 * 365 * 24 * HOUR_MS;
const GRACE_MS = 30_000;
const MIDDLE = 3 * BLOCK;

const random = new Random("clock-jumps");
const content = random.bytes(12 * BLOCK + 17);

const JUMPS: [string, number][] = [
  ["an hour forward", HOUR_MS],
  ["an hour back", -HOUR_MS],
  ["ten years forward", DECADE_MS],
  ["ten years back", -DECADE_MS],
];

/** Time that a test moves, and a wall clock that somebody sets. */
class JumpyClock extends FakeClock {
  #setBy = 0;

  override wallTime(): number {
    return super.wallTime() + this.#setBy;
  }

  jump(ms: number): void {
    this.#setBy += ms;
  }
}

/** Real time, with a wall clock that somebody sets. */
function jumpySystemClock(): Clock & { jump(ms: number): void } {
  let setBy = 0;
  return {
    ...systemClock,
    wallTime: () => Date.now() + setBy,
    jump(ms) {
      setBy += ms;
    },
  };
}

/** Runs `action` once, when half of what moves has passed, and holds the rest until that is done. */
class Midway implements Tap {
  readonly #action: () => unknown;
  #passed = 0;
  isOver = false;

  constructor(action: () => unknown) {
    this.#action = action;
  }

  async pass(_: Direction, bytes: Buffer): Promise<Uint8Array> {
    this.#passed += bytes.length;
    if (this.#passed < MIDDLE || this.isOver) return bytes;
    this.isOver = true;
    await this.#action();
    return bytes;
  }
}

/** A server on a clock that can be set, whose ledger can be looked at. */
function makeServer(maxClients = 3): { server: TestServer; clock: JumpyClock; ledger: Ledger } {
  const clock = new JumpyClock();
  const ledger = Ledger.open(":memory:");
  return { server: new TestServer({ clock, ledger, maxClients, graceMs: GRACE_MS }), clock, ledger };
}

function kinds(server: TestServer): string[] {
  return server.events.map(({ event }) => event);
}

function newestRow(ledger: Ledger) {
  const [row] = ledger.page(Number.MAX_SAFE_INTEGER, 1);
  if (row === undefined) throw new Error("The ledger is empty.");
  return row;
}

describe.each(JUMPS)("when the wall clock is set %s", (_, jumpMs) => {
  test.each(["get", "put"] as const)("a %s under way goes on, and the session with it", async (method) => {
    const clock = jumpySystemClock();
    const source = new MemoryStorage();
    source.set("large.bin", content);
    using folder = new TempFolder();
    const target = method === "get" ? await LocalStorage.ofUser(folder.path) : await LocalStorage.at(folder.path);
    await using server = new TestServer({ clock, storage: method === "get" ? source : target });
    const midway = new Midway(() => clock.jump(jumpMs));
    using proxy = new LinkProxy(server.listen(), () => midway);
    const connection = await connectionAt(proxy.port, {
      connect: (resume) => clientAt(proxy.port, { resume, clock }),
    });
    const choice = { paths: ["large.bin"], clock };
    const told = await (method === "get" ? fetchAll(connection, target, choice) : sendAll(connection, source, choice));
    expect(midway.isOver).toBe(true);
    expect(told).toMatchObject({ failed: [], restarts: [], done: [{ path: "large.bin", outcome: "stored" }] });
    expect(await digestsOf(target)).toEqual({ "large.bin": sha256Of(content) });
    expect(proxy.links).toHaveLength(1);
    expect(await connection.client.send("still here")).toMatchObject({ text: "still here ACK" });
    expect(kinds(server).filter((kind) => ["away", "left", "failed", "warning"].includes(kind))).toEqual([]);
    await connection.client.close();
  });

  test("the cleaning of unfinished files lets one alone that is being written", async () => {
    const source = new MemoryStorage();
    source.set("large.bin", content);
    using folder = new TempFolder();
    const target = await LocalStorage.at(folder.path);
    await using server = new TestServer({ storage: target });
    const cleaned: unknown[] = [];
    const midway = new Midway(async () => {
      await until(async () => (await Array.fromAsync(target.unfinished())).length > 0);
      await cleanUnfinished(target, Date.now() + jumpMs, (event) => cleaned.push(event));
    });
    using proxy = new LinkProxy(server.listen(), () => midway);
    const client = await clientAt(proxy.port);
    const told = await sendAll(client, source, { paths: ["large.bin"] });
    expect(midway.isOver).toBe(true);
    expect({ cleaned, failed: told.failed }).toEqual({ cleaned: [], failed: [] });
    expect(await digestsOf(target)).toEqual({ "large.bin": sha256Of(content) });
    await client.close();
  });

  test("an idle session lives, and so does one that is silent for less than its time", async () => {
    const { server, clock } = makeServer();
    await using _ = server;
    const client = await server.client({ clock });
    clock.jump(jumpMs);
    for (let tick = 0; tick < 20; tick++) await clock.advance(15_000);
    expect(await client.ping()).toBe(0);
    expect(kinds(server)).toEqual(["joined"]);
    await client.close();
  });

  test("the grace time is as long as ever", async () => {
    const { server, clock } = makeServer(1);
    await using _ = server;
    using proxy = new LinkProxy(server.listen(), () => ({ pass: (_, bytes) => bytes }));
    const first = await clientAt(proxy.port, { resume: "" });
    proxy.links[0]?.cut();
    await until(() => kinds(server).at(-1) === "away");
    clock.jump(jumpMs);
    await clock.advance(GRACE_MS - 1);
    expect(server.server.seats.taken).toBe(1);
    const second = await clientAt(proxy.port, { resume: first.resume ?? "" });
    expect(second.name).toBe(first.name);
    proxy.links[1]?.cut();
    await until(() => kinds(server).at(-1) === "away");
    clock.jump(-jumpMs);
    await clock.advance(GRACE_MS - 1);
    expect(server.server.seats.taken).toBe(1);
    await clock.advance(1);
    expect(server.server.seats.taken).toBe(0);
    expect(kinds(server)).toEqual(["joined", "away", "returned", "away", "left"]);
  });

  test("a client that comes back tries for as long as ever, not shorter and not longer", async () => {
    const { server, clock } = makeServer();
    await using _ = server;
    let attempts = 0;
    const connection = await Connection.open({
      clock,
      reconnectMs: 60_000,
      random: () => 1,
      async connect() {
        if (attempts++ === 0) return server.client({ clock, resume: "" });
        clock.jump(jumpMs);
        throw new TransportError("CANNOT_CONNECT", "Nobody is there.");
      },
    });
    const startedAt = clock.now();
    let gaveUpAfterMs = -1;
    const trying = connection.recover(new TransportError("LOST", "gone")).catch(() => {
      gaveUpAfterMs = clock.now() - startedAt;
    });
    for (let second = 0; second < 60; second++) await clock.advance(1_000);
    await trying;
    // 0.2 s and twice that and so on up to 10 s; the next one would come after the minute.
    expect(attempts).toBe(1 + 10);
    expect(gaveUpAfterMs).toBeGreaterThan(50_000);
  });

  test("no session ends before it began, in the ledger or in what a crash leaves of it", async () => {
    using folder = new TempFolder();
    const clock = new JumpyClock();
    const file = folder.join("ledger");
    const ledger = Ledger.open(file);
    await using server = new TestServer({ clock, ledger });
    const leaving = await server.client({ clock });
    clock.jump(jumpMs);
    await clock.advance(1_000);
    await leaving.close();
    const left = newestRow(ledger);
    expect(left).toMatchObject({ reason: "exit" });
    const crashing = ledger.begin("address", clock.wallTime());
    clock.jump(jumpMs);
    ledger.checkpoint([{ id: crashing.id, bytesIn: 1, bytesOut: 1, messagesIn: 0, messagesOut: 0 }], clock.wallTime());
    await server[Symbol.asyncDispose]();
    const again = Ledger.open(file);
    const crashed = newestRow(again);
    expect(crashed).toMatchObject({ name: crashing.name, reason: "crash" });
    again.close();
    const durations = [left, crashed].map(({ startedAt, endedAt }) => (endedAt ?? Number.NaN) - startedAt);
    expect(durations.filter((ms) => !(ms >= 0))).toEqual([]);
  });

  test("status tells how long the server has run", async () => {
    const { server, clock } = makeServer();
    await using _ = server;
    const client = await server.client({ clock });
    await clock.advance(20_000);
    clock.jump(jumpMs);
    await clock.advance(70_000);
    const status = await client.status();
    expect(formatStatus(status, { color: false })).toContain("up 1 min.");
    expect(status.server.uptimeMs).toBe(90_000);
    await client.close();
  });
});
