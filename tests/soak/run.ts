import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { soak } from "./soak.ts";

/** Seats are kept for a grace time, and links are seen off for some seconds. */
const SETTLE_SECONDS = 15;

/**
 * Load the compiled programs with everything at once: `bun tests/soak/run.ts --minutes N [--seed S] [--keep DIR]`.
 * Exits with 1 when something was found; the logs of the minute before are then in DIR.
 */
const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "2" },
    seed: { type: "string" },
    keep: { type: "string" },
    kills: { type: "string" },
  },
});

const minutes = Number(values.minutes);
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(values.seed);
const kills = values.kills === undefined ? Math.max(1, Math.min(5, Math.ceil(minutes / 5))) : Number(values.kills);
if (!(minutes > 0) || !Number.isSafeInteger(seed) || !Number.isSafeInteger(kills)) {
  console.error("usage: bun tests/soak/run.ts --minutes N [--seed S] [--kills N] [--keep DIR]");
  process.exit(2);
}

// What runs and lies about goes with the process.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(130));
const keep = values.keep ?? join(tmpdir(), `commserver-soak-${seed}`);
console.log(`seed ${seed}: ${minutes} minutes, ${kills} kills of the server; logs of findings go to ${keep}`);
const print = (line: string) => console.log(`${new Date().toISOString().slice(11, 19)} ${line}`);
const times = { seconds: minutes * 60, checkpointSeconds: 60, settleSeconds: SETTLE_SECONDS };
const { text, findings } = await soak({ ...times, seed, keep, kills, print });
console.log(`\n${text}`);
process.exit(findings.length === 0 ? 0 : 1);
