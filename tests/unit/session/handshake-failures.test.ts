import { describe, expect, test } from "bun:test";
import { ERRORS, type ErrorCode } from "../../../lib/errors.ts";
import { pattern } from "../../support/bytes.ts";
import { settle } from "../../support/fake-clock.ts";
import { frame, HELLO } from "../../support/frames.ts";
import { connecting, TIMEOUT_MS, WELCOME } from "../../support/handshake.ts";
import { codeOf } from "../../support/outcomes.ts";

type Connecting = ReturnType<typeof connecting>;

/** The attempt is over: nothing waits, the pipe is closed, no session was made. */
function expectOver({ peer, clock, ends }: Connecting) {
  expect({ ended: peer.ended, timers: clock.pending, ends }).toEqual({ ended: true, timers: 0, ends: [] });
}

describe("connectSession() that is refused", () => {
  test.each([
    [12, "SERVER_FULL"],
    [2, "UNSUPPORTED_VERSION"],
    [10, "HANDSHAKE_TIMEOUT"],
    [9_999, "UNAVAILABLE"],
    [0, "UNAVAILABLE"],
  ] as const)("with number %i fails with %s and the server's message", async (code, name) => {
    const attempt = connecting();
    await attempt.peer.send(frame("REFUSE", { code, message: "no", versions: { min: 2, max: 3 } }));
    expect(attempt.outcome.error).toMatchObject({ name: "RemoteError", code: name, message: "no" });
    expectOver(attempt);
  });

  test("and closed behind it still fails with the refusal", async () => {
    const attempt = connecting();
    const sent = attempt.peer.send(frame("REFUSE", { code: 12, message: "full" }));
    await Promise.all([sent, attempt.peer.close()]);
    expect(codeOf(attempt.outcome)).toBe("SERVER_FULL");
  });
});

describe("connectSession() with a peer that breaks the protocol", () => {
  const faults: [string, ErrorCode, Buffer][] = [
    ["another protocol", "BAD_MAGIC", Buffer.from("HTTP/1.1 400 Bad Request\r\n")],
    ["a version that was not offered", "UNSUPPORTED_VERSION", frame("WELCOME", { ...WELCOME, version: 2 })],
    ["a WELCOME of another shape", "BAD_PAYLOAD", frame("WELCOME", { version: 1 })],
    ["a REFUSE of another shape", "BAD_PAYLOAD", frame("REFUSE", { code: "12" })],
    ["a QUEUED that was not asked for", "UNEXPECTED_FRAME", frame("QUEUED", { position: 1 })],
    ["HELLO", "UNEXPECTED_FRAME", frame("HELLO", HELLO)],
    ["PING", "UNEXPECTED_FRAME", frame("PING", pattern(8))],
    ["PONG", "UNEXPECTED_FRAME", frame("PONG", pattern(8))],
    ["OPEN", "UNEXPECTED_FRAME", frame("OPEN", { method: "m" }, 2)],
    ["DATA", "UNEXPECTED_FRAME", frame("DATA", pattern(1), 2)],
    ["GOAWAY", "UNEXPECTED_FRAME", frame("GOAWAY", { code: 13, message: "stopping" })],
    ["RESET", "UNEXPECTED_FRAME", frame("RESET", { code: 0, message: "" }, 1)],
    ["a WELCOME above the limit", "FRAME_TOO_LARGE", frame("WELCOME", pattern(4_097))],
    ["any control frame above the limit", "FRAME_TOO_LARGE", frame("OPEN", pattern(4_097), 2)],
  ];
  test.each(faults)("%s before WELCOME fails with %s", async (_what, code, bytes) => {
    const attempt = connecting();
    await attempt.peer.send(bytes);
    expect(attempt.outcome.error).toMatchObject({ name: "ProtocolError", code });
    expect(attempt.peer.names).toEqual(["HELLO"]); // there is no word for it before WELCOME
    expectOver(attempt);
  });

  test("a QUEUED at place 0 fails with BAD_PAYLOAD", async () => {
    const attempt = connecting({ wait: true });
    await attempt.peer.send(frame("QUEUED", { position: 0 }));
    expect(attempt.outcome.error).toMatchObject({ name: "ProtocolError", code: "BAD_PAYLOAD" });
    expectOver(attempt);
  });

  test("what follows the fault makes no session", async () => {
    const attempt = connecting();
    await attempt.peer.send(frame("HELLO", HELLO), frame("WELCOME", WELCOME));
    expect(codeOf(attempt.outcome)).toBe("UNEXPECTED_FRAME");
    expectOver(attempt);
  });

  test("gets the code in a last GOAWAY once it has queued the client", async () => {
    const { peer } = connecting({ wait: true });
    await peer.send(frame("QUEUED", { position: 1 }), frame("OPEN", { method: "m" }, 2));
    expect(peer.last("GOAWAY")?.json.code).toBe(ERRORS.UNEXPECTED_FRAME.wire);
  });
});

