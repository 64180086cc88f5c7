import { expect, test } from "bun:test";
import type { CommError } from "../../../lib/errors.ts";
import { Heartbeat } from "../../../lib/session/heartbeat.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const INTERVAL = 1_000;

/** A heartbeat whose process was stopped for an hour, and goes on; its peer has been silent since. */
async function stopped() {
  const clock = new FakeClock();
  const deaths: CommError[] = [];
  let pings = 0;
  const heartbeat = new Heartbeat({
    clock,
    intervalMs: INTERVAL,
    sendPing: () => void pings++,
    onDead: (error) => deaths.push(error),
  });
  heartbeat.start();
  clock.stall(3_600_000);
  await clock.advance(0);
  return { clock, heartbeat, deaths, pings: () => pings };
}

test("a process that was stopped takes nobody for dead before what has come meanwhile could be read", async () => {
  const { clock, heartbeat, deaths, pings } = await stopped();
  expect({ deaths, pings: pings() }).toEqual({ deaths: [], pings: 1 });
  heartbeat.noteReceived();
  await clock.advance(3 * INTERVAL - 1);
  expect(deaths).toEqual([]);
});

test("a peer that is gone since is dead an interval later", async () => {
  const { clock, deaths } = await stopped();
  await clock.advance(INTERVAL - 1);
  expect(deaths).toEqual([]);
  await clock.advance(1);
  expect(deaths.map(({ code }) => code)).toEqual(["HEARTBEAT_TIMEOUT"]);
});
