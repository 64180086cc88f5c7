/** Requests that nobody sends by mistake: each has its answer, and costs nobody else anything. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { WrappedTransport } from "../../lib/session/wrapped-transport.ts";
import { memoryPair } from "../../lib/transport/memory-transport.ts";
import { until } from "../support/until.ts";
import { basic, WebSite } from "../support/web-site.ts";

let site: WebSite;

beforeAll(async () => {
  site = await WebSite.start();
  writeFileSync(site.folder.join("a.txt"), "alpha");
});

afterAll(() => site[Symbol.asyncDispose]());

const GET = "GET /files/a.txt HTTP/1.1\r\nHost: localhost\r\n";
const auth = () => `Authorization: ${basic(site.token).authorization}\r\n`;

/** Tells when the other end has taken less than was sent. */
class WatchedOutput extends WrappedTransport {
  isFull = false;

  override write(bytes: Uint8Array): boolean {
    const isTaken = super.write(bytes);
    this.isFull ||= !isTaken;
    return isTaken;
  }
}

/** Send it as it is, and give the statuses when the answers have come, and whether the connection has ended. */
async function statusesOf(text: string, count = 1): Promise<{ statuses: number[]; isEnded: boolean }> {
  const raw = site.raw();
  raw.send(text);
  await until(() => raw.isEnded || raw.statuses.length >= count);
  // What ends the connection says so in the answer.
  if (/^connection: close/im.test(raw.text)) await until(() => raw.isEnded);
  const { statuses, isEnded } = raw;
  raw.end();
  return { statuses, isEnded };
}

