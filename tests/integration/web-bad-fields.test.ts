/** Targets, fields and bodies that nobody sends by mistake: what is answered, and that nothing outside is touched or left. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdirSync, readFileSync, readlinkSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { readAnswers } from "../support/http-answers.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { until } from "../support/until.ts";
import { basic, WebSite } from "../support/web-site.ts";

/** What is there, and stays as it is. */
const CONTENT: Readonly<Record<string, string>> = { "a.txt": "alpha", folder: "" };

let site: WebSite;
let outside: TempFolder;

beforeAll(async () => {
  site = await WebSite.start({ writable: true, mayWrite: true, callRates: { messages: 1e6, lists: 1e6, pages: 1e6 } });
  outside = new TempFolder();
  writeFileSync(outside.join("secret"), "a secret");
  writeFileSync(site.folder.join("a.txt"), "alpha");
  await site.change("MKCOL", "/files/folder");
});

afterAll(async () => {
  await site[Symbol.asyncDispose]();
  outside[Symbol.dispose]();
});

/** What the first answer to it is, and whether the connection goes on. */
async function answerTo(text: string): Promise<{ status: number; body: string; isEnded: boolean }> {
  const raw = site.raw();
  const [line = "", ...rest] = text.split("\r\n");
  const [head = "", body = ""] = splitOnce(rest.join("\r\n"), "\r\n\r\n");
  const fields = `Host: localhost\r\nAuthorization: ${basic(site.writer).authorization}\r\n${head}`;
  raw.send(`${line}\r\n${fields.replace(/\r\n$/, "")}\r\n\r\n${body}`);
  const answer = await until(() => readAnswers(raw.text).answers[0]);
  if (answer.fields.get("connection") === "close") await until(() => raw.isEnded);
  const { isEnded } = raw;
  raw.end();
  return { status: answer.status, body: answer.body, isEnded };
}

function splitOnce(text: string, at: string): [string, string] {
  const index = text.indexOf(at);
  return index === -1 ? [text, ""] : [text.slice(0, index), text.slice(index + at.length)];
}

/** Nobody else pays for it, and nothing of it is left. */
async function checkRest(): Promise<void> {
  expect((await site.ask("/files/a.txt")).body.toString()).toBe("alpha");
  expect(readdirSync(site.folder.path).sort()).toEqual(Object.keys(CONTENT));
  expect(readFileSync(outside.join("secret"), "utf8")).toBe("a secret");
  expect(site.access.server.memory.used).toBe(0);
  const open = readdirSync("/proc/self/fd").map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return ""; // the one by which the list was read
    }
  });
  expect(open.filter((path) => path.startsWith(`${site.folder.path}/a.txt`))).toEqual([]);
}

/** Each with a name of one line. */
function named(rows: readonly (readonly [text: string, status: number])[]): [string, string, number][] {
  return rows.map(([text, status]) => [JSON.stringify(text.slice(0, 70)), text, status]);
}

