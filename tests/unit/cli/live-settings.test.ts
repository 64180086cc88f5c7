import { expect, test } from "bun:test";
import { type Flags, parseFlags } from "../../../lib/cli/flags.ts";
import type { LogSettings } from "../../../lib/cli/server/event-log.ts";
import { LiveSettings } from "../../../lib/cli/server/live-settings.ts";
import { LOG_FLAGS } from "../../../lib/cli/server/log-flags.ts";
import { SERVE_FLAGS } from "../../../lib/cli/server/serve-flags.ts";
import type { DaemonSettings } from "../../../lib/daemon/settings.ts";
import { codeOf } from "../../support/fault.ts";

const ARGS = { ...SERVE_FLAGS, ...LOG_FLAGS };

/** Settings whose file has other flags at each reading. */
function settingsOf(...readings: string[][]) {
  const applied: (Pick<DaemonSettings, "bandwidth" | "stopTimeoutMs"> & Pick<LogSettings, "level">)[] = [];
  const flags: Flags[] = readings.map((argv) => parseFlags(argv, ARGS));
  const live = new LiveSettings(flags.shift() as Flags, {
    noteIsTty: false,
    read: async () => flags.shift() as Flags,
    apply: ({ bandwidth, stopTimeoutMs }, { level }) => void applied.push({ bandwidth, stopTimeoutMs, level }),
  });
  return { live, applied };
}

test("rates, levels and times that are others hold at once", async () => {
  const { live, applied } = settingsOf([], ["--limit-rate", "1MB", "--log-level", "warn", "--stop-timeout", "5"]);
  expect(await live.reread()).toEqual({ changed: ["limit-rate", "stop-timeout", "log-level"], waiting: [] });
  expect(applied).toEqual([
    { bandwidth: { perSession: 1_000_000, total: undefined }, stopTimeoutMs: 5_000, level: "warn" },
  ]);
});

test("all others wait for a restart, and are named until they are as they were", async () => {
  const changed = ["--max-clients", "9", "--writable", "--log-level", "warn"];
  const { live } = settingsOf([], changed, changed, ["--log-level", "warn"]);
  expect(await live.reread()).toEqual({ changed: ["log-level"], waiting: ["writable", "max-clients"] });
  expect(await live.reread()).toEqual({ changed: [], waiting: ["writable", "max-clients"] });
  expect(await live.reread()).toEqual({ changed: [], waiting: [] });
});

test("a fault in one of them changes nothing", async () => {
  const { live, applied } = settingsOf([], ["--log-level", "warn", "--limit-rate", "1"], ["--log-level", "warn"]);
  expect(await codeOf(() => live.reread())).toBe("USAGE");
  expect(applied).toEqual([]);
  expect(await live.reread()).toEqual({ changed: ["log-level"], waiting: [] });
});
