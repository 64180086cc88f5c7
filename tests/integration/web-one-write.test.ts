/** Answers of known length by HTTP, if small, leave in one write, head and body: each write is a packet, and wakes the client. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { UNKNOWN_ADDRESS } from "../../lib/session/transport.ts";
import { FakeTransport } from "../support/fake-transport.ts";
import { until } from "../support/until.ts";
import { basic, WebSite } from "../support/web-site.ts";

let site: WebSite;

beforeAll(async () => {
  site = await WebSite.start();
  writeFileSync(site.folder.join("small.txt"), "content");
});

afterAll(() => site[Symbol.asyncDispose]());

/** What the server writes to answer a request, as one text a write. */
async function writesFor(method: string, target: string): Promise<string[]> {
  // A token needs encryption, or this machine.
  const peerAddress = { ...UNKNOWN_ADDRESS, isLoopback: true };
  const transport = Object.assign(new FakeTransport(), { peerAddress });
  site.gateway.accept(transport);
  const fields = `Host: 127.0.0.1\r\nAuthorization: ${basic(site.token).authorization}\r\n`;
  const { events } = site.access;
  const before = events.length;
  transport.handler?.onBytes(Buffer.from(`${method} ${target} HTTP/1.1\r\n${fields}\r\n`));
  await until(() => events.slice(before).some(({ event }) => event === "request"));
  transport.handler?.onClosed(undefined);
  return transport.writes.map((bytes) => Buffer.from(bytes).toString());
}

test.each([
  ["a file", "GET", "/files/small.txt", /^HTTP\/1\.1 200 [\s\S]*\r\n\r\ncontent$/],
  ["a head", "HEAD", "/files/small.txt", /^HTTP\/1\.1 200 [\s\S]*\r\n\r\n$/],
  ["an error", "GET", "/files/missing", /^HTTP\/1\.1 404 [\s\S]*\r\n\r\nNOT_FOUND/],
])("%s", async (_, method, target, expected) => {
  expect(await writesFor(method, target)).toEqual([expect.stringMatching(expected)]);
});

test("a chunk of a page leaves in one write as well, the first one with the head", async () => {
  const writes = await writesFor("GET", "/files/");
  const chunk = /([\da-f]+)\r\n([\s\S]*)\r\n$/;
  expect(writes[0]).toMatch(/^HTTP\/1\.1 200 [\s\S]*\r\n\r\n[\da-f]+\r\n<!DOCTYPE html>[\s\S]*\r\n$/i);
  expect(writes[0]).toContain("small.txt");
  for (const write of writes.slice(1)) {
    const [whole, size = "", content = ""] = chunk.exec(write) ?? [];
    expect([whole, Number.parseInt(size, 16)]).toEqual([write, Buffer.byteLength(content)]);
  }
  expect(writes.at(-1)).toBe("0\r\n\r\n");
});