describe("connectSession() with a server that", () => {
  test("does not answer fails with HANDSHAKE_TIMEOUT after the time limit", async () => {
    const attempt = connecting();
    await attempt.clock.advance(TIMEOUT_MS - 1);
    expect(attempt.outcome.state).toBe("pending");
    await attempt.clock.advance(1);
    expect(attempt.outcome.error).toMatchObject({ name: "TransportError", code: "HANDSHAKE_TIMEOUT" });
    expectOver(attempt);
  });

  test("sends half an answer fails with HANDSHAKE_TIMEOUT too", async () => {
    const attempt = connecting();
    await attempt.peer.send(frame("WELCOME", WELCOME).subarray(0, 50));
    await attempt.clock.advance(TIMEOUT_MS);
    expect(codeOf(attempt.outcome)).toBe("HANDSHAKE_TIMEOUT");
    expectOver(attempt);
  });

  test("closes without an answer fails with LOST", async () => {
    const attempt = connecting();
    await settle();
    await attempt.peer.close();
    expect(attempt.outcome.error).toMatchObject({ name: "TransportError", code: "LOST" });
    expectOver(attempt);
  });
});

describe("connectSession() with an abort signal", () => {
  test("fails with INTERRUPTED when it is aborted meanwhile", async () => {
    const controller = new AbortController();
    const attempt = connecting({ signal: controller.signal });
    await settle();
    controller.abort();
    await settle();
    expect(codeOf(attempt.outcome)).toBe("INTERRUPTED");
    expectOver(attempt);
  });

  test("fails with INTERRUPTED when it was aborted before", async () => {
    const attempt = connecting({ signal: AbortSignal.abort() });
    await settle();
    expect(codeOf(attempt.outcome)).toBe("INTERRUPTED");
    expectOver(attempt);
  });

  test("keeps the session when it is aborted after the welcome", async () => {
    const controller = new AbortController();
    const { peer, ends, result } = connecting({ signal: controller.signal });
    await peer.send(frame("WELCOME", WELCOME));
    const { session } = await result;
    controller.abort();
    await settle();
    expect([ends, peer.ended]).toEqual([[], false]);
    session.terminate("OK", "exit");
  });

  test("leaves no listener on the signal, however it ends", async () => {
    for (const answer of [frame("WELCOME", WELCOME), frame("REFUSE", { code: 12, message: "full" })]) {
      const { signal } = new AbortController();
      const listeners = new Set<unknown>();
      const { addEventListener, removeEventListener } = signal;
      signal.addEventListener = (type: string, listener: EventListener) => {
        listeners.add(listener);
        addEventListener.call(signal, type, listener);
      };
      signal.removeEventListener = (type: string, listener: EventListener) => {
        listeners.delete(listener);
        removeEventListener.call(signal, type, listener);
      };
      const { peer, outcome } = connecting({ signal });
      expect(listeners.size).toBe(1);
      await peer.send(answer);
      expect([outcome.state === "pending", listeners.size]).toEqual([false, 0]);
    }
  });
});
