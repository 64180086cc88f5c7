/** Small files by HTTP, which are sent from memory: with the promises of all files. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { symlinkSync, writeFileSync } from "node:fs";
import { UNKNOWN_ADDRESS } from "../../lib/session/transport.ts";
import { FakeTransport } from "../support/fake-transport.ts";
import { noise } from "../support/transport-recorder.ts";
import { until } from "../support/until.ts";
import { basic, WebSite } from "../support/web-site.ts";

const MIB = 1024 * 1024;
const SMALL = noise(64 * 1024);
const LARGE = noise(64 * 1024 + 1);

let site: WebSite;

beforeAll(async () => {
  site = await WebSite.start({ memory: { bytes: 4 * MIB, sessionBytes: 4 * MIB, firstBytes: 4 * MIB } });
  writeFileSync(site.folder.join("small.bin"), SMALL);
  writeFileSync(site.folder.join("large.bin"), LARGE);
  symlinkSync("small.bin", site.folder.join("link.bin"));
});

afterAll(() => site[Symbol.asyncDispose]());

/** The writes by which the server answers a request. */
async function writesFor(method: string, target: string): Promise<Buffer[]> {
  // A token needs encryption, or this machine.
  const peerAddress = { ...UNKNOWN_ADDRESS, isLoopback: true };
  const transport = Object.assign(new FakeTransport(), { peerAddress });
  site.gateway.accept(transport);
  const fields = `Host: 127.0.0.1\r\nAuthorization: ${basic(site.token).authorization}\r\n`;
  transport.handler?.onBytes(Buffer.from(`${method} ${target} HTTP/1.1\r\n${fields}\r\n`));
  await until(() => site.access.events.some((event) => event.event === "request" && event.target === target));
  transport.handler?.onClosed(undefined);
  return transport.writes.map((bytes) => Buffer.from(bytes));
}

test.each([
  ["small.bin", SMALL],
  ["large.bin", LARGE],
  ["link.bin", SMALL],
])("%p comes whole, and in parts", async (name, content) => {
  const { status, body } = await site.ask(`/files/${name}`);
  expect([status, body.equals(content)]).toEqual([200, true]);
  const range = `bytes=10-${content.length - 11}`;
  const part = await site.ask(`/files/${name}`, { headers: { range } });
  expect([part.status, part.body.equals(content.subarray(10, content.length - 10))]).toEqual([206, true]);
  const parts = await site.ask(`/files/${name}`, { headers: { range: "bytes=0-9,20-29" } });
  expect([parts.status, parts.body.includes(content.subarray(20, 30))]).toEqual([206, true]);
});

test("an answer leaves in one write: a file, and an error", async () => {
  writeFileSync(site.folder.join("tiny.bin"), SMALL.subarray(0, 4096));
  const [file, ...more] = await writesFor("GET", "/files/tiny.bin");
  expect([more, file?.subarray(-4096).equals(SMALL.subarray(0, 4096))]).toEqual([[], true]);
  const [error, ...rest] = await writesFor("GET", "/files/missing");
  expect([rest, error?.toString("latin1")]).toEqual([
    [],
    expect.stringMatching(/^HTTP\/1\.1 404 [\s\S]*\r\n\r\nNOT_FOUND/),
  ]);
});

test("a small file waits for memory like any other, and is not read before; its head waits for none", async () => {
  const share = site.access.server.memory.share();
  const all = share.tryReserve(4 * MIB);
  expect(all).toBeDefined();
  const { status, headers } = await site.ask("/files/small.bin", { method: "HEAD" });
  expect([status, headers["content-length"]]).toEqual([200, `${SMALL.length}`]);
  const answer = site.ask("/files/small.bin");
  await until(() => site.access.server.memory.waiting === 1);
  all?.release();
  expect((await answer).body.equals(SMALL)).toBe(true);
  await until(() => site.access.server.memory.used === 0);
});
