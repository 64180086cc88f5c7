/**
 * Looks for lines that no test covers: changes one small thing in `lib` at a time, in a copy of the tree, and runs the
 * tests of its layer. A mutant that passes all of them is a survivor: a test is missing, or the line does nothing.
 *
 *   npx bun scripts/mutate.ts [--layer NAME]… [--file PATH]… [--count 20] [--seed 1] [--limit 900] [--quick]
 *
 * `--count` mutants of each layer are drawn by `--seed`; a test run of more than `--limit` seconds counts as failed.
 * `--quick` leaves out the slow tests of a layer: a mutant that only they would notice counts as a survivor.
 * This takes minutes to hours, so it does not run in CI. Start it with `nice` beside other work.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { isEquivalent } from "./mutation/equivalent.ts";
import { batchesFor, filesOf, LAYERS, type Layer } from "./mutation/layers.ts";
import { type Mutant, mutantsOf } from "./mutation/mutants.ts";
import { TreeCopy } from "./mutation/tree-copy.ts";

const ROOT = join(import.meta.dir, "..");

const { values } = parseArgs({
  options: {
    layer: { type: "string", multiple: true },
    file: { type: "string", multiple: true },
    count: { type: "string", default: "20" },
    seed: { type: "string", default: "1" },
    limit: { type: "string", default: "900" },
    quick: { type: "boolean", default: false },
  },
});
const [count, seed, limitMs] = [Number(values.count), Number(values.seed), 1000 * Number(values.limit)];

using copy = new TreeCopy(ROOT);
// Otherwise every test would fail, whatever the mutant.
if (!copy.compiles()) throw new Error("The tree does not compile: is a package missing?");
const scores: string[] = [];
/** Tests that pass without a mutant. */
const sound = new Set<string>();
for (const layer of LAYERS) {
  if (values.layer?.includes(layer.name) === false) continue;
  const files = filesOf(copy.root, layer).filter((file) => values.file?.includes(file) !== false);
  const score = files.length === 0 ? undefined : await judge(layer, files);
  if (score !== undefined) scores.push(`${layer.name.padEnd(10)} ${score}`);
}
console.log(`\n${scores.join("\n")}`);

/** @returns how many of the layer's mutants were killed */
async function judge(layer: Layer, files: readonly string[]): Promise<string> {
  const drawn = shuffled(await mutantsOf(copy.root, files), seed);
  let [killed, survived] = [0, 0];
  for (const mutant of drawn) {
    if (killed + survived >= count) break;
    if (isEquivalent(mutant, lineOf(mutant))) continue;
    const outcome = await outcomeOf(layer, mutant);
    if (outcome === "invalid") continue;
    if (outcome === undefined) survived++;
    else killed++;
    console.log(`${outcome === undefined ? "SURVIVED" : "killed  "} ${describe(mutant, outcome)}`);
  }
  const percent = Math.round((100 * killed) / (killed + survived));
  return `${killed} of ${killed + survived} killed, ${percent} % (of ${drawn.length} mutants, seed ${seed})`;
}

/** @returns what killed the mutant; undefined if nothing did; "invalid" if the tools refuse it, or it can't be judged */
async function outcomeOf(layer: Layer, mutant: Mutant): Promise<string | undefined> {
  const run = copy.apply(mutant);
  try {
    const tests = values.quick ? { ...layer, slow: [] } : layer;
    for (const batch of batchesFor(copy.root, tests, mutant.file)) {
      const { passed, why, failed } = await copy.test(batch, limitMs);
      if (passed) continue;
      if (failed === undefined || sound.has(why)) return why;
      run[Symbol.dispose]();
      // Otherwise it would kill every mutant.
      if (!(await copy.passes(failed, limitMs))) {
        console.log(`Not counted, for a test fails without a mutant, too: ${why}`);
        return "invalid";
      }
      sound.add(why);
      return why;
    }
    return copy.compiles() && copy.awaits(mutant.file) ? undefined : "invalid";
  } finally {
    run[Symbol.dispose]();
  }
}

function describe(mutant: Mutant, killer: string | undefined): string {
  const text = readFileSync(join(copy.root, mutant.file), "utf8");
  const place = `${mutant.file}:${text.slice(0, mutant.from).split("\n").length} ${mutant.kind}`;
  if (killer !== undefined) return `${place}: ${killer}`;
  const [start, end] = [text.lastIndexOf("\n", mutant.from) + 1, text.indexOf("\n", mutant.to)];
  const before = text.slice(start, end);
  const after = text.slice(start, mutant.from) + mutant.text + text.slice(mutant.to, end);
  return `${place}\n${marked("-", before)}\n${marked("+", after)}`;
}

function marked(mark: string, lines: string): string {
  return lines.replaceAll(/^/gm, `  ${mark} `);
}

/** The number of the line in which a mutant begins. */
function lineOf({ file, from }: Mutant): string {
  const text = readFileSync(join(copy.root, file), "utf8");
  return text.slice(text.lastIndexOf("\n", from) + 1, text.indexOf("\n", from)).trim();
}

/** Shuffled in an order that depends only on the seed: mulberry32, Fisher–Yates. */
function shuffled<T>(items: readonly T[], start: number): T[] {
  let state = start >>> 0;
  const random = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const order = [...items];
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other] as T, order[last] as T];
  }
  return order;
}
