import { describe, expect, test } from "bun:test";
import type { CommError } from "../../../lib/errors.ts";
import { Heartbeat } from "../../../lib/session/heartbeat.ts";
import { FakeClock, settle } from "../../support/fake-clock.ts";
import { codeOf, protocolFault, rejection, watch } from "../../support/outcomes.ts";

const INTERVAL = 1_000;

function makeHeartbeat() {
  const clock = new FakeClock();
  const pings: Uint8Array[] = [];
  const deaths: CommError[] = [];
  const heartbeat = new Heartbeat({
    clock,
    intervalMs: INTERVAL,
    sendPing: (nonce) => pings.push(nonce),
    onDead: (error) => deaths.push(error),
  });
  return { clock, pings, deaths, heartbeat };
}

function started() {
  const made = makeHeartbeat();
  made.heartbeat.start();
  return made;
}

describe("Heartbeat", () => {
  test("does nothing before start()", async () => {
    const { clock, pings, deaths } = makeHeartbeat();
    await clock.advance(100 * INTERVAL);
    expect([pings, deaths, clock.pending]).toEqual([[], [], 0]);
  });

  test("pings after an interval of silence, and not before", async () => {
    const { clock, pings } = started();
    await clock.advance(INTERVAL - 1);
    expect(pings).toHaveLength(0);
    await clock.advance(1);
    expect(pings).toHaveLength(1);
  });

  test("started twice pings once", async () => {
    const { clock, pings, heartbeat } = started();
    heartbeat.start();
    await clock.advance(INTERVAL);
    expect(pings).toHaveLength(1);
  });

  test("does not ping a peer that sends", async () => {
    const { clock, pings, deaths, heartbeat } = started();
    for (let step = 0; step < 40; step++) {
      await clock.advance(INTERVAL / 4);
      heartbeat.noteReceived();
    }
    expect([pings.length, deaths.length]).toEqual([0, 0]);
  });

  test("gives every PING another nonce of 8 bytes", async () => {
    const { clock, pings, heartbeat } = started();
    for (let step = 0; step < 5; step++) {
      await clock.advance(INTERVAL);
      heartbeat.noteReceived();
      watch(heartbeat.ping());
    }
    expect(pings.map(({ length }) => length)).toEqual(pings.map(() => 8));
    expect(new Set(pings.map((nonce) => Buffer.from(nonce).toString("hex"))).size).toBe(pings.length);
    expect(pings.length).toBeGreaterThan(5);
  });

  test("declares a silent peer dead after three intervals, once, and rests", async () => {
    const { clock, deaths } = started();
    await clock.advance(3 * INTERVAL - 1);
    expect(deaths).toHaveLength(0);
    await clock.advance(1);
    expect(deaths.map(({ code }) => code)).toEqual(["HEARTBEAT_TIMEOUT"]);
    await clock.advance(100 * INTERVAL);
    expect(deaths).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  test("any sign of life puts death off, at whatever moment it comes", async () => {
    for (const moment of [1, INTERVAL - 1, INTERVAL, 2 * INTERVAL + 1, 3 * INTERVAL - 1]) {
      const { clock, deaths, heartbeat } = started();
      await clock.advance(moment);
      heartbeat.noteReceived();
      await clock.advance(3 * INTERVAL - 1);
      expect(deaths).toHaveLength(0);
      await clock.advance(INTERVAL);
      expect(deaths).toHaveLength(1);
    }
  });

  test("stop() ends it: no timer, no ping, no death", async () => {
    const { clock, pings, deaths, heartbeat } = started();
    heartbeat.stop();
    expect(clock.pending).toBe(0);
    await clock.advance(100 * INTERVAL);
    expect([pings, deaths]).toEqual([[], []]);
  });
});

describe("Heartbeat.ping()", () => {
  test("resolves with the time until the PONG with the same nonce", async () => {
    const { clock, pings, heartbeat } = started();
    const [first, second] = [watch(heartbeat.ping()), watch(heartbeat.ping())];
    await clock.advance(30);
    heartbeat.notePong(pings[1] as Uint8Array);
    await clock.advance(12);
    heartbeat.notePong(pings[0] as Uint8Array);
    await settle();
    expect([first.value, second.value]).toEqual([42, 30]);
  });

  test("is rejected as LOST by stop()", async () => {
    const { heartbeat } = started();
    const ping = watch(heartbeat.ping());
    heartbeat.stop();
    await settle();
    expect(codeOf(ping)).toBe("LOST");
  });

  test("is rejected as LOST after stop()", async () => {
    const { heartbeat } = started();
    heartbeat.stop();
    const ping = watch(heartbeat.ping());
    await settle();
    expect(codeOf(ping)).toBe("LOST");
  });

  test("is rejected when 64 are without an answer, and sends no more", async () => {
    const { pings, heartbeat } = started();
    for (let count = 0; count < 64; count++) watch(heartbeat.ping());
    expect((await rejection(heartbeat.ping())).code).toBe("LOST");
    expect(pings).toHaveLength(64);
  });
});

describe("Heartbeat.notePong()", () => {
  test("takes the answer to a heartbeat of its own", async () => {
    const { clock, pings, heartbeat } = started();
    await clock.advance(INTERVAL);
    expect(protocolFault(() => heartbeat.notePong(pings[0] as Uint8Array))).toBeUndefined();
  });

  test.each(["0000000000000000", "0000000000000002", "0000000100000001", "ffffffffffffffff"])(
    "rejects the nonce %s, that was never sent, as UNEXPECTED_FRAME",
    async (hex) => {
      const { clock, pings, heartbeat } = started();
      expect(protocolFault(() => heartbeat.notePong(Buffer.from(hex, "hex")))).toBe("UNEXPECTED_FRAME");
      await clock.advance(INTERVAL);
      expect(Buffer.from(pings[0] as Uint8Array).toString("hex")).toBe("0000000000000001");
      expect(protocolFault(() => heartbeat.notePong(Buffer.from(hex, "hex")))).toBe("UNEXPECTED_FRAME");
    },
  );

  test("rejects a second answer to the same PING as UNEXPECTED_FRAME", async () => {
    const { pings, heartbeat } = started();
    watch(heartbeat.ping());
    heartbeat.notePong(pings[0] as Uint8Array);
    expect(protocolFault(() => heartbeat.notePong(pings[0] as Uint8Array))).toBe("UNEXPECTED_FRAME");
  });
});
