/** What is left on the heap of sessions that were cut off, over real sockets and a real folder. */

import { describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import type { Role } from "../../lib/protocol/messages.ts";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import { frame, HELLO } from "../support/frames.ts";
import { heapGrowth } from "../support/heap-growth.ts";
import { readTable } from "../support/protocol-page.ts";
import { BLOCK, chunk, getting } from "../support/raw-chunks.ts";
import { RawPeer } from "../support/raw-peer.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { TestServer } from "../support/test-server.ts";
import { until } from "../support/until.ts";

/** In one round. */
const SESSIONS = 24;

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
  collect: { say: call("collect"), heard: "RESET" },
  kick: { role: "operator", say: call("kick", { name: "nobody" }), heard: "RESET" },
  drain: { role: "operator", say: call("drain", { on: false }), heard: "ACCEPT" },
  unfinished: { role: "operator", say: call("unfinished"), heard: "ACCEPT" },
  quit: { role: "operator", say: call("quit"), heard: "ACCEPT" },
  events: { role: "operator", say: call("events"), heard: "ACCEPT" },
  issueToken: { role: "operator", say: call("issueToken", { name: "a b", role: "read" }), heard: "RESET" },
  openShare: { role: "write", say: call("openShare"), heard: "RESET" },
  offerShare: { role: "write", say: call("offerShare"), heard: "RESET" },
  awaitShare: { role: "write", say: call("awaitShare"), heard: "RESET" },
  endShare: { say: call("endShare"), heard: "RESET" },
  issueCode: { role: "operator", say: call("issueCode", { name: "a", role: "read" }), heard: "ACCEPT" },
  tokens: { role: "operator", say: call("tokens"), heard: "ACCEPT" },
  issueLink: { role: "operator", say: call("issueLink", { path: "not there" }), heard: "RESET" },
  links: { role: "operator", say: call("links"), heard: "ACCEPT" },
  revokeLink: { role: "operator", say: call("revokeLink", { name: "none" }), heard: "RESET" },
  mailboxes: { role: "operator", say: call("mailboxes"), heard: "RESET" },
  clearMailbox: { role: "operator", say: call("clearMailbox", { name: "nobody" }), heard: "RESET" },
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

/** Come, ask, and be cut off, many times. @returns as heapGrowth() */
async function leftBy(shape: Shape): Promise<Record<string, number>> {
  using folder = new TempFolder();
  await Bun.write(folder.join("large.bin"), new Uint8Array(4 * BLOCK));
  mkdirSync(folder.join("here"));
  const storage = await LocalStorage.at(folder.path);
  const limits = { credit: 65_536, maxStreams: 128 };
  await using server = new TestServer({ storage, limits, graceMs: 0, maxClients: 4 });
  server.listen(shape.role);
  return await heapGrowth(SESSIONS, async () => {
    for (let session = 0; session < SESSIONS; session++) await comeAndGo(server, storage, shape);
    server.events.length = 0;
  });
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
