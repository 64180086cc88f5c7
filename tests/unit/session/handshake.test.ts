import { describe, expect, test } from "bun:test";
import { decodeJson } from "../../../lib/protocol/json.ts";
import { Hello } from "../../../lib/protocol/messages.ts";
import type { Stream } from "../../../lib/session/stream.ts";
import { pattern } from "../../support/bytes.ts";
import { settle } from "../../support/fake-clock.ts";
import { frame } from "../../support/frames.ts";
import { connecting, HEARTBEAT_MS, TIMEOUT_MS, WELCOME } from "../../support/handshake.ts";
import { codeOf, watch } from "../../support/outcomes.ts";

describe("connectSession()", () => {
  test("sends HELLO with what it speaks and grants, and nothing else", async () => {
    const { peer } = connecting({ wait: true });
    await settle();
    expect(peer.frames).toMatchObject([
      {
        name: "HELLO",
        stream: 0,
        flags: 0,
        json: { versions: { min: 1, max: 1 }, agent: "test-client/1.0", wait: true, credit: 2_000, maxStreams: 8 },
      },
    ]);
    expect(() => decodeJson(Hello, peer.frames[0]?.payload ?? Buffer.alloc(0), "HELLO")).not.toThrow();
  });

  test("gives the session and the welcome, and leaves no time limit behind", async () => {
    const { peer, clock, result, ends } = connecting();
    await peer.send(frame("WELCOME", WELCOME));
    const { session, welcome } = await result;
    expect(welcome as object).toEqual(WELCOME);
    await clock.advance(TIMEOUT_MS);
    expect(ends.map(({ code }) => code)).toEqual(["HEARTBEAT_TIMEOUT"]); // nothing but the heartbeat ran
    await session.closed;
    expect(clock.pending).toBe(0);
  });

  test("holds the session to what the server granted", async () => {
    const { peer, result } = connecting();
    await peer.send(frame("WELCOME", { ...WELCOME, credit: 7, maxStreams: 1 }));
    const { session } = await result;
    const stream = session.open({ method: "m", params: {} });
    const write = watch(stream.write(pattern(10)));
    await settle();
    expect(peer.last("DATA")?.payload).toHaveLength(7);
    expect(write.state).toBe("pending");
    expect(() => session.open({ method: "m", params: {} })).toThrow("1 requests");
  });

  test("takes frames that follow WELCOME in the same bytes", async () => {
    const opened: Stream[] = [];
    const { peer, result } = connecting({ handler: { onOpen: (stream) => opened.push(stream), onEnd: () => {} } });
    await peer.send(
      frame("WELCOME", WELCOME),
      frame("OPEN", { method: "message", params: { text: "x".repeat(5_000) } }, 2, 1),
    );
    await result;
    expect(opened.map(({ id }) => id)).toEqual([2]);
  });

  test("ignores unknown members of WELCOME", async () => {
    const { peer, outcome } = connecting();
    await peer.send(frame("WELCOME", { ...WELCOME, later: { deep: [1] } }));
    expect(outcome.state).toBe("resolved");
  });

  test("takes the largest WELCOME that PROTOCOL.md allows", async () => {
    const { peer, outcome } = connecting();
    const small = frame("WELCOME", { ...WELCOME, later: "" });
    const largest = frame("WELCOME", { ...WELCOME, later: "x".repeat(4_096 + 16 - small.length) });
    expect(largest).toHaveLength(4_096 + 16);
    await peer.send(largest);
    expect(outcome.state).toBe("resolved");
  });
});

describe("connectSession() in the queue", () => {
  test("tells every position, then is welcomed", async () => {
    const { peer, outcome, positions } = connecting({ wait: true });
    await peer.send(frame("QUEUED", { position: 2 }));
    await peer.send(frame("QUEUED", { position: 1 }));
    expect([positions, outcome.state]).toEqual([[2, 1], "pending"]);
    await peer.send(frame("WELCOME", WELCOME));
    expect(outcome.state).toBe("resolved");
  });

  test("waits longer than the time limit, as long as the server sends", async () => {
    const { peer, clock, outcome } = connecting({ wait: true });
    await peer.send(frame("QUEUED", { position: 1 }));
    for (let elapsed = 0; elapsed < 3 * TIMEOUT_MS; elapsed += HEARTBEAT_MS) {
      await clock.advance(HEARTBEAT_MS);
      await peer.send(frame("PING", pattern(8)));
    }
    expect(outcome.state).toBe("pending");
    expect(peer.last("PONG")?.payload).toEqual(Buffer.from(pattern(8)));
    await peer.send(frame("WELCOME", WELCOME));
    expect(outcome.state).toBe("resolved");
  });

  test("gives up a server that has fallen silent, as HEARTBEAT_TIMEOUT", async () => {
    const { peer, clock, outcome } = connecting({ wait: true });
    await peer.send(frame("QUEUED", { position: 1 }));
    await clock.advance(3 * HEARTBEAT_MS);
    expect(codeOf(outcome)).toBe("HEARTBEAT_TIMEOUT");
    expect(peer.frames.map(({ name }) => name)).toContain("PING");
    expect([peer.ended, clock.pending]).toEqual([true, 0]);
  });

  test("is told when the server sends it away", async () => {
    const { peer, outcome } = connecting({ wait: true });
    await peer.send(frame("QUEUED", { position: 1 }), frame("REFUSE", { code: 13, message: "stopping" }));
    expect(outcome.error).toMatchObject({ name: "RemoteError", code: "SHUTDOWN", message: "stopping" });
  });

  test("is left by the abort signal", async () => {
    const controller = new AbortController();
    const { peer, clock, outcome } = connecting({ wait: true, signal: controller.signal });
    await peer.send(frame("QUEUED", { position: 1 }));
    controller.abort();
    await settle();
    expect(codeOf(outcome)).toBe("INTERRUPTED");
    expect(peer.last("GOAWAY")?.json.code).toBe(0);
    expect([peer.ended, clock.pending]).toEqual([true, 0]);
  });
});
