import { expect, test } from "bun:test";
import http, { type IncomingMessage } from "node:http";
import { HttpConnection, MAX_PIPELINED } from "../../../lib/gateway/http-connection.ts";
import { FakeTransport } from "../../support/fake-transport.ts";
import { until } from "../../support/until.ts";

const KIB = 1024;

function open() {
  const transport = new FakeTransport();
  const connection = new HttpConnection(transport);
  connection.start();
  return { transport, connection };
}

/** The lengths of the pieces that a reader gets, once it reads. `onPiece` is called with each. */
async function pieces(connection: HttpConnection, onPiece: (index: number) => void = () => {}): Promise<number[]> {
  const lengths: number[] = [];
  connection.on("data", (piece: Uint8Array) => onPiece(lengths.push(piece.length) - 1));
  await new Promise((resolve) => setImmediate(resolve));
  return lengths;
}

test("the head of an answer leaves together with a small body", async () => {
  const { transport, connection } = open();
  connection.holdHead();
  connection.write("head ");
  expect(transport.writes).toHaveLength(0);
  await connection.send(Buffer.from("body"));
  expect(transport.writes.map((bytes) => Buffer.from(bytes).toString())).toEqual(["head body"]);
  expect(connection.bytesOut).toBe(9);
});

test("a body that node:http writes leaves with its head as well", () => {
  const { transport, connection } = open();
  connection.holdHead();
  connection.write("head ");
  connection.write("body");
  connection.write("next");
  expect(transport.writes.map((bytes) => Buffer.from(bytes).toString())).toEqual(["head body", "next"]);
});

test("a large body is not copied to be joined with its head", async () => {
  const { transport, connection } = open();
  connection.holdHead();
  connection.write("head");
  const body = new Uint8Array(64 * KIB + 1);
  await connection.send(body);
  expect(transport.writes.map(({ length }) => length)).toEqual([4, body.length]);
  expect(transport.buffers[1]).toBe(body.buffer);
});

test("the head of an answer without a body leaves on request, once", async () => {
  const { transport, connection } = open();
  connection.holdHead();
  connection.write("head");
  await connection.sendHead();
  await connection.sendHead();
  connection.write("next");
  expect(transport.writes.map((bytes) => Buffer.from(bytes).toString())).toEqual(["head", "next"]);
});

test("requests come to the parser in small pieces", async () => {
  const { connection } = open();
  const lengths = await pieces(connection);
  connection.onBytes(new Uint8Array(40 * KIB));
  expect(lengths).toEqual([16 * KIB, 16 * KIB, 8 * KIB]);
});

test("the middle of a body comes to it in one piece, its end in small ones again", async () => {
  const { connection } = open();
  const lengths = await pieces(connection, (index) => {
    if (index === 0) connection.expectBody(100 * KIB);
  });
  connection.onBytes(new Uint8Array(64 * KIB));
  connection.onBytes(new Uint8Array(64 * KIB));
  expect(lengths).toEqual([16 * KIB, 48 * KIB, 36 * KIB, 16 * KIB, 12 * KIB]);
});

test("requests beyond those that may wait stay with the peer until others are answered", async () => {
  const { transport, connection } = open();
  const head = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const answers: (() => void)[] = [];
  const begin = () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    answers.push(resolve);
    void connection.inTurn(() => promise);
  };
  let isRead = 0;
  connection.on("data", (piece: Uint8Array) => {
    isRead += piece.length;
    for (let heads = piece.length / head.length; heads > 0; heads--) begin();
  });
  await new Promise((resolve) => setImmediate(resolve));
  connection.onBytes(Buffer.from(head.repeat(40)));
  expect(isRead).toBe(MAX_PIPELINED * head.length);
  expect(transport.paused).toBe(true);
  for (let answered = 0; answered < 40; answered++) {
    expect(connection.requests).toBeLessThanOrEqual(MAX_PIPELINED);
    answers[answered]?.();
    await until(() => answers.length >= Math.min(40, answered + 1 + MAX_PIPELINED));
  }
  expect(isRead).toBe(40 * head.length);
  expect(transport.paused).toBe(false);
});

test("what comes before the parser reads has no more requests than may wait", async () => {
  const { connection } = open();
  const answers: (() => void)[] = [];
  const server = http.createServer();
  server.on("request", (request: IncomingMessage) => {
    connection.latest = request;
    const { promise, resolve } = Promise.withResolvers<void>();
    answers.push(resolve);
    void connection.inTurn(() => promise);
  });
  server.emit("connection", connection);
  const head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  connection.onBytes(Buffer.from(head.repeat(5_000)));
  connection.onBytes(Buffer.from(head.repeat(1_000)));
  await until(() => answers.length > 0);
  for (let answered = 0; answered < 6_000; answered++) {
    await until(() => answers.length > answered);
    if (connection.requests > MAX_PIPELINED) break;
    answers[answered]?.();
  }
  expect(connection.requests).toBeLessThanOrEqual(MAX_PIPELINED);
  expect(answers).toHaveLength(6_000);
  server.close();
});

test("a piece that has no whole request does not stop those behind it", async () => {
  const { transport, connection } = open();
  connection.onBytes(new Uint8Array(100 * KIB));
  expect(transport.paused).toBe(true);
  const lengths = await pieces(connection);
  await until(() => lengths.reduce((sum, length) => sum + length, 0) === 100 * KIB);
  await until(() => !transport.paused);
  connection.pause();
  connection.onBytes(new Uint8Array(40 * KIB));
  await new Promise((resolve) => setImmediate(resolve));
  expect(connection.readableLength).toBe(16 * KIB);
  expect(transport.paused).toBe(true);
  connection.resume();
  await until(() => lengths.reduce((sum, length) => sum + length, 0) === 140 * KIB);
  await until(() => !transport.paused);
});

test("the middle of a long body comes to it in pieces that the cache has room for", async () => {
  const { connection } = open();
  const lengths = await pieces(connection, (index) => {
    if (index === 0) connection.expectBody(1024 * KIB);
  });
  connection.onBytes(new Uint8Array(300 * KIB));
  expect(lengths).toEqual([16 * KIB, 128 * KIB, 128 * KIB, 28 * KIB]);
});

test("the memory of what has arrived is free when a reader has taken all of it, and not before", async () => {
  const { connection } = open();
  const [unread, read] = [new Uint8Array(64 * KIB), new Uint8Array(64 * KIB)];
  connection.onBytes(unread);
  expect(unread.length).toBe(64 * KIB);
  await pieces(connection, () => connection.expectBody(1024 * KIB));
  connection.onBytes(read);
  expect(read.length).toBe(0);
});

test("reports that it is closed, whoever has ended it", async () => {
  for (const end of [
    (connection: HttpConnection) => connection.destroy(),
    (connection: HttpConnection) => connection.onClosed(undefined),
  ]) {
    const { connection } = open();
    const closed = Promise.withResolvers<void>();
    connection.once("close", () => closed.resolve());
    end(connection);
    await closed.promise;
    expect(connection.destroyed).toBe(true);
  }
});
