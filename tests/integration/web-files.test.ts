/** Files and folders by HTTP: what RFC 9110 promises for ranges and conditions, and that no two states are mixed. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { until } from "../support/until.ts";
import { basic, WebSite } from "../support/web-site.ts";

const TEXT = "abcdefghijklmnopqrst";

let site: WebSite;

beforeAll(async () => {
  site = await WebSite.start();
  writeFileSync(site.folder.join("a.txt"), TEXT);
  writeFileSync(site.folder.join("empty"), "");
  writeFileSync(site.folder.join("page.html"), "<script>alert(1)</script>");
});

afterAll(() => site[Symbol.asyncDispose]());

describe("a file", () => {
  test("comes whole, with what is known of it", async () => {
    const { status, headers, body } = await site.ask("/files/a.txt");
    expect(status).toBe(200);
    expect(body.toString()).toBe(TEXT);
    expect(headers["content-length"]).toBe("20");
    expect(headers["content-type"]).toBe("text/plain; charset=utf-8");
    expect(headers["accept-ranges"]).toBe("bytes");
    expect(headers["etag"]).toMatch(/^"[^"]+"$/);
    expect(headers["content-disposition"]).toBe("inline; filename=a.txt");
    expect(headers["x-content-type-options"]).toBe("nosniff");
    expect(headers["content-security-policy"]).toStartWith("sandbox;");
    expect(Date.parse(headers["last-modified"] as string)).toBeWithin(Date.now() - 600_000, Date.now() + 1);
  });

  test("has the same head by HEAD, and no body", async () => {
    const [head, get] = [await site.ask("/files/a.txt", { method: "HEAD" }), await site.ask("/files/a.txt")];
    const { date: _, ...headers } = head.headers;
    const { date: __, ...expected } = get.headers;
    expect(headers).toEqual(expected);
    expect(head.body).toHaveLength(0);
  });

  test("that is empty is a file", async () => {
    expect(await site.ask("/files/empty")).toMatchObject({ status: 200, isCut: false });
    expect((await site.ask("/files/empty", { headers: { range: "bytes=0-" } })).status).toBe(416);
  });

  test("comes in parts", async () => {
    const part = async (range: string, more: Record<string, string> = {}) => {
      const { status, headers, body } = await site.ask("/files/a.txt", { headers: { range, ...more } });
      return [status, body.toString(), headers["content-range"]];
    };
    expect(await part("bytes=2-4")).toEqual([206, "cde", "bytes 2-4/20"]);
    expect(await part("bytes=-3")).toEqual([206, "rst", "bytes 17-19/20"]);
    const words = 'BAD_PARAMS: "a.txt" has 20 bytes, and no such range.\n';
    expect(await part("bytes=20-")).toEqual([416, words, "bytes */20"]);
    expect(await part("bytes=x")).toEqual([200, TEXT, undefined]);
    const { etag = "" } = (await site.ask("/files/a.txt")).headers;
    expect(await part("bytes=2-4", { "if-range": etag })).toEqual([206, "cde", "bytes 2-4/20"]);
    expect(await part("bytes=2-4", { "if-range": '"other"' })).toEqual([200, TEXT, undefined]);
  });

  test("comes in several parts at once", async () => {
    const { status, headers, body } = await site.ask("/files/a.txt", { headers: { range: "bytes=0-1,18-" } });
    expect(status).toBe(206);
    const [, boundary = ""] = /^multipart\/byteranges; boundary=(\S+)$/.exec(headers["content-type"] ?? "") ?? [];
    const parts = body.toString().split(`\r\n--${boundary}`);
    expect(parts.map((part) => part.split("\r\n\r\n")[1])).toEqual([undefined, "ab", "st", undefined] as any);
    expect(parts.at(-1)).toBe("--\r\n");
    expect(headers["content-length"]).toBe(`${body.length}`);
  });

  test("is not sent again to a client that has it", async () => {
    const { headers } = await site.ask("/files/a.txt");
    const again = await site.ask("/files/a.txt", { headers: { "if-none-match": headers["etag"] as string } });
    expect(again).toMatchObject({ status: 304, headers: { etag: headers["etag"] as string } });
    const since = { "if-modified-since": headers["last-modified"] as string };
    expect((await site.ask("/files/a.txt", { headers: since })).status).toBe(304);
  });

  test("can't be written: 405 names the methods that are answered", async () => {
    const { status, headers, body } = await site.ask("/files/a.txt", { method: "DELETE" });
    expect([status, headers["allow"]]).toEqual([405, "GET, HEAD, PROPFIND, OPTIONS"]);
    expect(body.toString()).toBe("UNKNOWN_METHOD: This server accepts GET, HEAD, PROPFIND, OPTIONS.\n");
  });

  test("in another state than was asked for is refused", async () => {
    expect((await site.ask("/files/a.txt", { headers: { "if-match": '"other"' } })).status).toBe(412);
    expect((await site.ask("/files/a.txt?etag=other")).status).toBe(412);
    const { etag = "" } = (await site.ask("/files/a.txt")).headers;
    expect((await site.ask(`/files/a.txt?etag=${etag.slice(1, -1)}`)).status).toBe(200);
    expect((await site.ask(`/files/a.txt?etag=${encodeURIComponent(etag)}`)).status).toBe(200);
  });

  test("has its digest in the head once it is known", async () => {
    expect((await site.ask("/files/a.txt")).headers["digest"]).toBeUndefined();
    const { digests } = site.access.server.gateway;
    const { sha256 } = await digests.digest("a.txt", new AbortController().signal);
    const base64 = Buffer.from(sha256, "hex").toString("base64");
    const { headers } = await site.ask("/files/a.txt", { headers: { range: "bytes=0-1" } });
    expect(headers["digest"]).toBe(`SHA-256=${base64}`);
    expect(headers["repr-digest"]).toBe(`sha-256=:${base64}:`);
  });

  test("that is text tells its charset, when it begins as UTF-8", async () => {
    const texts: Record<string, Buffer> = {
      "ascii.txt": Buffer.from("alpha"),
      "utf8.csv": Buffer.from("grün,€"),
      "cut.md": Buffer.from("ü".repeat(4 * 1024)),
      "cut-odd.md": Buffer.from(`a${"€".repeat(4 * 1024)}`),
      "latin1.txt": Buffer.from("gr\xfcn", "latin1"),
      "empty.txt": Buffer.alloc(0),
      "page.html": Buffer.from("grün"),
      "raw.bin": Buffer.from("alpha"),
    };
    const told: Record<string, string | undefined> = {};
    for (const [name, bytes] of Object.entries(texts)) {
      writeFileSync(site.folder.join(name), bytes);
      const { headers, body } = await site.ask(`/files/${name}`);
      expect(body.equals(bytes)).toBe(true);
      told[name] = headers["content-type"];
      expect((await site.ask(`/files/${name}`, { method: "HEAD" })).headers["content-type"]).toBe(told[name] as string);
    }
    expect(told).toEqual({
      "ascii.txt": "text/plain; charset=utf-8",
      "utf8.csv": "text/csv; charset=utf-8",
      "cut.md": "text/markdown; charset=utf-8",
      "cut-odd.md": "text/markdown; charset=utf-8",
      "latin1.txt": "text/plain",
      "empty.txt": "text/plain; charset=utf-8",
      "page.html": "text/html",
      "raw.bin": "application/octet-stream",
    });
  });

  test("that a browser would run is saved and not shown", async () => {
    const { headers } = await site.ask("/files/page.html");
    expect(headers["content-disposition"]).toStartWith("attachment;");
  });
});

