/** Files that come by HTTP: whole, durable and judged as with `put`, and never a mixture or a tail. */
import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { BODY_STALLED_MS } from "../../lib/gateway/request-body.ts";
import { BoundedStorage } from "../../lib/storage/bounded.ts";
import { CountedBudget } from "../../lib/storage/counted-budget.ts";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import { FailingCommits } from "../support/failing-commits.ts";
import { settle } from "../support/fake-clock.ts";
import { Random } from "../support/random.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { until } from "../support/until.ts";
import { basic, type RawHttp, WebSite } from "../support/web-site.ts";

const MIB = 1024 * 1024;
const LARGE = Buffer.from(new Random("web writing").bytes(3 * MIB + 5));

const start = (options: Parameters<typeof WebSite.start>[0] = {}) =>
  WebSite.start({ writable: true, mayWrite: true, ...options });

const content = (site: WebSite, name: string) => readFileSync(site.folder.join(name), "latin1");

/** The head of a PUT by the writer, on a connection of its own. */
function begin(site: WebSite, path: string, fields: Record<string, string | number>): RawHttp {
  const raw = site.raw();
  const { authorization } = basic(site.writer);
  const more = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  raw.send(`PUT /files/${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${authorization}\r\n${more.join("")}\r\n`);
  return raw;
}

/** Leave `bytes` of a file of LARGE's size as a part. */
async function cutAt(site: WebSite, path: string, bytes: number, fields: Record<string, string> = {}): Promise<void> {
  const raw = begin(site, path, { "Content-Length": LARGE.length, ...fields });
  raw.send(LARGE.subarray(0, bytes).toString("latin1"));
  await hasCome(site, path, Math.floor(bytes / MIB) * MIB);
  raw.end();
  await until(() => site.access.events.some((event) => event.event === "request" && event["outcome"] === "cut"));
}

/** Wait until that much of it is in its part. */
async function hasCome(site: WebSite, path: string, bytes: number): Promise<void> {
  const storage = await LocalStorage.at(site.folder.path);
  for (let have = 0; have < bytes; await settle()) {
    const placement = await storage.place(path, { size: LARGE.length, modifiedAt: 0 }, "overwrite");
    have = placement.outcome === "vacant" ? (placement.resume?.missing[0]?.[0] ?? 0) : 0;
  }
}

const parts = (site: WebSite) => readdirSync(site.folder.path).filter((name) => name !== "large");

