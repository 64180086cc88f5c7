import { expect, test } from "bun:test";
import { settle } from "../support/fake-clock.ts";
import { frame } from "../support/frames.ts";
import { getting } from "../support/raw-chunks.ts";
import { RawPeer } from "../support/raw-peer.ts";
import { TestServer } from "../support/test-server.ts";
import { until } from "../support/until.ts";

const END = 1;
const LARGE = new Uint8Array(64 * 1024 * 1024);

/** What is sent to a session that is lost fails; nobody but the session may notice. */
test.each([
  ["a list", "list", {}],
  ["a list of one file", "list", { path: "small" }],
  ["what is unfinished", "unfinished", {}],
  ["a get of nothing", "get", {}],
])("the end of %s that never leaves is no defect of the server", async (_, method, params) => {
  const unhandled: unknown[] = [];
  const note = (thrown: unknown) => void unhandled.push(thrown);
  process.on("unhandledRejection", note);
  try {
    await using server = new TestServer();
    server.storage.set("large", LARGE);
    server.storage.set("small", new Uint8Array(1));
    const peer = await RawPeer.admitted(server.listen(), { credit: LARGE.length });
    const [member] = server.server.members.clients;
    // It reads no more, and there is so much on its way that nothing else leaves.
    peer.pause();
    peer.send(getting("large"));
    await until(() => (member?.bytesOut ?? 0) > 1024 * 1024);
    await settle();
    const request = frame("OPEN", { method, params }, 3, END);
    const heard = (member?.bytesIn ?? 0) + request.length;
    peer.send(request);
    await until(() => (member?.bytesIn ?? 0) >= heard);
    await settle();
    peer.abort();
    await until(() => server.server.members.clients.length === 0);
    await settle();
    expect(unhandled).toEqual([]);
  } finally {
    process.off("unhandledRejection", note);
  }
});
