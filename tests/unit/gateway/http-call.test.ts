import { expect, test } from "bun:test";
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
