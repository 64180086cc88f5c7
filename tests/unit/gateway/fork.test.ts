import { expect, test } from "bun:test";
import { fork } from "../../../lib/gateway/fork.ts";
import type { Transport, TransportHandler } from "../../../lib/session/transport.ts";
import { FakeTransport } from "../../support/fake-transport.ts";

const handler: TransportHandler = { onBytes() {}, onDrain() {}, onClosed() {} };
const REFUSAL = Buffer.from("a frame");

/** A connection whose handshake takes too long: `first` has come of it. */
function refuse(applicationProtocol: string | undefined, first: string): { transport: FakeTransport; isHttp: boolean } {
  const transport = new (class extends FakeTransport {
    readonly applicationProtocol = applicationProtocol;
  })();
  let sessions: Transport | undefined;
  let isHttp = false;
  fork(transport, {
    toSessions: (taken) => {
      sessions = taken;
      taken.start(handler);
    },
    toHttp: () => {
      isHttp = true;
    },
  });
  if (first !== "") transport.handler?.onBytes(Buffer.from(first, "latin1"));
  sessions?.write(REFUSAL);
  sessions?.close();
  return { transport, isHttp };
}

test.each([
  ["without TLS", undefined],
  ["whose TLS handshake has agreed on HTTP", "http/1.1"],
  ["whose TLS handshake has agreed on nothing", ""],
])("a silent connection %s may be HTTP's: it is closed without a byte", (_, protocol) => {
  const { transport } = refuse(protocol, "");
  expect(transport.writes).toEqual([]);
  expect(transport.closed).toBe(true);
});

test("a silent connection that has agreed on CommServer's protocol is told why it is closed", () => {
  expect(refuse("commserver/1", "").transport.bytes).toEqual(REFUSAL);
});

test("so is one without TLS that has begun to speak it", () => {
  expect(refuse(undefined, "\xc5").transport.bytes).toEqual(REFUSAL);
});

test("for what speaks HTTP, the other side's words count no more", () => {
  const { transport, isHttp } = refuse(undefined, "G");
  expect(isHttp).toBe(true);
  expect(transport.writes).toEqual([]);
  expect(transport.closed).toBe(false);
});