describe("a file", () => {
  test("that is small or large is stored, and told with its state", async () => {
    await using site = await start();
    for (const [name, body] of [
      ["empty", Buffer.alloc(0)],
      ["small", Buffer.from("hello")],
      ["block", LARGE.subarray(0, MIB)],
      ["large", LARGE],
    ] as const) {
      const { status, headers } = await site.change("PUT", `/files/new/${name}`, { body });
      expect([name, status]).toEqual([name, 201]);
      expect(readFileSync(site.folder.join("new", name)).equals(body)).toBe(true);
      const { headers: now } = await site.ask(`/files/new/${name}`);
      expect(headers["etag"]).toBe(now["etag"] as string);
    }
    expect(readdirSync(site.folder.join("new")).sort()).toEqual(["block", "empty", "large", "small"]);
    const stored = site.access.events.filter(({ event }) => event === "stored");
    expect(stored.at(-1)).toMatchObject({ path: "new/large", size: LARGE.length, name: expect.any(String) });
    const requests = site.access.events.filter((event) => event.event === "request" && event["method"] === "PUT");
    expect(requests).toHaveLength(4);
    expect(JSON.stringify(requests.at(-1))).toMatch(/"bytes":3145\d\d\d,/);
  });

  test("is replaced, and keeps its rights", async () => {
    await using site = await start();
    writeFileSync(site.folder.join("a"), "old", { mode: 0o640 });
    expect((await site.change("PUT", "/files/a", { body: "new" })).status).toBe(204);
    expect(content(site, "a")).toBe("new");
    expect(statSync(site.folder.join("a")).mode & 0o777).toBe(0o640);
    expect((await site.change("PUT", "/files/a", { body: LARGE })).status).toBe(204);
    expect(statSync(site.folder.join("a")).size).toBe(LARGE.length);
  });

  test("has the time that its program tells", async () => {
    await using site = await start();
    for (const [headers, time] of [
      [{ "x-oc-mtime": "1500000000" }, 1_500_000_000_000],
      [{ "last-modified": "Fri, 14 Jul 2017 02:40:00 GMT" }, 1_500_000_000_000],
      [{ "x-oc-mtime": "1500000001.5", "last-modified": "Fri, 14 Jul 2017 02:40:00 GMT" }, 1_500_000_001_500],
    ] as const) {
      for (const body of ["x", LARGE]) {
        const answer = await site.change("PUT", "/files/a", { headers: { ...headers }, body });
        expect(answer.headers["x-oc-mtime"]).toBe("accepted");
        expect(statSync(site.folder.join("a")).mtimeMs).toBe(time);
      }
    }
    expect((await site.change("PUT", "/files/a", { headers: { "x-oc-mtime": "soon" }, body: "x" })).status).toBe(400);
  });

  test("comes in chunks, if it is small or its size is given elsewhere", async () => {
    await using site = await start();
    const chunked = { "transfer-encoding": "chunked" };
    expect((await site.change("PUT", "/files/a", { headers: chunked, body: "chunks" })).status).toBe(201);
    expect(content(site, "a")).toBe("chunks");
    const told = { ...chunked, "x-expected-entity-length": `${LARGE.length}` };
    expect((await site.change("PUT", "/files/b", { headers: told, body: LARGE })).status).toBe(201);
    expect(readFileSync(site.folder.join("b")).equals(LARGE)).toBe(true);
    expect((await site.change("PUT", "/files/c", { headers: chunked, body: LARGE })).status).toBe(411);
    expect(existsSync(site.folder.join("c"))).toBe(false);
  });

  test("goes on over a connection that is kept", async () => {
    await using site = await start();
    const raw = begin(site, "a", { "Content-Length": 5 });
    raw.send("hello");
    await until(() => raw.statuses.length === 1);
    raw.send(`GET /files/a HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${basic(site.token).authorization}\r\n\r\n`);
    await until(() => raw.text.endsWith("hello"));
    expect(raw.statuses).toEqual([201, 200]);
    raw.end();
  });

  test("is checked against its digests before it is seen", async () => {
    await using site = await start();
    const of = (algorithm: string, encoding: "base64" | "hex", bytes: Uint8Array) =>
      createHash(algorithm).update(bytes).digest(encoding);
    for (const body of [Buffer.from("small"), LARGE]) {
      const right: Record<string, string>[] = [
        { digest: `SHA-256=${of("sha256", "base64", body)}` },
        { "content-digest": `sha-256=:${of("sha256", "base64", body)}:, sha-512=:${of("sha512", "base64", body)}:` },
        { "repr-digest": `unknown=:AAAA:, sha-256=:${of("sha256", "base64", body)}:` },
        { "oc-checksum": `SHA1:${of("sha1", "hex", body)}` },
        { "oc-checksum": `MD5:${of("md5", "hex", body)}` },
      ];
      for (const headers of right) {
        expect((await site.change("PUT", "/files/right", { headers, body })).status).toBeWithin(201, 205);
      }
      for (const headers of [
        { digest: `SHA-256=${of("sha256", "base64", Buffer.from("other"))}` },
        { "content-digest": `sha-256=:${of("sha256", "base64", Buffer.from("other"))}:` },
        { "oc-checksum": `SHA1:${of("sha1", "hex", Buffer.from("other"))}` },
      ] as Record<string, string>[]) {
        const answer = await site.change("PUT", "/files/wrong", { headers, body });
        expect([answer.status, answer.body.toString()]).toEqual([422, expect.stringContaining("DIGEST_MISMATCH")]);
      }
      expect((await site.change("PUT", "/files/wrong", { headers: { digest: "nonsense" }, body })).status).toBe(400);
    }
    expect(readdirSync(site.folder.path)).toEqual(["right"]);
  });
});

