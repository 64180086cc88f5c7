/** What is left on the heap of sessions that were cut off, over real sockets and a real folder. */

import { heapStats } from "bun:jsc";
import { describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import type { Role } from "../../lib/protocol/messages.ts";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import { frame, HELLO } from "../support/frames.ts";
import { readTable } from "../support/protocol-page.ts";
import { BLOCK, chunk, getting } from "../support/raw-chunks.ts";
import { RawPeer } from "../support/raw-peer.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { TestServer } from "../support/test-server.ts";
import { until } from "../support/until.ts";

/** In one round. */
const SESSIONS = 24;
/** What is kept grows in each round; what is made once for all (a cache, code) does so in one or two of them. */
const ROUNDS = 4;
/** How often what is left after a round is counted again. */
const AGAIN = 20;
/** What a session is made of, and what waits for something: no kind of it may grow with the number of sessions. */
const KINDS = [
  "Object",
  "Function",
  "Array",
  "Map",
  "Set",
  "Promise",
  "JSLexicalEnvironment",
  "Uint8Array",
  "TCPSocket",
];
/** The collector takes a word on the stack for a pointer: a few may stay by chance. */
const BY_CHANCE = SESSIONS / 2;

interface Shape {
  readonly role?: Role;
  readonly hello?: object;
  /** Sent by who was admitted. */
  readonly say?: readonly Uint8Array[];
  /** The frame that shows that the server is at it. */
  readonly heard?: "ACCEPT" | "DATA" | "RESET";
  /** Something that happens meanwhile. */
  happens?(visit: Visit): Promise<void>;
}

interface Visit {
  readonly storage: LocalStorage;
  readonly port: number;
  readonly peer: RawPeer;
}

const call = (method: string, params: object = {}) => [frame("OPEN", { method, params }, 1, 1)];
const large = { exists: "fail", size: 2 * BLOCK, modifiedAt: 1, executable: false, etag: "1" };
const halfABlock = chunk("BLOCK", 0, new Uint8Array(BLOCK)).subarray(0, 50_000);

/** By method, as a peer leaves them. */
const CALLS: Readonly<Record<string, Shape>> = {
  status: { say: call("status"), heard: "ACCEPT" },
  list: { say: call("list"), hello: { credit: 0 }, heard: "ACCEPT" },
  stat: { say: call("stat", { path: "large.bin" }), heard: "ACCEPT" },
  get: { say: [getting("large.bin")], hello: { credit: 100_000 }, heard: "DATA" },
  put: {
    say: [
      frame("OPEN", { method: "put", params: {} }, 1),
      frame("DATA", Buffer.concat([chunk("FILE", 0, { path: "put.bin", ...large }), halfABlock]), 1),
    ],
    heard: "DATA",
  },
  remove: { say: call("remove", { path: "not there" }), heard: "RESET" },
  rename: { say: call("rename", { from: "not there", to: "nor there" }), heard: "RESET" },
  digest: { say: call("digest", { path: "large.bin" }) },
  watch: { say: call("watch"), heard: "ACCEPT" },
  message: { say: call("message", { text: "hello" }), heard: "ACCEPT" },
  kick: { role: "operator", say: call("kick", { name: "nobody" }), heard: "RESET" },
  drain: { role: "operator", say: call("drain", { on: false }), heard: "ACCEPT" },
  unfinished: { role: "operator", say: call("unfinished"), heard: "ACCEPT" },
  quit: { role: "operator", say: call("quit"), heard: "ACCEPT" },
  events: { role: "operator", say: call("events"), heard: "ACCEPT" },
  issueToken: { role: "operator", say: call("issueToken", { name: "a b", role: "read" }), heard: "RESET" },
  tokens: { role: "operator", say: call("tokens"), heard: "ACCEPT" },
  issueLink: { role: "operator", say: call("issueLink", { path: "not there" }), heard: "RESET" },
  links: { role: "operator", say: call("links"), heard: "ACCEPT" },
  revokeLink: { role: "operator", say: call("revokeLink", { name: "none" }), heard: "RESET" },
  revokeToken: { role: "operator", say: call("revokeToken", { name: "nobody" }), heard: "RESET" },
};

const OTHERS: Readonly<Record<string, Shape>> = {
  "nothing asked": {},
  "a watch that is not read": {
    say: call("watch"),
    hello: { credit: 0 },
    heard: "ACCEPT",
    happens: async ({ storage }) => {
      await storage.rename("here", "there", { overwrite: false });
      await storage.rename("there", "here", { overwrite: false });
    },
  },
  "a message that is not acknowledged": {
    happens: async ({ port, peer }) => {
      const other = await RawPeer.admitted(port);
      other.send(...call("message", { text: "hello", to: "all" }));
      await peer.next("OPEN");
      other.abort();
    },
  },
  "128 gets that wait": {
    hello: { credit: 0 },
    say: Array.from({ length: 128 }, (_, index) => getting("large.bin", 2 * index + 1)),
    heard: "ACCEPT",
  },
  "a seat to come back to": { hello: { resume: "" } },
};

/**
 * Come, ask, and be cut off, many times.
 *
 * @returns by kind how many objects more there were after each round, when that was so after every one
 */
async function leftBy(shape: Shape): Promise<Record<string, number>> {
  using folder = new TempFolder();
  await Bun.write(folder.join("large.bin"), new Uint8Array(4 * BLOCK));
  mkdirSync(folder.join("here"));
  const storage = await LocalStorage.at(folder.path);
  const limits = { credit: 65_536, maxStreams: 128 };
  await using server = new TestServer({ storage, limits, graceMs: 0, maxClients: 4 });
  server.listen(shape.role);
  const round = async () => {
    for (let session = 0; session < SESSIONS; session++) await comeAndGo(server, storage, shape);
    server.events.length = 0;
    return countedWhenQuiet();
  };
  let before = await round();
  let grown: Record<string, number> = {};
  for (let left = ROUNDS; left > 0; left--) {
    let after = await round();
    grown = growth(before, after);
    // On a loaded machine some of it falls later: what stays is what was left.
    for (let again = AGAIN; again > 0 && Object.keys(grown).length > 0; again--) {
      await Bun.sleep(20);
      after = await countedWhenQuiet();
      grown = growth(before, after);
    }
    if (Object.keys(grown).length === 0) break;
    before = after;
  }
  return grown;
}

/** Of the kinds that grew by more than chance, by how many objects. */
function growth(before: Record<string, number>, after: Record<string, number>): Record<string, number> {
  const more = KINDS.map((kind) => [kind, (after[kind] ?? 0) - (before[kind] ?? 0)] as const);
  return Object.fromEntries(more.filter(([, count]) => count > BY_CHANCE));
}

async function comeAndGo(server: TestServer, storage: LocalStorage, shape: Shape): Promise<void> {
  const { hello, say = [], heard, happens } = shape;
  const { members, memory, seats } = server.server;
  const port = server.listen();
  const peer = await RawPeer.connect(port);
  peer.send(frame("HELLO", { ...HELLO, ...hello }));
  await peer.next("WELCOME");
  peer.send(...say);
  if (heard !== undefined) await peer.next(heard);
  await happens?.({ storage, port, peer });
  peer.abort();
  await until(() => peer.closed && members.clients.length + members.operators.length + seats.taken + memory.used === 0);
}

/** Counts when nothing falls any more: some things are over a moment after their session. */
async function countedWhenQuiet(): Promise<Record<string, number>> {
  let least = Number.POSITIVE_INFINITY;
  for (let quiet = 0; quiet < 2; ) {
    await Bun.sleep(2);
    Bun.gc(true);
    const objects = heapStats().objectCount;
    quiet = objects < least ? 0 : quiet + 1;
    least = Math.min(least, objects);
  }
  return heapStats().objectTypeCounts;
}

describe("a session that was cut off leaves nothing on the heap", () => {
  test("in any method of PROTOCOL.md: each has its row here", () => {
    const methods = readTable("method", "role", "params", "result", "body", "trailer").map((row) => row["method"]);
    expect(methods).toContain("`watch`");
    expect(Object.keys(CALLS).map((name) => `\`${name}\``)).toEqual(expect.arrayContaining(methods));
  });

  test.each(Object.entries(CALLS))("after %s", async (_, shape) => {
    expect(await leftBy(shape)).toEqual({});
  });

  test.each(Object.entries(OTHERS))("with %s", async (_, shape) => {
    expect(await leftBy(shape)).toEqual({});
  });
});
