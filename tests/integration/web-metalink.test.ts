/** The Metalink of a file: its pieces, and the address of its state. */
import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { pieceBytes } from "../../lib/gateway/metalink.ts";
import { Random } from "../support/random.ts";
import { basic, WebSite } from "../support/web-site.ts";

const MIB = 1024 * 1024;
const CONTENT = Buffer.from(new Random("metalink").bytes(2 * MIB + 9));
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

test("has the digest of each piece and of all, in a file of any name", async () => {
  await using site = await WebSite.start();
  mkdirSync(site.folder.join("d"));
  writeFileSync(site.folder.join("d", `<&>"' ü`), CONTENT);
  const path = "/files/d/%3C%26%3E%22%27%20%C3%BC";
  const { status, headers, body } = await site.ask(`${path}?metalink`);
  expect([status, headers["content-type"]]).toEqual([200, "application/metalink4+xml"]);
  const text = body.toString();
  const pieces = [0, MIB, 2 * MIB].map((at) => sha256(CONTENT.subarray(at, at + MIB)));
  expect([...text.matchAll(/<hash>(.*)<\/hash>/g)].map(([, hash]) => hash as string)).toEqual(pieces);
  expect(text).toContain(`<hash type="sha-256">${sha256(CONTENT)}</hash>`);
  expect(text).toContain('<file name="&#60;&#38;&#62;&#34;&#39; ü">');
  expect(text).toContain(`<size>${CONTENT.length}</size>`);
  const [, address = ""] = /<url>http:\/\/127\.0\.0\.1:\d+(.*)<\/url>/.exec(text) ?? [];
  expect((await site.ask(address)).body.equals(CONTENT)).toBe(true);
  writeFileSync(site.folder.join("d", `<&>"' ü`), "another");
  expect((await site.ask(address)).status).toBe(412);
});

test("of an empty file, of none, and by HEAD", async () => {
  await using site = await WebSite.start();
  writeFileSync(site.folder.join("empty"), "");
  expect((await site.ask("/files/empty?metalink")).body.toString()).toContain(sha256(Buffer.alloc(0)));
  expect((await site.ask("/files/none?metalink")).status).toBe(404);
  const head = await site.ask("/files/empty?metalink", { method: "HEAD" });
  expect([head.status, head.body.length]).toEqual([200, 0]);
});

test("counts as reading a whole file does", async () => {
  await using site = await WebSite.start({ callRates: { messages: 1, lists: 1, pages: 1 } });
  writeFileSync(site.folder.join("a"), "a");
  const statuses: number[] = [];
  for (let count = 0; count < 4; count++) statuses.push((await site.ask("/files/a?metalink")).status);
  expect(statuses).toEqual([200, 200, 429, 429]);
});

test("names the host as the client knows it, and as nothing else", async () => {
  await using site = await WebSite.start();
  writeFileSync(site.folder.join("a"), "a");
  const secure = await site.ask("/files/a?metalink", {
    headers: { ...basic(site.token), host: "files.test:1" },
    tls: true,
  });
  expect(secure.body.toString()).toContain("<url>https://files.test:1/files/a?etag=");
  const odd = await site.ask("/files/a?metalink", { headers: { host: "a<b>&c" } });
  expect(odd.status).toBe(400);
});

test("has no more than 2048 pieces, of at least a megabyte", () => {
  expect([0, 1, 2048 * MIB, 2048 * MIB + 1, 2 ** 44].map(pieceBytes)).toEqual([MIB, MIB, MIB, 2 * MIB, 8192 * MIB]);
});