describe("a condition", () => {
  test("says that nothing may be there", async () => {
    await using site = await start();
    const headers = { "if-none-match": "*" };
    expect((await site.change("PUT", "/files/a", { headers, body: "first" })).status).toBe(201);
    expect((await site.change("PUT", "/files/a", { headers, body: "second" })).status).toBe(412);
    expect(content(site, "a")).toBe("first");
  });

  test("says which state is replaced", async () => {
    await using site = await start();
    const { headers } = await site.change("PUT", "/files/a", { body: "one" });
    const match = { "if-match": headers["etag"] as string };
    expect((await site.change("PUT", "/files/a", { headers: match, body: "two!" })).status).toBe(204);
    expect((await site.change("PUT", "/files/a", { headers: match, body: "three" })).status).toBe(412);
    expect((await site.change("PUT", "/files/none", { headers: { "if-match": "*" }, body: "x" })).status).toBe(412);
    expect((await site.change("DELETE", "/files/a", { headers: match })).status).toBe(412);
    expect(content(site, "a")).toBe("two!");
  });

  test("holds until the end: what another has stored meanwhile stays", async () => {
    await using site = await start();
    for (const size of [10, LARGE.length]) {
      const raw = begin(site, `a${size}`, { "Content-Length": size, "If-None-Match": "*" });
      raw.send("x");
      await until(() => site.access.server.members.clients.some((member) => member.bytesIn > 100));
      await settle();
      writeFileSync(site.folder.join(`a${size}`), "other");
      raw.send(LARGE.subarray(1, size).toString("latin1"));
      await until(() => raw.statuses.length > 0);
      expect(raw.statuses).toEqual([412]);
      expect(content(site, `a${size}`)).toBe("other");
      raw.end();
    }
    expect(readdirSync(site.folder.path).sort()).toEqual(["a10", `a${LARGE.length}`]);
  });
});

describe("of several that replace the same state at once", () => {
  test.each([5, LARGE.length])("one does, and gets its own state (%p bytes)", async (size) => {
    await using site = await start();
    writeFileSync(site.folder.join("a"), "old");
    const { headers } = await site.ask("/files/a");
    const before = { "if-match": headers["etag"] as string };
    const bodies = [1, 2, 3, 4].map((fill) => Buffer.alloc(size, fill));
    const answers = await Promise.all(bodies.map((body) => site.change("PUT", "/files/a", { headers: before, body })));
    const done = answers.flatMap(({ status }, at) => (status === 204 ? [at] : []));
    expect(done).toHaveLength(1);
    const now = await site.ask("/files/a");
    expect(answers[done[0] as number]?.headers["etag"]).toBe(now.headers["etag"] as string);
    expect(now.body.equals(bodies[done[0] as number] as Buffer)).toBe(true);
    expect(site.access.events.filter(({ event }) => event === "stored")).toHaveLength(1);
  });

  test("a removal does not take what another has stored", async () => {
    await using site = await start();
    for (let round = 0; round < 5; round++) {
      writeFileSync(site.folder.join("a"), `old ${round}`);
      const headers = { "if-match": (await site.ask("/files/a")).headers["etag"] as string };
      const [put, removed] = await Promise.all([
        site.change("PUT", "/files/a", { headers, body: "new" }),
        site.change("DELETE", "/files/a", { headers }),
      ]);
      expect([put.status, removed.status].filter((status) => status === 204)).toHaveLength(1);
      expect(existsSync(site.folder.join("a"))).toBe(put.status === 204);
    }
  });
});

