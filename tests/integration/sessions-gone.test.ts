import { describe, expect, test } from "bun:test";
import type { Member } from "../../lib/server/member.ts";
import { settle } from "../support/fake-clock.ts";
import { frame } from "../support/frames.ts";
import { admittedPeer } from "../support/limits.ts";
import { TestServer } from "../support/test-server.ts";
import { until } from "../support/until.ts";

const SESSIONS = 24;
/** The collector takes a word on the stack for a pointer: a few may stay by chance. */
const BY_CHANCE = 4;

const CALLS: Record<string, object> = {
  status: {},
  list: {},
  stat: { path: "a.txt" },
  get: {},
  put: {},
  digest: { path: "a.txt" },
  watch: {},
  message: { text: "hello" },
  unfinished: {},
};

/** Come, ask, and be cut, many times. @returns of each session itself, its member and its share of memory: those that are still there */
async function keptAfter(method: string, params: object, role: "write" | "operator"): Promise<number> {
  await using server = new TestServer({ graceMs: 0, maxClients: SESSIONS });
  server.storage.set("a.txt", new Uint8Array(10));
  const left: WeakRef<object>[] = [];
  for (let index = 0; index < SESSIONS; index++) left.push(...(await comeAndGo(server, method, params, role)));
  const alive = () => left.filter((object) => object.deref() !== undefined).length;
  await until(async () => {
    await settle();
    Bun.gc(true);
    return alive() <= BY_CHANCE;
  });
  return alive();
}

async function comeAndGo(
  server: TestServer,
  method: string,
  params: object,
  role: "write" | "operator",
): Promise<WeakRef<object>[]> {
  const { members } = server.server;
  const present = () => (role === "operator" ? members.operators : members.clients);
  const peer = await admittedPeer(server, { role });
  const member = present()[0] as Member;
  const kept = [member, member.session, member.memory].map((object) => new WeakRef<object>(object));
  await peer.send(frame("OPEN", { method, params }, 1));
  await settle();
  await peer.close();
  await until(() => present().length === 0);
  return kept;
}

describe("a session that is gone leaves memory", () => {
  test.each(Object.entries(CALLS))("after %s under way", async (method, params) => {
    expect(await keptAfter(method, params, "write")).toBeLessThanOrEqual(BY_CHANCE);
  });

  test("after an operator's events under way", async () => {
    expect(await keptAfter("events", {}, "operator")).toBeLessThanOrEqual(BY_CHANCE);
  });
});
