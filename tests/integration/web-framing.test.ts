/** Where a request ends: nobody gets a request done that a proxy before the server has taken for a body, or the other way. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdirSync, writeFileSync } from "node:fs";
import { readAnswers } from "../support/http-answers.ts";
import { until } from "../support/until.ts";
import { basic, WebSite } from "../support/web-site.ts";

let site: WebSite;

beforeAll(async () => {
  site = await WebSite.start({ writable: true, mayWrite: true });
  writeFileSync(site.folder.join("a.txt"), "alpha");
  writeFileSync(site.folder.join("after"), "after");
  writeFileSync(site.folder.join("p"), "");
});

afterAll(() => site[Symbol.asyncDispose]());

const auth = () => `Host: localhost\r\nAuthorization: ${basic(site.writer).authorization}\r\n`;

/** The answers to it, and what becomes of the connection. A request for another file follows it, which "kept" ones answer. */
type Row = readonly [what: string, text: string, statuses: readonly number[], then: "closed" | "kept"];

const put = (lines: string, body = "") => `PUT /files/p HTTP/1.1\r\nAUTH${lines}\r\n\r\n${body}`;
const chunked = (body: string) => put("Transfer-Encoding: chunked", body);
const get = (lines = "") => `GET /files/a.txt HTTP/1.1\r\nAUTH${lines}\r\n`;
const lastChunk = "0\r\n\r\n";
const hello = `5\r\nhello\r\n${lastChunk}`;

const LENGTHS: Row[] = [
  ["a length and chunks", put("Content-Length: 5\r\nTransfer-Encoding: chunked", lastChunk), [400], "closed"],
  ["chunks and a length", put("Transfer-Encoding: chunked\r\nContent-Length: 5", lastChunk), [400], "closed"],
  ["two equal lengths", put("Content-Length: 5\r\nContent-Length: 5", "hello"), [400], "closed"],
  ["two lengths", put("Content-Length: 5\r\nContent-Length: 0"), [400], "closed"],
  ["a list of equal lengths", put("Content-Length: 5, 5", "hello"), [400], "closed"],
  ["a list of lengths", put("Content-Length: 5, 0"), [400], "closed"],
  ["a length with a plus", put("Content-Length: +5", "hello"), [400], "closed"],
  ["a length below zero", put("Content-Length: -5", "hello"), [400], "closed"],
  ["zero below zero", put("Content-Length: -0"), [400], "closed"],
  ["a length in hexadecimal", put("Content-Length: 0x5", "hello"), [400], "closed"],
  ["a length with a space in it", put("Content-Length: 5 0", "hello"), [400], "closed"],
  ["a length with a fraction", put("Content-Length: 5.0", "hello"), [400], "closed"],
  ["a length with an exponent", put("Content-Length: 5e0", "hello"), [400], "closed"],
  ["an empty length", put("Content-Length: "), [400], "closed"],
  ["a length beyond 64 bits", put("Content-Length: 18446744073709551616"), [400], "closed"],
  ["the greatest length of 64 bits", put("Content-Length: 18446744073709551615"), [413], "closed"],
  ["a length beyond all files", put("Content-Length: 1000000000000000"), [413], "closed"],
  ["a space before the colon", put("Content-Length : 5", "hello"), [400], "closed"],
  ["a tab before the colon", put("Content-Length\t: 5", "hello"), [400], "closed"],
  ["a vertical tab before the value", put("Content-Length:\x0b5", "hello"), [400], "closed"],
  ["a name with an underscore, which is another", put("Content_Length: 5"), [204, 200], "kept"],
  ["a tab before the value", put("Content-Length:\t5", "hello"), [204, 200], "kept"],
  ["spaces after the value", put("Content-Length: 5  ", "hello"), [204, 200], "kept"],
  ["zeros before the length", put("Content-Length: 0005", "hello"), [204, 200], "kept"],
  ["zero told twice over, where no body belongs", get("Content-Length: 00\r\n"), [400], "closed"],
  ["a body where none belongs", `${get("Content-Length: 5\r\n")}hello`, [400], "closed"],
  ["a chunked body where none belongs", `${get("Transfer-Encoding: chunked\r\n")}${hello}`, [400], "closed"],
];