describe("before its body", () => {
  const expects = { Expect: "100-continue", "Content-Length": LARGE.length };

  test("a file is let come, when a program asks", async () => {
    await using site = await start();
    const raw = begin(site, "a", expects);
    await until(() => raw.text.includes("HTTP/1.1 100 Continue"));
    raw.send(LARGE.toString("latin1"));
    await until(() => raw.statuses.includes(201));
    expect(readFileSync(site.folder.join("a")).equals(LARGE)).toBe(true);
    raw.end();
  });

  test("a program of HTTP/1.0 gets no interim answer, which it would take for the answer", async () => {
    await using site = await start();
    const raw = site.raw();
    raw.send(
      `PUT /files/a HTTP/1.0\r\nAuthorization: ${basic(site.writer).authorization}\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n`,
    );
    await until(() => site.access.server.memory.used > 0);
    raw.send("hello");
    await until(() => raw.isEnded);
    expect(raw.statuses).toEqual([201]);
  });

  test("a file is refused that may not come, cannot come, or has no room", async () => {
    using folder = new TempFolder();
    const inner = await LocalStorage.at(folder.path);
    const limits = { quotaBytes: 2 * MIB, keepFreeBytes: 0 };
    const storage = new BoundedStorage(inner, new CountedBudget(inner, limits, () => 0));
    await using site = await start({ storage });
    mkdirSync(folder.join("sub"));
    writeFileSync(folder.join("a"), "a");
    const refused = async (path: string, fields: Record<string, string | number> = {}) => {
      const raw = begin(site, path, { ...expects, ...fields });
      await until(() => raw.isEnded);
      const [, code] = /\r\n\r\n([A-Z_]+):/.exec(raw.text) ?? [];
      return [...raw.statuses, code];
    };
    expect(await refused("b")).toEqual([507, "QUOTA_EXCEEDED"]);
    expect(await refused("a", { "If-None-Match": "*" })).toEqual([412, "CHANGED"]);
    expect(await refused("sub")).toEqual([409, "EXISTS"]);
    expect(await refused("sub/")).toEqual([409, "NOT_A_FILE"]);
    expect(await refused("a/b")).toEqual([409, "EXISTS"]);
    expect(await refused("..%2fb")).toEqual([400, "BAD_PATH"]);
    expect(await refused("b", { "Content-Length": 2 ** 44 + 1 })).toEqual([413, "TOO_LARGE"]);
    expect(await refused("b", { "Content-Encoding": "gzip" })).toEqual([415, "BAD_PARAMS"]);
    expect(readdirSync(folder.path).sort()).toEqual(["a", "sub"]);
  });

  test("a file is refused without the role, or where nothing may be written", async () => {
    await using site = await start();
    expect((await site.ask("/files/a", { method: "PUT", body: "x" })).status).toBe(403);
    await using readOnly = await start({ writable: false });
    expect((await readOnly.change("PUT", "/files/a", { body: "x" })).status).toBe(403);
    await using reading = await start({ mayWrite: false });
    const { status, headers } = await reading.change("PUT", "/files/a", { body: "x" });
    expect([status, headers["allow"]]).toEqual([405, "GET, HEAD, PROPFIND, OPTIONS"]);
  });

  test("a refusal reaches a program that sends its body all the same", async () => {
    await using site = await start();
    const raw = site.raw();
    const { authorization } = basic(site.token);
    const head = `PUT /files/a HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nContent-Length: ${LARGE.length}\r\n\r\n`;
    raw.send(head + LARGE.toString("latin1"));
    await until(() => raw.isEnded);
    expect(raw.statuses).toEqual([403]);
    expect(raw.text).toMatch(/^connection: close/im);
  });
});

