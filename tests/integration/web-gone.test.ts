/** What is left on the heap, of the memory and of the seats when HTTP clients are cut off in the middle. */
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { GRACE_MS } from "../../lib/server/guests.ts";
import { heapGrowth } from "../support/heap-growth.ts";
import { until } from "../support/until.ts";
import { basic, WebSite } from "../support/web-site.ts";

/** In one round. */
const REQUESTS = 24;
const MIB = 1024 * 1024;

/** The lines of a request, and what of its body is sent, before the connection ends. */
const SHAPES: Readonly<Record<string, { readonly lines: readonly string[]; readonly body?: number }>> = {
  "a file": { lines: ["GET /files/large HTTP/1.1"] },
  "parts of a file": { lines: ["GET /files/large HTTP/1.1", "Range: bytes=0-9,20-3000000"] },
  "a folder": { lines: ["GET /files/ HTTP/1.1"] },
  "a tar": { lines: ["GET /files/?archive=tar HTTP/1.1"] },
  "a zip": { lines: ["GET /files/?archive=zip HTTP/1.1"] },
  "a metalink": { lines: ["GET /files/large?metalink HTTP/1.1"] },
  "what is not there": { lines: ["GET /files/none HTTP/1.1"] },
  PROPFIND: { lines: ["PROPFIND /files/ HTTP/1.1", "Depth: 1"] },
  "half a PROPFIND": { lines: ["PROPFIND /files/ HTTP/1.1", "Depth: 1", "Content-Length: 90"], body: 10 },
  "a small PUT": { lines: ["PUT /files/small HTTP/1.1", "Content-Length: 1000"], body: 500 },
  "a large PUT": { lines: ["PUT /files/put HTTP/1.1", `Content-Length: ${4 * MIB}`], body: 1.5 * MIB },
  "a PUT in chunks": { lines: ["PUT /files/chunks HTTP/1.1", "Transfer-Encoding: chunked"], body: 500 },
  "a COPY": { lines: ["COPY /files/large HTTP/1.1", "Destination: /files/copy"] },
};

/** Ask, and go, many times. @returns as heapGrowth() */
async function leftBy({
  lines,
  body = 0,
}: {
  lines: readonly string[];
  body?: number;
}): Promise<Record<string, number>> {
  await using site = await WebSite.start({ writable: true, mayWrite: true, callRates: FREE });
  writeFileSync(site.folder.join("large"), Buffer.alloc(8 * MIB));
  const { members, memory, seats } = site.access.server;
  const { authorization } = basic(site.writer);
  const head = `${lines.join("\r\n")}\r\nHost: localhost\r\nAuthorization: ${authorization}\r\n\r\n`;
  const comeAndGo = async () => {
    const raw = site.raw();
    raw.pause();
    const heard = () => members.clients.reduce((sum, { bytesIn }) => sum + bytesIn, 0);
    const before = heard();
    raw.send(head + "x".repeat(body));
    await until(() => heard() > before);
    raw.end();
    await until(() => site.access.events.some(({ event }) => event === "request"));
    site.access.events.length = 0;
  };
  return await heapGrowth(REQUESTS, async () => {
    for (let request = 0; request < REQUESTS; request++) await comeAndGo();
    await site.access.clock.advance(GRACE_MS);
    await until(() => members.clients.length + seats.taken + memory.used === 0);
    site.access.events.length = 0;
  });
}

const FREE = { messages: 1e6, lists: 1e6, pages: 1e6 };

test.each(Object.entries(SHAPES))("nothing is left of %s that was cut off", async (_, shape) => {
  expect(await leftBy(shape)).toEqual({});
});