/** Of all answers so far. */
function sentBytes(): number {
  return site.access.server.members.clients.reduce((sum, { bytesOut }) => sum + bytesOut, 0);
}

describe("a large file", () => {
  const BYTES = 24 * 1024 * 1024 + 7;
  const content = Buffer.alloc(BYTES);

  beforeAll(() => {
    for (let at = 0; at + 4 <= BYTES; at += 4) content.writeUInt32LE(Math.imul(at, 2_654_435_761) >>> 0, at);
    writeFileSync(site.folder.join("large"), content);
  });

  test.each([false, true])("is the same at the other end (TLS: %p)", async (tls) => {
    const { body } = await site.ask("/files/large", { tls });
    expect(body.equals(content)).toBe(true);
  });

  test("can be fetched by many connections at once", async () => {
    const step = Math.ceil(BYTES / 16);
    const parts = await Promise.all(
      Array.from({ length: 16 }, (_, index) =>
        site.ask("/files/large", {
          tls: index % 2 === 0,
          headers: { range: `bytes=${index * step}-${(index + 1) * step - 1}` },
        }),
      ),
    );
    expect(Buffer.concat(parts.map(({ body }) => body)).equals(content)).toBe(true);
  });

  test("that changes on its way breaks off", async () => {
    const path = site.folder.join("changing");
    // More than all buffers on the way take.
    writeFileSync(path, Buffer.alloc(64 * 1024 * 1024, "a"));
    const before = sentBytes();
    const peer = site.raw();
    peer.pause();
    const { authorization } = basic(site.token);
    peer.send(`GET /files/changing HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${authorization}\r\n\r\n`);
    await until(() => sentBytes() > before + 1024 * 1024);
    writeFileSync(path, "b");
    peer.resume();
    await until(() => peer.isEnded);
    expect(peer.text.length).toBeLessThan(64 * 1024 * 1024);
  });

  test("that somebody writes to at its end comes as it was", async () => {
    const path = site.folder.join("growing");
    writeFileSync(path, content);
    const before = sentBytes();
    const peer = site.raw();
    peer.pause();
    const { authorization } = basic(site.token);
    peer.send(`GET /files/growing HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${authorization}\r\n\r\n`);
    await until(() => sentBytes() > before + 1024 * 1024);
    appendFileSync(path, "more");
    peer.resume();
    await until(() => peer.text.length >= BYTES + peer.text.indexOf("\r\n\r\n") + 4);
    expect(peer.text.length).toBe(BYTES + peer.text.indexOf("\r\n\r\n") + 4);
    peer.end();
  });
});