const TARGETS: readonly (readonly [target: string, status: number])[] = [
  ["/files/..", 400],
  ["/files/../../etc/passwd", 400],
  ["/files/%2e%2e/x", 400],
  ["/files/%2E%2E%2Fx", 400],
  ["/files/.%2e/x", 400],
  ["/files/%2e./x", 400],
  ["/files/x/../a.txt", 400],
  ["/files/..%2f..%2fetc%2fpasswd", 400],
  ["/files/%2fetc%2fpasswd", 400],
  ["/files///etc/passwd", 400],
  ["/files//a.txt", 400],
  ["/files/..\\x", 400],
  ["/files/..%5cx", 404],
  ["/files/C:%5Cx", 404],
  ["/files/%252e%252e%252fx", 404],
  ["/files/..;/x", 404],
  ["/files/....//x", 400],
  ["/files/%c0%ae%c0%ae/x", 400],
  ["/files/%c0%af", 400],
  ["/files/%e0%80%af", 400],
  ["/files/%ed%a0%80", 400],
  ["/files/%ff", 400],
  ["/files/%u002e%u002e/x", 400],
  ["/files/%ef%bc%8e%ef%bc%8e/x", 404],
  ["/files/%", 400],
  ["/files/%2", 400],
  ["/files/%g0", 400],
  ["/files/a.txt%00", 400],
  ["/files/a.txt%00.html", 400],
  ["/files/.%00./x", 400],
  ["/files/%0d%0aX:y", 400],
  ["/files/%7f", 400],
  ["/files/%c2%85", 400],
  [`/files/${"a/".repeat(3_000)}`, 400],
  [`/files/${"a".repeat(300)}`, 400],
  ["/..", 404],
  ["/%2e%2e/files/a.txt", 404],
  ["//evil.example/files/a.txt", 404],
  ["/FILES/a.txt", 404],
  ["/files/a.txt#x", 400],
  ["*", 400],
  ["ftp://localhost/files/a.txt", 400],
  ["file:///etc/passwd", 400],
  ["http://user@localhost/files/a.txt", 400],
  ["http:///files/a.txt", 400],
  ["/files/?archive=__proto__", 400],
  ["/files/?format=__proto__", 400],
  ["/files/a.txt?etag=%00", 412],
  ["/files/a.txt?x=%zz", 200],
  ["/files/a.txt?upload=../../x", 200],
  ["http://evil.example/files/a.txt", 200],
];

test.each(named(TARGETS))("GET %s", async (_, target, status) => {
  expect(await answerTo(`GET ${target} HTTP/1.1\r\n\r\n`)).toMatchObject({ status, isEnded: false });
  await checkRest();
});

const WRITES = TARGETS.filter(([target, status]) => status !== 200 && target.startsWith("/") && !target.includes("?"));

test("no target that leads out is written, removed or made either", async () => {
  for (const [target] of WRITES) {
    if (/^\/files\/(\.\.%5c|C:|%252e|%ef|\.\.;)/.test(target)) continue; // names as any others
    for (const method of ["PUT", "DELETE", "MKCOL", "PROPFIND"]) {
      const { status } = await answerTo(`${method} ${target} HTTP/1.1\r\n\r\n`);
      expect([method, target, [400, 403, 404].includes(status) || status]).toEqual([method, target, true]);
    }
    const copied = await answerTo(`COPY /files/a.txt HTTP/1.1\r\nDestination: ${target}\r\n\r\n`);
    expect([target, copied.status]).toEqual([target, 400]);
  }
  await checkRest();
});

test("a link in the repository leads nobody out", async () => {
  symlinkSync(outside.path, site.folder.join("link"));
  for (const line of [
    "GET /files/link/secret",
    "PUT /files/link/new",
    "DELETE /files/link/secret",
    "MKCOL /files/link/d",
  ])
    expect((await answerTo(`${line} HTTP/1.1\r\n\r\n`)).status).toBeWithin(400, 500);
  expect(readdirSync(outside.path)).toEqual(["secret"]);
  unlinkSync(site.folder.join("link"));
  await checkRest();
});

const FIELDS: readonly (readonly [field: string, status: number])[] = [
  ["Range: bytes=-99999999999999999999", 206],
  ["Range: bytes=0-99999999999999999999", 206],
  ["Range: bytes=99999999999999999999-", 416],
  ["Range: bytes=-0", 416],
  ["Range: bytes=-5--1", 200],
  ["Range: bytes=5-2", 200],
  ["Range: bytes=1e1-", 200],
  ["Range: bytes=0x0-", 200],
  ["Range: bytes= 0 - 1", 200],
  ["Range: bytes", 200],
  ["Range: ", 200],
  [`Range: bytes=${Array(64).fill("0-0").join()}`, 206],
  [`Range: bytes=${Array(65).fill("0-0").join()}`, 416],
  [`Range: bytes=${Array(5_000).fill("0-").join()}`, 416],
  [`Range: bytes=${Array(10_000).fill("0-").join()}`, 431],
  [`Range: bytes=${",".repeat(10_000)}`, 200],
  ["Range: bytes=0-1\r\nRange: bytes=2-3", 400],
  ["Authorization: Basic eDp5", 400],
  ["If-Modified-Since: yesterday", 200],
  ["If-Modified-Since: Sun, 99 Nov 1994 08:49:37 GMT", 200],
  ["If-Modified-Since: Sun, 06 Nov 99999 08:49:37 GMT", 200],
  ["If-Modified-Since: Sun, 06 Nov 1994 99:49:37 GMT", 200],
  ["If-Modified-Since: Sun, 06 Nov 1994 08:49:37 +0000", 200],
  [`If-Modified-Since: ${"9".repeat(400)}`, 200],
  ["If-Modified-Since: Fri, 31 Dec 9999 23:59:60 GMT", 304],
  ["If-Unmodified-Since: -1", 200],
  ["If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT", 412],
  ["If-Range: yesterday\r\nRange: bytes=0-1", 200],
  ["If-Match: ", 412],
  [`If-None-Match: ${'"x",'.repeat(3_000)}`, 200],
  ["Accept: */*;q=x, ;;;,,", 200],
  ["X-HTTP-Method-Override: DELETE", 200],
  ["Expect: 100-continue", 200],
];