describe("a request that is not one", () => {
  const rows: [what: string, text: string | (() => string), status: number][] = [
    ["both lengths", `${GET}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
    ["two lengths", `${GET}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`, 400],
    ["a length below zero", `${GET}Content-Length: -5\r\n\r\n`, 400],
    ["a length with a sign", `${GET}Content-Length: +5\r\n\r\nhello`, 400],
    ["a space before the colon", `${GET}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`, 400],
    ["an unknown coding", `${GET}Transfer-Encoding: identity\r\n\r\nabc`, 400],
    ["a folded line", `${GET}X: a\r\n b\r\n\r\n`, 400],
    ["bare line feeds", "GET /files/a.txt HTTP/1.1\nHost: localhost\n\n", 400],
    ["a NUL in the target", "GET /a\0b HTTP/1.1\r\nHost: localhost\r\n\r\n", 400],
    ["a control character in a field", `${GET}X: a\x01b\r\n\r\n`, 400],
    ["a space in the target", "GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n", 400],
    ["bytes above ASCII in the target", "GET /\xc3\xa4 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400],
    ["an unknown method", "FOO /files/a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n", 400],
    ["a method in small letters", "get /files/a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n", 400],
    ["HTTP/2 without saying so before", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400],
    ["a version that is none", "GET /files/a.txt HTTP/1.2\r\nHost: localhost\r\n\r\n", 400],
    ["HTTP/0.9", "GET /files/a.txt\r\n\r\n", 400],
    ["no Host", () => `GET /files/a.txt HTTP/1.1\r\n${auth()}\r\n`, 400],
    ["two Hosts", () => `${GET}Host: other\r\n${auth()}\r\n`, 400],
    ["a Host that is none", () => `GET /files/a.txt HTTP/1.1\r\nHost: a/b\r\n${auth()}\r\n`, 400],
    ["a user in Host", () => `GET /files/a.txt HTTP/1.1\r\nHost: a@b\r\n${auth()}\r\n`, 400],
    ["a head of 20 KB", () => `${GET}X: ${"a".repeat(20_000)}\r\n\r\n`, 431],
    ["1500 fields", () => `${GET}${Array.from({ length: 1500 }, (_, at) => `a${at}: 1`).join("\r\n")}\r\n\r\n`, 431],
    ["a target of 20 KB", () => `GET /${"a".repeat(20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`, 431],
    ["CONNECT", "CONNECT evil:80 HTTP/1.1\r\nHost: evil:80\r\n\r\n", 405],
    ["TRACE", `TRACE /files/a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n`, 405],
    ["an upgrade", `${GET}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`, 501],
    [
      "an upgrade to HTTP/2",
      `${GET}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n`,
      501,
    ],
    ["a body with GET", () => `${GET}${auth()}Content-Length: 5\r\n\r\nhello`, 400],
    ["a chunked body with GET", () => `${GET}${auth()}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`, 400],
    ["a path that leads out", () => `GET /files/../a HTTP/1.1\r\nHost: localhost\r\n${auth()}\r\n`, 400],
    ["a path that leads out, encoded", () => `GET /files/%2e%2e/a HTTP/1.1\r\nHost: localhost\r\n${auth()}\r\n`, 400],
    ["an encoded slash", () => `GET /files/..%2fa HTTP/1.1\r\nHost: localhost\r\n${auth()}\r\n`, 400],
    ["an encoded NUL", () => `GET /files/a%00 HTTP/1.1\r\nHost: localhost\r\n${auth()}\r\n`, 400],
    ["10,000 ranges", () => `${GET}${auth()}Range: bytes=${Array(3_000).fill("0-0").join(",")}\r\n\r\n`, 416],
    ["a giant range", () => `${GET}${auth()}Range: bytes=99999999999999999999-\r\n\r\n`, 416],
    ["a date that is none", () => `${GET}${auth()}If-Modified-Since: yesterday\r\n\r\n`, 200],
    ["a list of tags that is none", () => `${GET}${auth()}If-None-Match: "a\r\n\r\n`, 200],
    [
      "another's absolute form",
      () => `GET http://evil.example/files/a.txt HTTP/1.1\r\nHost: evil.example\r\n${auth()}\r\n`,
      200,
    ],
  ];
  test.each(rows)("%s", async (_, text, status) => {
    const { statuses } = await statusesOf(typeof text === "string" ? text : text());
    expect(statuses).toEqual([status]);
    expect((await site.ask("/files/a.txt")).body.toString()).toBe("alpha");
  });

  test("with a body that nobody takes ends the connection, so that the body is no request", async () => {
    const { statuses, isEnded } = await statusesOf(
      `PUT /files/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90\r\n\r\n${GET}\r\n`,
    );
    expect(statuses).toEqual([405]);
    expect(isEnded).toBe(true);
  });

  test("with a body that waits for a word is refused before it", async () => {
    const { statuses } = await statusesOf(
      "PUT /files/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n",
    );
    expect(statuses).toEqual([405]);
  });
});

describe("requests ahead of their answers", () => {
  test("are answered in their order", async () => {
    const raw = site.raw();
    raw.send(
      ["a.txt", "none", "a.txt"]
        .map((name) => `GET /files/${name} HTTP/1.1\r\nHost: localhost\r\n${auth()}\r\n`)
        .join(""),
    );
    await until(() => raw.statuses.length === 3);
    expect(raw.statuses).toEqual([200, 404, 200]);
    raw.end();
  });

  test("stay with the peer when they are many, and all are answered in their order", async () => {
    const raw = site.raw();
    const names = Array.from({ length: 1_000 }, (_, index) => (index % 3 === 0 ? "none" : "a.txt"));
    raw.send(names.map((name) => `HEAD /files/${name} HTTP/1.1\r\nHost: localhost\r\n${auth()}\r\n`).join(""));
    await until(() => raw.statuses.length === 1_000 || raw.isEnded);
    expect(raw.statuses).toEqual(names.map((name) => (name === "none" ? 404 : 200)));
    raw.end();
  });

  test("may be followed by the end of what their peer sends", async () => {
    const socket = connect({ port: site.port, host: "127.0.0.1", allowHalfOpen: true });
    socket.setEncoding("latin1");
    let text = "";
    socket.on("data", (piece: string) => {
      text += piece;
    });
    socket.end(`${GET}${auth()}\r\n`.repeat(100));
    await until(() => text.split("HTTP/1.1 200 ").length === 101);
    socket.destroy();
  });
});

describe("a connection", () => {
  test("that does not end its head is cut off", async () => {
    await using own = await WebSite.start();
    const raw = own.raw();
    raw.send("GET / HTTP/1.1\r\nHost");
    await until(() => own.access.clock.pending > 0);
    for (let second = 0; second < 11 && !raw.isEnded; second++) {
      raw.send(":");
      await own.access.clock.advance(1_000);
      await Bun.sleep(1);
    }
    await until(() => raw.isEnded);
    expect(raw.statuses).toEqual([]);
  });

  test("without a request is cut off after a minute, and not before", async () => {
    await using own = await WebSite.start();
    const raw = own.raw();
    raw.send(`OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await until(() => raw.statuses.length === 1);
    await own.access.clock.advance(55_000);
    raw.send(`OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await until(() => raw.statuses.length === 2);
    await own.access.clock.advance(59_000);
    expect(raw.isEnded).toBe(false);
    await own.access.clock.advance(2_000);
    await until(() => raw.isEnded);
  });

  test("at rest makes room for one that comes", async () => {
    await using own = await WebSite.start({ maxIdle: 3 });
    const all = Array.from({ length: 3 }, () => own.raw());
    for (const raw of all) {
      raw.send("OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n");
      await until(() => raw.statuses.length === 1);
    }
    expect((await own.ask("/files/")).status).toBe(200);
    await until(() => all[0]?.isEnded);
    expect(all.map(({ isEnded }) => isEnded)).toEqual([true, false, false]);
    for (const raw of all) raw.end();
  });

  test("whose peer asks and takes no answer is cut off, however short the answers are", async () => {
    await using own = await WebSite.start();
    const [ours, theirs] = memoryPair({ a: "server", b: "192.0.2.1" }, 1_000);
    const watched = new WatchedOutput(ours);
    own.gateway.accept(watched);
    let isClosed = false;
    const onClosed = () => {
      isClosed = true;
    };
    theirs.start({ onBytes() {}, onDrain() {}, onClosed });
    theirs.pause();
    theirs.write(Buffer.from(`${GET}\r\n`.repeat(100)));
    await until(() => watched.isFull);
    await own.access.clock.advance(119_000);
    expect(isClosed).toBe(false);
    await own.access.clock.advance(2_000);
    await until(() => isClosed);
  });

  test("whose peer takes nothing is cut off, and its seat is free", async () => {
    await using own = await WebSite.start();
    writeFileSync(own.folder.join("large"), Buffer.alloc(64 * 1024 * 1024));
    const raw = own.raw();
    raw.pause();
    raw.send(
      `GET /files/large HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${basic(own.token).authorization}\r\n\r\n`,
    );
    await until(() => own.access.server.members.clients.some(({ bytesOut }) => bytesOut > 1_000_000));
    await own.access.clock.advance(121_000);
    raw.resume();
    await until(() => raw.isEnded);
    await until(() => own.access.server.members.clients[0]?.session.idleSince !== undefined);
    await own.access.clock.advance(6_000);
    expect(own.access.server.seats.taken).toBe(0);
  });
});

describe("a connection with TLS", () => {
  /** Send bytes after a handshake that names `protocols`, and give what comes back. */
  function answerTo(protocols: string[], bytes: Uint8Array): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const socket = connectTls({
      host: "127.0.0.1",
      port: site.securePort,
      rejectUnauthorized: false,
      ...(protocols.length > 0 && { ALPNProtocols: protocols }),
    });
    let answer = "";
    socket.on("secureConnect", () => socket.write(bytes));
    socket.on("data", (piece) => {
      answer += piece.toString("latin1");
    });
    socket.on("close", () => resolve(answer));
    socket.on("error", reject);
    return promise;
  }

  const request = () =>
    Buffer.from(`GET /files/a.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${auth()}\r\n`);
  const frame = Buffer.from([0xc5, 1, ...Array(14).fill(0)]);

  test.each([[[]], [["http/1.1"]], [["h2", "http/1.1"]]])("speaks HTTP when it names %p", async (protocols) => {
    expect(await answerTo(protocols, request())).toEndWith("\r\n\r\nalpha");
  });

  test("speaks what it has named, and nothing else", async () => {
    expect(await answerTo(["commserver/1"], request())).toContain("A frame does not start with 0xc5");
    expect(await answerTo(["http/1.1"], frame)).toStartWith("HTTP/1.1 400 ");
    await expect(answerTo(["h2"], request())).rejects.toThrow();
  });
});

test("at a port without encryption the first byte tells what is spoken", async () => {
  const answerTo = async (text: string) => {
    const raw = site.raw();
    raw.send(text);
    await until(() => raw.isEnded);
    return raw.text;
  };
  expect(await answerTo("GET / HTTP/1.0\r\n\r\n")).toStartWith("HTTP/1.1 401 ");
  expect((await answerTo("\x16\x03\x01"))[0]).toBe("\xc5");
  expect((await answerTo("\x00"))[0]).toBe("\xc5");
});