describe("a part", () => {
  test("is left by an upload that is cut, and goes on where it ended", async () => {
    await using site = await start();
    await cutAt(site, "large", 2.5 * MIB, { "X-OC-MTime": "1500000000" });
    expect(existsSync(site.folder.join("large"))).toBe(false);
    const from = (offset: number, more: Record<string, string> = {}) =>
      site.change("PUT", "/files/large", {
        headers: { "content-range": `bytes ${offset}-${LARGE.length - 1}/${LARGE.length}`, ...more },
        body: LARGE.subarray(offset),
      });
    const late = await from(MIB);
    expect([late.status, late.headers["upload-offset"]]).toEqual([409, `${2 * MIB}`]);
    expect((await from(2 * MIB, { "x-oc-mtime": "1500000001" })).status).toBe(412);
    expect((await from(2 * MIB)).status).toBe(201);
    expect(readFileSync(site.folder.join("large")).equals(LARGE)).toBe(true);
    expect(statSync(site.folder.join("large")).mtimeMs).toBe(1_500_000_000_000);
    expect(parts(site)).toEqual([]);
  });

  test("that is whole and could not get its name goes on with its last block", async () => {
    using folder = new TempFolder();
    const storage = new FailingCommits(await LocalStorage.at(folder.path));
    await using site = await start({ storage });
    expect((await site.change("PUT", "/files/a", { body: LARGE })).status).toBe(503);
    storage.isFailing = false;
    const rest = (first: number) => {
      const headers = { "content-range": `bytes ${first}-${LARGE.length - 1}/${LARGE.length}` };
      return site.change("PUT", "/files/a", { headers, body: LARGE.subarray(first) });
    };
    const { status, headers } = await rest(LARGE.length - 1);
    expect([status, headers["upload-offset"]]).toEqual([409, `${3 * MIB}`]);
    expect((await rest(3 * MIB)).status).toBe(201);
    expect(readFileSync(folder.join("a")).equals(LARGE)).toBe(true);
  });

  test("goes on with lftp's field Range", async () => {
    await using site = await start();
    await cutAt(site, "large", 2.5 * MIB);
    const headers = { range: `bytes=${2 * MIB}-${LARGE.length - 1}/${LARGE.length}` };
    const { status } = await site.change("PUT", "/files/large", { headers, body: LARGE.subarray(2 * MIB) });
    expect(status).toBe(201);
    expect(readFileSync(site.folder.join("large")).equals(LARGE)).toBe(true);
  });

  test("is never mixed with a file that comes from its beginning", async () => {
    await using site = await start();
    await cutAt(site, "large", 2.5 * MIB);
    const other = Buffer.from(new Random("other").bytes(LARGE.length));
    const headers = { "content-range": `bytes 0-${LARGE.length - 1}/${LARGE.length}` };
    expect((await site.change("PUT", "/files/large", { headers, body: other })).status).toBe(201);
    expect(readFileSync(site.folder.join("large")).equals(other)).toBe(true);
  });

  test("never replaces a file", async () => {
    await using site = await start();
    writeFileSync(site.folder.join("a"), "the whole file");
    const tails: Record<string, string>[] = [
      { "content-range": "bytes 4-7/8" },
      { range: "bytes=4-7/8" },
      { range: "bytes=4-7" },
      { range: "bytes=4-" },
      { "content-range": "bytes 4-7/*" },
      { "content-range": "bytes 0-3/8" },
      { "content-range": "bytes 4-6/8" },
      { "content-range": "4-7/8" },
      { "content-range": "bytes 4-7/8", range: "bytes=4-7/8" },
      { "content-range": `bytes ${3 * MIB}-${LARGE.length - 1}/${LARGE.length}` },
    ];
    for (const headers of tails) {
      const { status } = await site.change("PUT", "/files/a", { headers, body: LARGE.subarray(0, 4) });
      expect([headers, [400, 409].includes(status)]).toEqual([headers, true]);
    }
    const { length } = LARGE;
    const headers = { "content-range": `bytes ${2 * MIB}-${length - 1}/${length}` };
    expect((await site.change("PUT", "/files/a", { headers, body: LARGE.subarray(2 * MIB) })).status).toBe(409);
    expect(content(site, "a")).toBe("the whole file");
  });

  test("is another's while two send the same file", async () => {
    await using site = await start();
    const raw = begin(site, "large", { "Content-Length": LARGE.length });
    raw.send(LARGE.subarray(0, 10).toString("latin1"));
    await until(() => readdirSync(site.folder.path).length > 0);
    const { status, headers } = await site.change("PUT", "/files/large", { body: LARGE });
    expect([status, headers["connection"]]).toEqual([423, "close"]);
    raw.send(LARGE.subarray(10).toString("latin1"));
    await until(() => raw.statuses.length > 0);
    expect(raw.statuses).toEqual([201]);
    raw.end();
  });
});