test.each(named(FIELDS))("GET with %s", async (_, field, status) => {
  const answer = await answerTo(`GET /files/a.txt HTTP/1.1\r\n${field}\r\n\r\n`);
  expect(answer).toMatchObject({ status, isEnded: status === 431 });
  await checkRest();
});

const PUTS: readonly (readonly [field: string, status: number])[] = [
  ...["yesterday", "NaN", "Infinity", "-1", "1e400", "9".repeat(30), "0x10", ""].map(
    (time) => [`X-OC-MTime: ${time}`, 400] as const,
  ),
  ["X-OC-MTime: 1\r\nX-OC-MTime: 2", 400],
  ...["0-1/*", "*/2", "0-1/1", "1-0/2", "-1-0/2", `0-${"9".repeat(20)}/${"9".repeat(21)}`, "0-1/2, bytes 0-1/2"].map(
    (part) => [`Content-Range: bytes ${part}`, 400] as const,
  ),
  ["Content-Range: bytes 0-1/2\r\nContent-Range: bytes 0-1/2", 400],
  ["Content-Range: bytes=0-1/2", 400],
  ["Content-Range: bytes 2-3/4", 409],
  ["Range: bytes 0-1/2", 400],
  ["Content-Encoding: gzip", 415],
  ["Digest: SHA-256=AAAA", 422],
  ["If-Match: *", 412],
];

test.each(named(PUTS))("PUT with %s", async (_, field, status) => {
  const answer = await answerTo(`PUT /files/new HTTP/1.1\r\nContent-Length: 2\r\n${field}\r\n\r\nhi`);
  expect(answer).toMatchObject({ status, isEnded: true });
  await checkRest();
});

const PLACES: readonly (readonly [fields: string, status: number])[] = [
  ["", 400],
  ["Destination: ", 400],
  ["Destination: x", 400],
  ["Destination: /", 400],
  ["Destination: /files", 400],
  ["Destination: /files/", 403],
  ["Destination: /etc/passwd", 400],
  ["Destination: /files/a.txt", 403],
  ["Destination: /files/a.txt/x", 403],
  ["Destination: /files/none/x", 409],
  ["Destination: /files/x?y#z", 400],
  ["Destination: file:///etc/passwd", 400],
  ["Destination: http://evil.example/files/x", 502],
  ["Destination: https://evil.example/files/x", 502],
  ["Destination: http://localhost:80/files/x", 502],
  ["Destination: http://localhost.evil.example/files/x", 502],
  ["Destination: //evil.example/files/x", 400],
  ["Destination: http://localhost@evil.example/files/x", 400],
  ["Destination: http://localhost\\evil.example/files/x", 400],
  ["Destination: /files/x\r\nDestination: /files/y", 400],
  ...["t", "true", "", "T, F", "F\r\nOverwrite: T"].map(
    (overwrite) => [`Destination: /files/x\r\nOverwrite: ${overwrite}`, 400] as const,
  ),
  ["Destination: /files/folder\r\nOverwrite: F", 412],
];

