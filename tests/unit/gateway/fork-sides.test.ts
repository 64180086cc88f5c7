import { describe, expect, test } from "bun:test";
import { fork, type NegotiatedTransport } from "../../../lib/gateway/fork.ts";
import type { Transport, TransportHandler } from "../../../lib/session/transport.ts";
import { FakeTransport } from "../../support/fake-transport.ts";

const REQUEST = Buffer.from("GET / HTTP/1.1\r\n\r\n");

/** What one side hears. */
class Heard implements TransportHandler {
  text = "";
  drains = 0;
  readonly ends: (string | undefined)[] = [];
  hasPeerEnded = false;

  onBytes(bytes: Uint8Array): void {
    this.text += Buffer.from(bytes).toString("latin1");
  }

  onDrain(): void {
    this.drains++;
  }

  onPeerEnd(): void {
    this.hasPeerEnded = true;
  }

  onClosed(error: Error | undefined): void {
    this.ends.push(error?.message);
  }
}

/** A connection that agreed on `protocol`, and what both sides hear of it. */
function forked(protocol?: string) {
  const transport: FakeTransport & NegotiatedTransport = Object.assign(new FakeTransport(), {
    applicationProtocol: protocol,
  });
  const [sessions, http] = [new Heard(), new Heard()];
  const sides: { session?: Transport; http?: Transport } = {};
  fork(transport, {
    toSessions: (side) => {
      sides.session = side;
      side.start(sessions);
    },
    toHttp: (side) => {
      sides.http = side;
      side.start(http);
    },
  });
  const { handler } = transport;
  if (handler === undefined) throw new Error("Nobody listens.");
  return { transport, handler, sessions, http, sides };
}

describe("a connection belongs to", () => {
  test.each([
    [undefined, "GET /", "http"],
    [undefined, "options *", "http"],
    [undefined, "\u0001\u0002", "sessions"],
    [undefined, "@[`{", "sessions"],
    // With TLS, what was agreed on counts alone.
    ["commserver/1", "GET /", "sessions"],
    ["http/1.1", "\u0001", "http"],
    ["", "\u0001", "http"],
  ])("one side alone: %p with %p to %s", (protocol, text, side) => {
    const { handler, sessions, http } = forked(protocol);
    handler.onBytes(Buffer.from(text));
    expect({ sessions: sessions.text, http: http.text }).toEqual({ sessions: "", http: "", [side]: text });
    // What follows does not change it.
    handler.onBytes(Buffer.from("\u0001G"));
    expect({ sessions: sessions.text, http: http.text }).toEqual({ sessions: "", http: "", [side]: `${text}\u0001G` });
    expect(sessions.ends).toEqual(side === "http" ? [undefined] : []);
  });

  test("HTTP, whatever the other side then does with it", () => {
    const { transport, handler, sides, http } = forked();
    handler.onBytes(REQUEST);
    sides.http?.pause();
    const { session } = sides;
    expect(session?.write(Buffer.from("REFUSE"))).toBe(true);
    session?.resume();
    session?.close();
    session?.abort();
    expect(transport).toMatchObject({ writes: [], paused: true, closed: false, aborted: false });
    sides.http?.resume();
    session?.pause();
    expect(transport.paused).toBe(false);
    sides.http?.write(Buffer.from("200"));
    handler.onDrain();
    handler.onPeerEnd?.();
    sides.http?.close(5);
    handler.onClosed(undefined);
    expect(`${transport.bytes}`).toBe("200");
    expect(transport).toMatchObject({ closed: true, lingerMs: 5 });
    expect(http).toMatchObject({ drains: 1, hasPeerEnded: true, ends: [undefined] });
  });

  test("the sessions when that was agreed on, and they hear of its end", () => {
    const { transport, handler, sides, sessions, http } = forked("commserver/1");
    sides.session?.write(Buffer.from("REFUSE"));
    sides.session?.abort();
    handler.onDrain();
    handler.onPeerEnd?.();
    handler.onClosed(new Error("reset"));
    expect(`${transport.bytes}`).toBe("REFUSE");
    expect(transport.aborted).toBe(true);
    expect(sessions).toMatchObject({ drains: 1, hasPeerEnded: true, ends: ["reset"] });
    expect([sides.http, http.ends]).toEqual([undefined, []]);
  });
});