describe("a body", () => {
  test("that is shorter than told leaves nothing under the name", async () => {
    await using site = await start();
    const raw = begin(site, "a", { "Content-Length": 10 });
    raw.send("12345");
    await settle();
    raw.end();
    await until(() => site.access.events.some(({ event }) => event === "request"));
    expect(readdirSync(site.folder.path)).toEqual([]);
  });

  test("that is longer than announced ends at the announced length; the rest is not a request", async () => {
    await using site = await start();
    const raw = begin(site, "a", { "Content-Length": 5 });
    raw.send("12345\0\0\0\0");
    await until(() => raw.isEnded);
    expect(raw.statuses).toEqual([201, 400]);
    expect(content(site, "a")).toBe("12345");
  });

  test("in chunks that are longer than told beside stores nothing", async () => {
    await using site = await start();
    for (const size of [0, 5, 2 * MIB]) {
      const headers = { "transfer-encoding": "chunked", "x-expected-entity-length": `${size}` };
      expect((await site.change("PUT", "/files/a", { headers, body: LARGE.subarray(0, size + 1) })).status).toBe(400);
      expect(existsSync(site.folder.join("a"))).toBe(false);
    }
  });

  test("in broken chunks stores nothing", async () => {
    await using site = await start();
    for (const chunks of ["5\r\n12345\r\nzz\r\n", "5\r\n123456\r\n0\r\n\r\n", "ffffffffffffffffff\r\n", "-1\r\n"]) {
      const raw = begin(site, "a", { "Transfer-Encoding": "chunked" });
      raw.send(chunks);
      await until(() => raw.isEnded);
      expect([chunks, raw.statuses]).toEqual([chunks, [400]]);
    }
    const both = begin(site, "a", { "Transfer-Encoding": "chunked", "Content-Length": 5 });
    await until(() => both.isEnded);
    expect(both.statuses).toEqual([400]);
    expect(readdirSync(site.folder.path)).toEqual([]);
  });

  test("that stalls is given up, and its part stays", async () => {
    await using site = await start();
    const raw = begin(site, "large", { "Content-Length": LARGE.length });
    raw.send(LARGE.subarray(0, 1.5 * MIB).toString("latin1"));
    await hasCome(site, "large", MIB);
    await settle();
    for (let turn = 0; turn < 2; turn++) await site.access.clock.advance(BODY_STALLED_MS);
    await until(() => raw.isEnded);
    expect(raw.statuses).toEqual([408]);
    const headers = { "content-range": `bytes ${MIB}-${LARGE.length - 1}/${LARGE.length}` };
    const { status } = await site.change("PUT", "/files/large", { headers, body: LARGE.subarray(MIB) });
    expect(status).toBe(201);
  });

  test("comes no faster than its rate", async () => {
    await using site = await start({ bandwidth: { perSession: MIB, total: undefined } });
    const began = site.access.clock.now();
    const { clock } = site.access;
    let isDone = false;
    const done = site.change("PUT", "/files/large", { body: LARGE }).finally(() => {
      isDone = true;
    });
    while (!isDone) await clock.advance(50);
    expect((await done).status).toBe(201);
    // A quarter of a second may come at once.
    expect(clock.now() - began).toBeGreaterThanOrEqual(2_700);
  });

  test("stays with its sender as long as nobody reads it", async () => {
    await using site = await start({ bandwidth: { perSession: 1_000, total: undefined } });
    const raw = begin(site, "large", { "Content-Length": 64 * MIB });
    raw.send("x".repeat(64 * MIB));
    const taken = () => site.access.server.members.clients[0]?.bytesIn ?? 0;
    let [before, still] = [-1, 0];
    await until(() => {
      still = taken() > 0 && taken() === before ? still + 1 : 0;
      before = taken();
      return still > 50;
    });
    expect(taken()).toBeLessThan(2 * MIB);
    raw.end();
  });

  test("of a token that is revoked ends", async () => {
    await using site = await start();
    const raw = begin(site, "large", { "Content-Length": LARGE.length });
    raw.send(LARGE.subarray(0, 100).toString("latin1"));
    await until(() => readdirSync(site.folder.path).length > 0);
    await (await site.access.operator()).revokeToken("web-writer");
    await until(() => raw.isEnded);
    expect(raw.statuses).toEqual([401]);
    expect(existsSync(site.folder.join("large"))).toBe(false);
  });
});