describe("a folder", () => {
  const NAMES = [
    "plain.txt",
    "a b",
    "ü",
    "%41",
    "a?b",
    "a#b",
    "a&b;c",
    "<b>\"'",
    "co:lon",
    "+",
    "~t",
    "-r",
    "..x",
    "a\\b",
    " x ",
  ];

  beforeAll(() => {
    mkdirSync(site.folder.join("odd", "sub:dir"), { recursive: true });
    for (const name of NAMES) writeFileSync(site.folder.join("odd", name), `content of ${name}`);
    writeFileSync(site.folder.join("odd", "sub:dir", "x"), "deep");
  });

  test("is a page whose links lead to what it names", async () => {
    const { status, headers, body } = await site.ask("/files/odd/");
    expect(status).toBe(200);
    expect(headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(headers["content-security-policy"]).toContain("default-src 'none'");
    const links = [...body.toString().matchAll(/<a href="([^"]*)">/g)]
      .map(([, link = ""]) => link)
      .filter((link) => link !== "../");
    expect(links).toContain("sub%3Adir/");
    const files = links.filter((link) => !link.endsWith("/"));
    expect(files).toHaveLength(NAMES.length);
    const contents = await Promise.all(files.map((link) => site.ask(`/files/odd/${link}`)));
    expect(contents.map((answer) => answer.body.toString()).toSorted()).toEqual(
      NAMES.map((name) => `content of ${name}`).toSorted(),
    );
    // As a client asks that takes the colon for the end of a scheme.
    expect((await site.ask("/files/odd/./sub:dir/x")).body.toString()).toBe("deep");
  });

  test("is JSON for clients that ask for it", async () => {
    const byAccept = await site.ask("/files/odd/", { headers: { accept: "application/json" } });
    const byQuery = await site.ask("/files/odd/?format=json");
    const page = JSON.parse(byAccept.body.toString());
    expect(JSON.parse(byQuery.body.toString())).toEqual(page);
    expect(page.path).toBe("odd");
    expect(page.entries.map(({ name }: { name: string }) => name).toSorted()).toEqual([...NAMES, "sub:dir"].toSorted());
    const file = page.entries.find(({ name }: { name: string }) => name === "ü");
    expect(file).toMatchObject({ kind: "file", size: 13 });
    expect((await site.ask("/files/odd/%C3%BC")).headers["etag"]).toBe(file.etag);
    const lines = (await site.ask("/files/odd/?format=ndjson")).body.toString().trim().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toEqual(page.entries);
  });

  test("without its slash is sent there, with its query", async () => {
    const location = async (target: string) => {
      const { status, headers } = await site.ask(target);
      return [status, headers["location"]];
    };
    expect(await location("/")).toEqual([308, "/files/"]);
    expect(await location("/files")).toEqual([308, "/files/"]);
    expect(await location("/files/odd?format=json")).toEqual([308, "/files/odd/?format=json"]);
    expect(await location("/files/odd/sub%3Adir")).toEqual([308, "/files/odd/sub%3Adir/"]);
  });

  test("that is invalid is not found, in the requested form", async () => {
    const text = await site.ask("/files/none/");
    expect(text).toMatchObject({ status: 404, headers: { "content-type": "text/plain; charset=utf-8" } });
    expect(text.body.toString()).toStartWith("NOT_FOUND: ");
    const json = await site.ask("/files/none/", { headers: { accept: "application/json" } });
    expect(JSON.parse(json.body.toString())).toMatchObject({ error: { code: "NOT_FOUND" } });
    expect((await site.ask("/files/a.txt/")).status).toBe(404);
    expect((await site.ask("/other")).status).toBe(404);
    expect((await site.ask("/files/odd/?format=xml")).status).toBe(400);
  });

  test.each(["constructor", "toString", "__proto__", ""])("has no format %p", async (format) => {
    const answer = await site.ask(`/files/odd/?format=${format}`, { headers: { accept: "application/json" } });
    expect({ status: answer.status, ...JSON.parse(answer.body.toString()) }).toMatchObject({
      status: 400,
      error: { code: "BAD_PARAMS" },
    });
  });
});
