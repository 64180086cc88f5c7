import { expect, test } from "bun:test";
import { EventEmitter } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { HttpCall } from "../../../lib/gateway/http-call.ts";
import { HttpConnection } from "../../../lib/gateway/http-connection.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { FakeTransport } from "../../support/fake-transport.ts";

test("a call waits for its peer while more of its body must come, or its answer is not taken", async () => {
  const transport = new FakeTransport();
  const connection = new HttpConnection(transport);
  connection.start();
  const [request, response] = [{} as IncomingMessage, {} as ServerResponse];
  const call = new HttpCall({ request, response, connection, clock: new FakeClock() });
  expect(call.isWaiting).toBe(false);
  call.isAwaitingBody = true;
  expect(call.isWaiting).toBe(true);
  call.isAwaitingBody = false;
  transport.blocked = true;
  const sending = connection.send(new Uint8Array(8));
  expect(call.isWaiting).toBe(true);
  transport.handler?.onDrain();
  await sending;
  expect(call.isWaiting).toBe(false);
  expect(call.bytesOut).toBe(8);
});

test.each([
  ["sent", "finish"],
  ["inTurn", "socket"],
] as const)("a connection keeps nothing of an answer that was waited for: %s()", async (wait, event) => {
  const connection = new HttpConnection(new FakeTransport());
  connection.start();
  const response = Object.assign(new EventEmitter(), { writableFinished: false, socket: null });
  const call = new HttpCall({
    request: {} as IncomingMessage,
    response: response as unknown as ServerResponse,
    connection,
    clock: new FakeClock(),
  });
  const before = connection.listenerCount("close");
  const waiting = call[wait]();
  expect(connection.listenerCount("close")).toBe(before + 1);
  response.emit(event);
  await waiting;
  expect(connection.listenerCount("close")).toBe(before);
});

test("the signal of a call that had ended before is aborted", () => {
  const connection = new HttpConnection(new FakeTransport());
  connection.start();
  const [request, response] = [{} as IncomingMessage, {} as ServerResponse];
  const call = new HttpCall({ request, response, connection, clock: new FakeClock() });
  expect(call.isClosed).toBe(false);
  call.finish();
  expect([call.isClosed, call.signal.aborted]).toEqual([true, true]);
});