describe("the repository", () => {
  test("is changed by DELETE, MKCOL, MOVE and COPY", async () => {
    await using site = await start();
    const at = (path: string) => ({ destination: `http://127.0.0.1:${site.port}/files/${path}` });
    const status = async (method: string, path: string, headers: Record<string, string> = {}) =>
      (await site.change(method, `/files/${path}`, { headers })).status;
    expect(await status("MKCOL", "dir/")).toBe(201);
    expect(await status("MKCOL", "dir")).toBe(405);
    expect(await status("MKCOL", "none/dir")).toBe(409);
    await site.change("PUT", "/files/dir/a%20b", { body: "small" });
    await site.change("PUT", "/files/dir/large", { body: LARGE, headers: { "x-oc-mtime": "1500000000" } });
    expect(await status("COPY", "dir/a%20b", at("dir/copy"))).toBe(201);
    expect(await status("COPY", "dir/large", { destination: "/files/dir/large2" })).toBe(201);
    expect(readFileSync(site.folder.join("dir", "large2")).equals(LARGE)).toBe(true);
    expect(statSync(site.folder.join("dir", "large2")).mtimeMs).toBe(1_500_000_000_000);
    expect(await status("COPY", "dir/large", { ...at("dir/copy"), overwrite: "F" })).toBe(412);
    expect(await status("COPY", "dir/", at("dir2/"))).toBe(201);
    expect(readdirSync(site.folder.join("dir2")).sort()).toEqual(["a b", "copy", "large", "large2"]);
    expect(await status("COPY", "dir/", at("dir2/"))).toBe(409);
    expect(await status("COPY", "dir/", at("dir/in/itself"))).toBe(403);
    expect(await status("MOVE", "dir/copy", at("moved%3F"))).toBe(201);
    expect(content(site, "moved?")).toBe("small");
    expect(await status("MOVE", "dir/large2", { ...at("moved%3F"), overwrite: "F" })).toBe(412);
    expect(await status("MOVE", "dir/large2", at("moved%3F"))).toBe(204);
    expect(await status("MOVE", "dir/none", at("x"))).toBe(404);
    expect(await status("MOVE", "dir/a%20b", at("none/x"))).toBe(409);
    expect(await status("DELETE", "moved%3F")).toBe(204);
    expect(await status("DELETE", "moved%3F")).toBe(404);
    expect(await status("DELETE", "dir2/")).toBe(204);
    expect(await status("DELETE", "")).toBe(403);
    expect(readdirSync(site.folder.path)).toEqual(["dir"]);
    const told = site.access.events.map(({ event }) => event);
    for (const event of ["renamed", "removed", "stored"] as const) expect(told).toContain(event);
  });

  test("is changed nowhere else than here", async () => {
    await using site = await start();
    writeFileSync(site.folder.join("a"), "a");
    for (const [destination, expected] of [
      ["http://other.example/files/b", 502],
      ["https://127.0.0.1.evil.example/files/b", 502],
      ["/elsewhere/b", 400],
      ["/files/..%2f..%2fb", 400],
      ["/files/../b", 400],
      ["/files/%00", 400],
      ["b", 400],
      ["", 400],
      ["/files/", 403],
    ] as const) {
      for (const method of ["MOVE", "COPY"]) {
        const { status } = await site.change(method, "/files/a", { headers: { destination } });
        expect([destination, status]).toEqual([destination, expected]);
      }
    }
    const headers = { destination: "/files/b", overwrite: "maybe" };
    expect((await site.change("MOVE", "/files/a", { headers })).status).toBe(400);
    expect((await site.change("MOVE", "/files/a")).status).toBe(400);
    expect((await site.change("MKCOL", "/files/d", { body: "<x/>" })).status).toBe(415);
    expect((await site.change("DELETE", "/files/a", { headers: { "content-length": "1" }, body: "x" })).status).toBe(
      400,
    );
    expect(readdirSync(site.folder.path)).toEqual(["a"]);
  });

  test("is not left by way of a link", async () => {
    await using site = await start();
    using outside = new TempFolder();
    writeFileSync(outside.join("secret"), "secret");
    symlinkSync(outside.path, site.folder.join("link"));
    symlinkSync(outside.join("secret"), site.folder.join("file"));
    expect((await site.change("PUT", "/files/link/x", { body: "x" })).status).toBeWithin(400, 500);
    expect((await site.change("PUT", "/files/file", { body: "x" })).status).toBeWithin(400, 500);
    expect((await site.change("DELETE", "/files/link/secret")).status).toBeWithin(400, 500);
    const headers = { destination: "/files/link/a" };
    await site.change("PUT", "/files/a", { body: "x" });
    expect((await site.change("MOVE", "/files/a", { headers })).status).toBeWithin(400, 500);
    expect(readdirSync(outside.path)).toEqual(["secret"]);
    expect(readFileSync(outside.join("secret"), "utf8")).toBe("secret");
  });

  test("is changed by writers alone", async () => {
    await using site = await start();
    writeFileSync(site.folder.join("a"), "a");
    const headers = { destination: "/files/b" };
    for (const method of ["DELETE", "MKCOL", "MOVE", "COPY"]) {
      expect((await site.ask("/files/a", { method, headers })).status).toBe(403);
    }
    expect(readdirSync(site.folder.path)).toEqual(["a"]);
  });
});
