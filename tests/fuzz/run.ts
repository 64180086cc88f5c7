import { mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { printConversation } from "./corpus-print.ts";
import { type Discovery, Fuzzer } from "./fuzzer.ts";
import { TARGETS, type TargetName } from "./targets/targets.ts";

/**
 * Fuzz the protocol: `bun tests/fuzz/run.ts --cases N [--seed N] [--target decoder|memory|socket|web|all] [--keep DIR]`.
 * Exits with 1 when something was found; the conversations that show it are then in DIR.
 */
const { values } = parseArgs({
  options: {
    cases: { type: "string", default: "100000" },
    seed: { type: "string" },
    target: { type: "string", default: "all" },
    keep: { type: "string", default: join(tmpdir(), "commserver-fuzz-findings") },
  },
});

const NONE: Readonly<Record<TargetName, number>> = { decoder: 0, memory: 0, client: 0, socket: 0, web: 0 };

/** Shares of the cases; those of the sockets are dear. "memory" is the server's side and the client's. */
const SHARES: Readonly<Record<string, Readonly<Record<TargetName, number>>>> = {
  all: { decoder: 0.55, memory: 0.24, client: 0.09, socket: 0.06, web: 0.06 },
  decoder: { ...NONE, decoder: 1 },
  memory: { ...NONE, memory: 0.75, client: 0.25 },
  socket: { ...NONE, socket: 1 },
  web: { ...NONE, web: 1 },
};

const shares = SHARES[values.target];
const total = Number(values.cases);
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(values.seed);
if (shares === undefined || !Number.isSafeInteger(total) || !Number.isSafeInteger(seed)) {
  console.error(
    "usage: bun tests/fuzz/run.ts --cases N [--seed N] [--target decoder|memory|socket|web|all] [--keep DIR]",
  );
  process.exit(2);
}

const cases = Object.fromEntries(
  Object.entries(shares).map(([target, share]) => [target, Math.round(share * total)]),
) as Record<TargetName, number>;
const beat = new Int32Array(new SharedArrayBuffer(4));
const watchdog = new Worker(new URL("./watchdog.ts", import.meta.url));
watchdog.postMessage({ beat, seed });
watchdog.unref();

console.log(`seed ${seed}: ${JSON.stringify(cases)}`);
const from = performance.now();
let toldAt = 0;
const fuzzer = new Fuzzer({
  seed,
  cases,
  onProgress(target, done) {
    Atomics.store(beat, 0, done);
    if (performance.now() - toldAt < 1_000) return;
    toldAt = performance.now();
    const seconds = ((toldAt - from) / 1_000).toFixed(0);
    process.stdout.write(
      `\r${seconds} s: ${target} ${done} of ${cases[target]}, ${fuzzer.discoveries.length} found   `,
    );
  },
  onDiscovery: keep,
});
await fuzzer.run();
summarise();
process.exit(fuzzer.discoveries.length === 0 ? 0 : 1);

function keep(discovery: Discovery): void {
  const { target, number, oracle, detail, conversation, isRepeatable, seats } = discovery;
  const { steps } = conversation;
  mkdirSync(values.keep, { recursive: true });
  const file = join(values.keep, `${target}-${seed}-${number}.txt`);
  const where = `seed ${seed}, target ${target}, from case ${number} on, ${seats} seats`;
  const how = isRepeatable ? "minimised" : "it did not show again by itself: all that was played together";
  writeFileSync(file, printConversation({ ...conversation, seats }, [`${oracle}: ${detail}`, where, how]));
  console.log(`\nfound ${oracle} (${where}), ${steps.length} steps in ${file}\n  ${detail.slice(0, 1_000)}`);
}

function summarise(): void {
  console.log(`\n\nseed ${seed}, ${total} cases, ${((performance.now() - from) / 1_000).toFixed(1)} s`);
  for (const target of Object.keys(TARGETS) as TargetName[]) {
    const seconds = fuzzer.seconds[target] ?? 0;
    const speed = cases[target] === 0 ? 0 : cases[target] / seconds;
    console.log(`  ${target}: ${cases[target]} cases, ${seconds.toFixed(1)} s, ${speed.toFixed(0)} cases/s`);
  }
  const { heap, rss } = fuzzer.memory.worst;
  console.log(
    `  worst memory at a checkpoint: heap ${(heap / 2 ** 20).toFixed(0)} MiB, RSS ${(rss / 2 ** 20).toFixed(0)} MiB`,
  );
  const kinds = [...fuzzer.answers].sort(([, a], [, b]) => b - a);
  console.log(`  answers: ${kinds.map(([kind, count]) => `${kind} ${count}`).join(", ")}`);
  console.log(`  found: ${fuzzer.discoveries.length}`);
}
