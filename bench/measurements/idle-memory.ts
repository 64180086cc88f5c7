import { existsSync, readFileSync } from "node:fs";
import { BenchServer } from "../support/bench-server.ts";
import { Probe } from "../support/probe.ts";
import { SAMPLE_REPOSITORY } from "../support/sample-repository.ts";
import { median } from "../support/statistics.ts";
import type { Context, Measurement, Outcome } from "./measurement.ts";

const SESSIONS = 10_000;
/** Descriptors that a server or an opener needs besides its sockets, with room to spare. */
const SPARE_FILES = 200;
/** Until the memory of the handshakes is free again. */
const SETTLE_MS = 20_000;
/** Readings, one a second: over two heartbeats and the server's periodic work. */
const READINGS = 30;

/** Resident memory of a server with many sessions that do nothing. */
export const idleMemory: Measurement = {
  name: "idle-memory",
  title: `memory of ${SESSIONS} idle sessions`,
  async run(context: Context): Promise<Outcome> {
    if (!existsSync("/proc/self/status")) return { skipped: "there is no /proc to read the memory of a process from" };
    await using server = await BenchServer.start(context, { repository: SAMPLE_REPOSITORY, maxClients: SESSIONS });
    const limit = openFilesLimit(server.pid);
    if (limit < SESSIONS + SPARE_FILES) {
      return { skipped: `the limit of open files is ${limit}; raise it with: ulimit -n ${SESSIONS + SPARE_FILES}` };
    }
    const before = residentBytes(server.pid);
    await using peers = await Probe.start("idle-peers", context, { args: [server.port, SESSIONS] });
    await peers.answer();
    const opened = residentBytes(server.pid);
    await Bun.sleep(SETTLE_MS);
    const readings: number[] = [];
    while (readings.length < READINGS) {
      await Bun.sleep(1_000);
      readings.push(residentBytes(server.pid));
    }
    const after = median(readings);
    return {
      figures: [
        { what: "no session", value: before / 1e6, unit: "MB" },
        { what: "right after the handshakes", value: opened / 1e6, unit: "MB" },
        { what: "settled", value: after / 1e6, unit: "MB", goal: 100 },
        { what: "settled, at most", value: Math.max(...readings) / 1e6, unit: "MB" },
        { what: "a session", value: (after - before) / SESSIONS / 1e3, unit: "KB" },
      ],
    };
  },
};

function residentBytes(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  if (match === null) throw new Error(`/proc/${pid}/status has no VmRSS`);
  return Number(match[1]) * 1024;
}

function openFilesLimit(pid: number): number {
  const match = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync(`/proc/${pid}/limits`, "utf8"));
  if (match === null) throw new Error(`/proc/${pid}/limits has no limit of open files`);
  return match[1] === "unlimited" ? Number.POSITIVE_INFINITY : Number(match[1]);
}
