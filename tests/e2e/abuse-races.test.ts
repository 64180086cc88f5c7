import { expect, test } from "bun:test";
import { Client } from "../../lib/client/client.ts";
import { systemClock } from "../../lib/session/clock.ts";
import { connect } from "../../lib/transport/socket.ts";
import { isFull } from "../support/abuse/site.ts";
import { frame, HELLO } from "../support/frames.ts";
import { CODES } from "../support/limits.ts";
import { ServerProcess } from "../support/processes.ts";
import { RawPeer } from "../support/raw-peer.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { until } from "../support/until.ts";

const SEATS = 8;
const ROUNDS = isFull ? 200 : 10;

async function startServer(folder: string, ...args: string[]): Promise<ServerProcess> {
  const flags = ["--open", "--max-clients", `${SEATS}`, "--max-waiting", "2", ...args];
  return ServerProcess.start(["-r", folder, ...flags]);
}

/** Wait until so many have left in all. */
async function left(server: ServerProcess, count: number): Promise<void> {
  const have = () => server.events.filter(({ event }) => event === "left").length;
  while (have() < count) await server.event("left");
}

for (const crowd of [SEATS + 1, 5 * SEATS]) {
  test(`of ${crowd} that race for ${SEATS} seats exactly ${SEATS} are seated, round after round, and no name comes twice`, async () => {
    using folder = new TempFolder();
    await using server = await startServer(folder.path, "--plaintext");
    const names: string[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const peers = await Promise.all(Array.from({ length: crowd }, () => RawPeer.connect(server.port)));
      for (const peer of peers) peer.send(frame("HELLO", HELLO));
      await Promise.all(peers.map((peer) => until(() => peer.frames.length > 0)));
      const seated = peers.filter(({ frames }) => frames[0]?.name === "WELCOME");
      const refused = peers.filter(({ frames }) => frames[0]?.name === "REFUSE");
      expect([seated.length, refused.length]).toEqual([SEATS, crowd - SEATS]);
      expect(new Set(refused.map(({ frames }) => frames[0]?.json.code))).toEqual(new Set([CODES.SERVER_FULL]));
      names.push(...seated.map(({ frames }) => frames[0]?.json.name));
      for (const peer of peers) peer.abort();
      await left(server, (round + 1) * SEATS);
    }
    expect(new Set(names).size).toBe(ROUNDS * SEATS);
  });
}

test("seats that are given back in a crowd go to exactly as many as wait, in order", async () => {
  using folder = new TempFolder();
  await using server = await startServer(folder.path, "--plaintext");
  const seated = await Promise.all(Array.from({ length: SEATS }, () => RawPeer.admitted(server.port)));
  const peers = await Promise.all(Array.from({ length: 20 }, () => RawPeer.connect(server.port)));
  for (const peer of peers) peer.send(frame("HELLO", { ...HELLO, wait: true }));
  await Promise.all(peers.map((peer) => until(() => peer.frames.length > 0)));
  const queued = peers.filter(({ frames }) => frames[0]?.name === "QUEUED");
  expect(queued.map(({ frames }) => frames[0]?.json.position).sort()).toEqual([1, 2]);
  for (const peer of seated) peer.abort();
  await Promise.all(queued.map((peer) => peer.next("WELCOME")));
  await left(server, SEATS);
  const more = await Promise.all(Array.from({ length: SEATS }, () => RawPeer.connect(server.port)));
  for (const peer of more) peer.send(frame("HELLO", HELLO));
  await Promise.all(more.map((peer) => until(() => peer.frames.length > 0)));
  expect(more.filter(({ frames }) => frames[0]?.name === "WELCOME")).toHaveLength(SEATS - queued.length);
  for (const peer of [...peers, ...more]) peer.abort();
});

test("over TLS, too, exactly as many are seated as there are seats", async () => {
  using folder = new TempFolder();
  await using server = await startServer(folder.path);
  const address = { kind: "tcp", host: "127.0.0.1", port: server.port } as const;
  for (let round = 0; round < ROUNDS / 2; round++) {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 2 * SEATS }, async () => {
        const transport = await connect(address, { timeoutMs: 20_000, trust: { verify() {} } });
        return Client.connect({ transport, clock: systemClock, agent: "racer", wait: false, timeoutMs: 20_000 });
      }),
    );
    const clients = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
    const codes = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason.code] : []));
    expect(clients).toHaveLength(SEATS);
    expect(codes).toEqual(Array(SEATS).fill("SERVER_FULL"));
    await Promise.all(clients.map((client) => client.close()));
    await left(server, (round + 1) * SEATS);
  }
});