test.each(named(PLACES))("COPY and MOVE with %s", async (_, fields, status) => {
  for (const method of ["COPY", "MOVE"]) {
    const answer = await answerTo(`${method} /files/a.txt HTTP/1.1\r\n${fields}\r\n\r\n`);
    expect([method, answer]).toMatchObject([method, { status, isEnded: false }]);
  }
  await checkRest();
});

const DEPTHS = ["Infinity", "2", "-1", "1,noroot", "00", "9".repeat(100), ""];

test.each([...DEPTHS, "infinity"])("PROPFIND with the depth %p", async (depth) => {
  expect(await answerTo(`PROPFIND /files/ HTTP/1.1\r\nDepth: ${depth}\r\n\r\n`)).toMatchObject({ status: 403 });
  await checkRest();
});

test.each([...DEPTHS, "1"])("COPY with the depth %p", async (depth) => {
  const copy = `COPY /files/folder HTTP/1.1\r\nDestination: /files/x\r\nDepth: ${depth}\r\n\r\n`;
  expect(await answerTo(copy)).toMatchObject({ status: 400 });
  await checkRest();
});

test.each([...DEPTHS, "0", "1"])("DELETE and MOVE of a folder with the depth %p", async (depth) => {
  for (const line of ["DELETE /files/folder HTTP/1.1", "MOVE /files/folder HTTP/1.1\r\nDestination: /files/x"])
    expect(await answerTo(`${line}\r\nDepth: ${depth}\r\n\r\n`)).toMatchObject({ status: 400 });
  await checkRest();
});

test("DELETE of the repository is refused", async () => {
  expect((await answerTo("DELETE /files/ HTTP/1.1\r\n\r\n")).status).toBe(403);
  await checkRest();
});

const propfind = (body: string) => `<propfind xmlns="DAV:">${body}</propfind>`;
const BOMB = Array.from({ length: 9 }, (_, at) => `<!ENTITY b${at + 1} "${`&b${at};`.repeat(10)}">`).join("");
const BODIES: readonly (readonly [what: string, body: string, status: number])[] = [
  ["a bomb of entities", `<!DOCTYPE a [<!ENTITY b0 "b">${BOMB}]>${propfind("<prop>&b9;</prop>")}`, 400],
  ["a file as an entity", `<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>${propfind("<prop>&x;</prop>")}`, 400],
  ["a parameter entity", `<!DOCTYPE a [<!ENTITY % x SYSTEM "http://evil.example/"> %x;]>${propfind("")}`, 400],
  ["a document type elsewhere", `<!DOCTYPE a SYSTEM "http://evil.example/x.dtd">${propfind("<allprop/>")}`, 400],
  ["elements in each other without end", propfind("<a>".repeat(2_000)), 400],
  ["a reference to no character", propfind("<prop>&#xFFFFFFFF;</prop>"), 400],
  ["UTF-16", Buffer.from(propfind("<allprop/>"), "utf16le").toString("latin1"), 400],
  ["more properties than are told", propfind(`<prop>${"<a/>".repeat(65)}</prop>`), 400],
  ["more than 16 KiB", propfind(`<!--${"x".repeat(17_000)}-->`), 413],
];

test.each(BODIES)("PROPFIND with %s", async (_, body, status) => {
  const answer = await answerTo(
    `PROPFIND /files/ HTTP/1.1\r\nDepth: 0\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  expect(answer).toMatchObject({ status, isEnded: true });
  expect(answer.body).not.toContain("root:");
  await checkRest();
});

test("PROPFIND fetches no file that its body includes", async () => {
  const body = propfind(
    '<prop><xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/></prop>',
  );
  const answer = await answerTo(
    `PROPFIND /files/ HTTP/1.1\r\nDepth: 0\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  expect(answer.status).toBe(207);
  expect(answer.body).not.toContain("root:");
});

test("properties with the names of JavaScript's own are not there", async () => {
  const body = propfind("<prop><__proto__/><constructor/></prop>");
  const answer = await answerTo(
    `PROPFIND /files/ HTTP/1.1\r\nDepth: 0\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  expect(answer.body).toContain("HTTP/1.1 404 Not Found");
});
