import { expect, test } from "bun:test";
import http, { type IncomingMessage } from "node:http";
import { type BodyReader, withoutCopies } from "../../../lib/gateway/body-reader.ts";
import { HttpConnection } from "../../../lib/gateway/http-connection.ts";
import { FakeTransport } from "../../support/fake-transport.ts";

const KIB = 1024;
const LENGTH = 300 * KIB;
const HEAD = Buffer.from(`PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: ${LENGTH}\r\n\r\n`);

/** A connection whose parser is node:http's, in the middle of a request's body. */
function begun() {
  const connection = new HttpConnection(new FakeTransport());
  connection.start();
  const server = http.createServer();
  const requests: IncomingMessage[] = [];
  server.on("request", (request: IncomingMessage) => {
    requests.push(request);
    connection.latest = request;
    connection.expectBody(Number(request.headers["content-length"] ?? 0));
  });
  server.emit("connection", connection);
  return { connection, requests };
}

function readerOf(request: IncomingMessage, isFull = false) {
  const taken: Uint8Array[] = [];
  const reader: BodyReader = { request, isFull, take: (piece) => void taken.push(Uint8Array.from(piece)) };
  return { reader, bytes: () => Buffer.concat(taken) };
}

test("the parser counts what it does not copy, and finds the next request after it", async () => {
  const { connection, requests } = begun();
  await new Promise((resolve) => setImmediate(resolve));
  connection.onBytes(Buffer.from(HEAD));
  const [request] = requests as [IncomingMessage];
  const { reader, bytes } = readerOf(request);
  connection.bodyReader = reader;
  const body = crypto.getRandomValues(new Uint8Array(32 * KIB));
  const sent = Buffer.concat(Array.from({ length: LENGTH / body.length }, () => body).concat(body.subarray(0, 0)));
  const rest = Buffer.concat([sent, body.subarray(0, LENGTH - sent.length), HEAD]);
  connection.onBytes(Uint8Array.from(rest));
  const copied = (request.read() as Uint8Array | null) ?? new Uint8Array(0);
  expect(Buffer.compare(Buffer.concat([bytes(), copied]), rest.subarray(0, LENGTH))).toBe(0);
  expect(bytes().length).toBe(LENGTH - HEAD.length);
  expect([request.complete, requests.length]).toEqual([true, 2]);
});

test("a reader of another request gets nothing, nor one whose stream still has what came before", async () => {
  const { connection, requests } = begun();
  await new Promise((resolve) => setImmediate(resolve));
  connection.onBytes(Buffer.from(HEAD));
  const other = readerOf({ readableLength: 0 } as IncomingMessage);
  connection.bodyReader = other.reader;
  connection.onBytes(new Uint8Array(KIB));
  const [request] = requests as [IncomingMessage];
  expect(request.readableLength).toBe(KIB);
  const late = readerOf(request);
  connection.bodyReader = late.reader;
  connection.onBytes(new Uint8Array(KIB));
  expect([other.bytes().length, late.bytes().length, request.readableLength]).toEqual([0, 0, 2 * KIB]);
});

test("a reader that is full stops its peer", async () => {
  const transport = new FakeTransport();
  const connection = new HttpConnection(transport);
  connection.start();
  const { reader } = readerOf({ readableLength: 0 } as IncomingMessage, true);
  connection.on("data", () => {});
  await new Promise((resolve) => setImmediate(resolve));
  connection.bodyReader = reader;
  connection.onBytes(new Uint8Array(KIB));
  expect(transport.paused).toBe(true);
  connection.bodyReader = undefined;
  connection.proceed();
  expect(transport.paused).toBe(false);
});

test("without the parser that it knows, nothing is called", () => {
  const called: string[] = [];
  for (const socket of [{}, { parser: null }, { parser: {} }]) {
    expect(withoutCopies(socket, () => called.push("feed"))).toBe(false);
  }
  expect(called).toEqual([]);
});