const CODINGS: Row[] = [
  ["identity", put("Transfer-Encoding: identity"), [400], "closed"],
  ["identity, then chunked", put("Transfer-Encoding: identity, chunked", lastChunk), [501], "closed"],
  ["chunked, then identity", put("Transfer-Encoding: chunked, identity", lastChunk), [400], "closed"],
  ["chunked twice", put("Transfer-Encoding: chunked, chunked", lastChunk), [400], "closed"],
  [
    "chunked in two fields",
    put("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", lastChunk),
    [400],
    "closed",
  ],
  ["two fields", put("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", lastChunk), [501], "closed"],
  ["gzip, then chunked", put("Transfer-Encoding: gzip, chunked", lastChunk), [501], "closed"],
  ["an empty one, then chunked", put("Transfer-Encoding: ,chunked", lastChunk), [501], "closed"],
  ["xchunked", put("Transfer-Encoding: xchunked", lastChunk), [400], "closed"],
  ["chunkedx", put("Transfer-Encoding: chunkedx", lastChunk), [400], "closed"],
  ["chunked in quotes", put('Transfer-Encoding: "chunked"', lastChunk), [400], "closed"],
  ["chunked with a parameter", put("Transfer-Encoding: chunked;q=1", lastChunk), [400], "closed"],
  ["nothing", put("Transfer-Encoding:", lastChunk), [400], "closed"],
  ["chunked after a vertical tab", put("Transfer-Encoding:\x0bchunked", lastChunk), [400], "closed"],
  ["chunked and a NUL", put("Transfer-Encoding: chunked\0", lastChunk), [400], "closed"],
  ["a space before the colon", put("Transfer-Encoding : chunked", lastChunk), [400], "closed"],
  ["a folded line", put("Transfer-Encoding:\r\n chunked", lastChunk), [400], "closed"],
  ["chunked in a folded line of another field", put("X: y\r\n Transfer-Encoding: chunked"), [400], "closed"],
  ["chunked after a bare line feed", put("X: y\nTransfer-Encoding: chunked", lastChunk), [400], "closed"],
  ["chunked after a bare carriage return", put("X: y\rTransfer-Encoding: chunked", lastChunk), [400], "closed"],
  ["chunked, in HTTP/1.0", chunked(hello).replace("/1.1", "/1.0"), [204], "closed"],
  ["CHUNKED", put("Transfer-Encoding: CHUNKED", hello), [204, 200], "kept"],
  ["chunked between spaces", put("Transfer-Encoding: \tchunked ", hello), [204, 200], "kept"],
];

const CHUNKS: Row[] = [
  ["without a size", chunked(`\r\nhello\r\n${lastChunk}`), [400], "closed"],
  ["of no number", chunked(`zz\r\n${lastChunk}`), [400], "closed"],
  ["below zero", chunked(`-1\r\nhello\r\n${lastChunk}`), [400], "closed"],
  ["with a plus", chunked(`+5\r\nhello\r\n${lastChunk}`), [400], "closed"],
  ["with 0x", chunked(`0x5\r\nhello\r\n${lastChunk}`), [400], "closed"],
  ["with a space before the size", chunked(` 5\r\nhello\r\n${lastChunk}`), [400], "closed"],
  ["with a space after the size", chunked(`5 \r\nhello\r\n${lastChunk}`), [400], "closed"],
  ["beyond 64 bits", chunked(`fffffffffffffffff\r\nhello\r\n${lastChunk}`), [400], "closed"],
  ["with a bare line feed after the size", chunked(`5\nhello\r\n${lastChunk}`), [400], "closed"],
  ["with a bare line feed after the bytes", chunked(`5\r\nhello\n${lastChunk}`), [400], "closed"],
  ["with nothing after the bytes", chunked(`5\r\nhello${lastChunk}`), [400], "closed"],
  ["with more bytes than told", chunked(`5\r\nhelloXX\r\n${lastChunk}`), [400], "closed"],
  ["with a bare line feed in what is told beside", chunked(`5;a\nhello\r\n${lastChunk}`), [400], "closed"],
  ["with 20 KB told beside", chunked(`5;a=${"b".repeat(20_000)}\r\nhello\r\n${lastChunk}`), [400], "closed"],
  ["ended by bare line feeds", chunked("5\r\nhello\r\n0\n\n"), [400], "closed"],
  ["with a length after them", chunked("5\r\nhello\r\n0\r\nContent-Length: 50\r\n\r\n"), [400], "closed"],
  ["with a coding after them", chunked("5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n"), [400], "closed"],
  ["with 40 KB of fields after them", chunked(`5\r\nhello\r\n0\r\nX: ${"y".repeat(40_000)}\r\n\r\n`), [431], "closed"],
  ["with 5000 fields after them", chunked(`5\r\nhello\r\n0\r\n${"X: y\r\n".repeat(5_000)}\r\n`), [431], "closed"],
  ["with something told beside", chunked(`5;a="b"\r\nhello\r\n${lastChunk}`), [204, 200], "kept"],
  ["with a field after them", chunked("5\r\nhello\r\n0\r\nX: y\r\n\r\n"), [204, 200], "kept"],
  ["with zeros before the size", chunked(`${"0".repeat(1_000)}5\r\nhello\r\n${lastChunk}`), [204, 200], "kept"],
];

const LINES: Row[] = [
  ["a bare line feed that ends the head", get("X: y\r\n\n"), [400], "closed"],
  ["two carriage returns", get("X: y\r\r\n"), [400], "closed"],
  ["a field without a colon", get("Novalue\r\n"), [400], "closed"],
  ["a field without a name", get(": v\r\n"), [400], "closed"],
  ["a space in a name", get("X Y: v\r\n"), [400], "closed"],
  ["a byte above ASCII in a name", get("X\xe4: v\r\n"), [400], "closed"],
  ["a NUL in a value", get("X: a\0b\r\n"), [400], "closed"],
  ["DEL in a value", get("X: a\x7fb\r\n"), [400], "closed"],
  ["a space before the first field", get().replace("1.1\r\n", "1.1\r\n X: y\r\n"), [400], "closed"],
  ["the version HTTP/1.10", get().replace("1.1", "1.10"), [400], "closed"],
  ["the version HTTP/01.1", get().replace("1.1", "01.1"), [400], "closed"],
  ["the version http/1.1", get().replace("HTTP", "http"), [400], "closed"],
  ["the version HTTP/2.0", get().replace("1.1", "2.0"), [400], "closed"],
  ["tabs in the first line", get().replaceAll(" ", "\t"), [400], "closed"],
  ["a space after the version", get().replace("1.1", "1.1 "), [400], "closed"],
  ["no target", get().replace("/files/a.txt", ""), [400], "closed"],
  ["authority form", get().replace("/files/a.txt", "localhost:80"), [400], "closed"],
  ["a target without its slash", get().replace("/files", "files"), [400], "closed"],
  ["a method of 100 KB", "A".repeat(100_000), [400], "closed"],
  ["a target of 1 MB", `GET /${"a".repeat(1_000_000)}`, [431], "closed"],
  ["fields without end", get("X: y\r\n".repeat(100_000)), [431], "closed"],
  ["CONNECT with a path", get().replace("GET", "CONNECT"), [405], "closed"],
  ["CONNECT with a host", get().replace("GET /files/a.txt", "CONNECT localhost:80"), [405], "closed"],
  ["an upgrade to WebSocket", get("Upgrade: websocket\r\nConnection: upgrade\r\n"), [501], "closed"],
  ["an upgrade to HTTP/2", get("Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n"), [501], "closed"],
  ["an upgrade with a body", put("Upgrade: x\r\nConnection: upgrade\r\nContent-Length: 5", "hello"), [501], "closed"],
  ["the first words of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [400], "closed"],
  ["Connection: close", get("Connection: close\r\n"), [200], "closed"],
  ["HTTP/1.0", get().replace("1.1", "1.0"), [200], "closed"],
  ["an upgrade that Connection does not name", get("Upgrade: websocket\r\n"), [200, 200], "kept"],
  ["an upgrade to nothing", get("Connection: upgrade\r\n"), [200, 200], "kept"],
  [
    "a length that Connection names",
    put("Connection: Content-Length\r\nContent-Length: 5", "hello"),
    [204, 200],
    "kept",
  ],
];

async function check(_: string, text: string, statuses: readonly number[], then: Row[3]): Promise<void> {
  site.access.events.length = 0;
  const raw = site.raw();
  raw.send(`${text.replace("AUTH", auth())}GET /files/after HTTP/1.1\r\n${auth()}\r\n`);
  const answers = () => readAnswers(raw.text).answers.filter(({ status }) => status >= 200);
  if (then === "closed") await until(() => raw.isEnded);
  else await until(() => raw.isEnded || answers().some(({ body }) => body === "after"));
  expect(answers().map(({ status }) => status)).toEqual([...statuses]);
  expect(raw.isEnded).toBe(then === "closed");
  raw.end();
  // An honest client is served beside; what followed has been done once, or not at all.
  expect((await site.ask("/files/a.txt")).body.toString()).toBe("alpha");
  const done = site.access.events.filter((event) => event.event === "request" && event.target === "/files/after");
  expect(done).toHaveLength(then === "kept" ? 1 : 0);
  expect(readdirSync(site.folder.path).filter((name) => !["a.txt", "after", "p"].includes(name))).toEqual([]);
}

test.each(LENGTHS)("a length: %s", check);
test.each(CODINGS)("a coding: %s", check);
test.each(CHUNKS)("chunks: %s", check);
test.each(LINES)("a head: %s", check);

test("a chunk of more than 32 bits is waited for, and nothing in it is a request", async () => {
  for (const size of ["100000005", "ffffffffffffffff"]) {
    site.access.events.length = 0;
    const raw = site.raw();
    raw.send(`${chunked(`${size}\r\nhello\r\n${lastChunk}`).replace("AUTH", auth())}${get().replace("AUTH", auth())}`);
    await until(() => site.access.server.memory.used > 0);
    expect((await site.ask("/files/a.txt")).status).toBe(200);
    for (let minute = 0; minute < 3; minute++) await site.access.clock.advance(61_000);
    await until(() => raw.isEnded);
    expect(raw.statuses).toEqual([408]);
  }
});

test("a body that is shorter than told gets nothing stored, and longer ones begin the next request", async () => {
  const short = site.raw();
  short.send(put("Content-Length: 9", "hello").replace("AUTH", auth()).replace("/p ", "/short "));
  await until(() => site.access.server.members.clients.some(({ session }) => session.idleSince === undefined));
  short.end();
  await until(() => site.access.server.memory.used === 0);
  const long = site.raw();
  long.send(put("Content-Length: 5", "hello!\r\n\r\n").replace("AUTH", auth()));
  await until(() => long.isEnded);
  expect(long.statuses).toEqual([204, 400]);
  expect((await site.ask("/files/p")).body.toString()).toBe("hello");
  expect((await site.ask("/files/short")).status).toBe(404);
});

test("requests that come together get their answers one after the other, each with its head before its body", async () => {
  const lines = [
    ["GET /files/a.txt HTTP/1.1"],
    ["PUT /files/p HTTP/1.1", "Content-Length: 0"],
    ["GET /files/a.txt HTTP/1.1", "Range: bytes=0-0,4-4"],
    ["GET /files/?archive=tar HTTP/1.1"],
    ["GET /files/?format=json HTTP/1.1"],
    ["GET /files/a.txt?metalink HTTP/1.1"],
    ["PROPFIND /files/ HTTP/1.1", "Depth: 0"],
    ["GET /files/after HTTP/1.1"],
  ];
  const raw = site.raw();
  raw.send(lines.map((request) => `${request.join("\r\n")}\r\n${auth()}\r\n`).join(""));
  const answers = await until(() => {
    const { answers: whole, rest } = readAnswers(raw.text);
    return whole.length === lines.length && rest === "" && whole;
  });
  raw.end();
  expect(answers.map(({ status }) => status)).toEqual([200, 204, 206, 200, 200, 200, 207, 200]);
  expect(answers.map(({ body }) => body).filter((body) => body.length === 5)).toEqual(["alpha", "after"]);
});

/** What ends a connection, by what it is told. */
const ENDS: readonly (readonly [what: string, text: string, status: number])[] = [
  ["a body that breaks off", chunked("5\r\nhello\r\nzz\r\n").replace("/p ", "/none "), 400],
  ["a head that can't be read", "GET /files/a.txt HTTP/1.1\r\nAUTHBad Field\r\n\r\n", 400],
  ["a head that is too long", `GET /files/a.txt HTTP/1.1\r\nAUTHX: ${"x".repeat(20_000)}\r\n\r\n`, 431],
  ["CONNECT", "CONNECT other:80 HTTP/1.1\r\nHost: other:80\r\n\r\n", 405],
  ["an upgrade", "GET /files/a.txt HTTP/1.1\r\nAUTHConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", 501],
];

test.each(ENDS)("%s is told after the answer before it, never within it or in its place", async (_, text, status) => {
  await using own = await WebSite.start({ writable: true, mayWrite: true });
  for (let count = 0; count < 2_000; count++) writeFileSync(own.folder.join(`file ${count}`), "");
  const fields = `Host: localhost\r\nAuthorization: ${basic(own.writer).authorization}\r\n`;
  const list = `GET /files/?format=json HTTP/1.1\r\n${fields}\r\n`;
  const next = text.replace("AUTH", fields);
  for (const isTogether of [true, false]) {
    const raw = own.raw();
    raw.send(isTogether ? list + next : list);
    if (!isTogether) {
      await until(() => raw.text.includes("file 1"));
      raw.send(next);
    }
    await until(() => raw.isEnded);
    const { answers, rest } = readAnswers(raw.text);
    expect([answers.map((answer) => answer.status), rest]).toEqual([[200, status], ""]);
    expect(JSON.parse(answers[0]?.body ?? "").entries).toHaveLength(2_000);
  }
});
