/**
 * Measure the compiled programs on loopback: bun bench/run.ts [--only NAME] [--rounds N]. See bench/README.md.
 * A missed goal is a result, not a failure: the exit code tells only whether everything could be measured.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { TempFolder } from "../tests/support/temp-folder.ts";
import { idleMemory } from "./measurements/idle-memory.ts";
import type { Measurement } from "./measurements/measurement.ts";
import { oneShotList } from "./measurements/one-shot-list.ts";
import { roundTrip } from "./measurements/round-trip.ts";
import { roundTripDownload } from "./measurements/round-trip-download.ts";
import { buildPrograms } from "./support/compile.ts";
import { describeMachine } from "./support/machine.ts";
import { formatMachine, formatResults, type Result, resultOf } from "./support/report.ts";

const MEASUREMENTS: readonly Measurement[] = [roundTrip, roundTripDownload, idleMemory, oneShotList];
const RESULTS = join(import.meta.dir, "results");

const { chosen, rounds } = readOptions();
const machine = describeMachine();
const temp = new TempFolder();
process.on("exit", () => temp[Symbol.dispose]());

note("building");
const programs = buildPrograms(temp.path);
const results: Result[] = [];
for (const measurement of chosen) {
  note(measurement.title);
  try {
    results.push(resultOf(measurement, await measurement.run({ programs, folder: temp.path, rounds })));
  } catch (error) {
    note(`${measurement.name} can't be measured: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}
if (results.length > 0) {
  process.stdout.write(`${formatMachine(machine)}\n\n${formatResults(results)}`);
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(join(RESULTS, "latest.json"), `${JSON.stringify({ machine, rounds, results }, null, 2)}\n`);
}
process.exit();

function readOptions(): { chosen: readonly Measurement[]; rounds: number } {
  try {
    const { values } = parseArgs({ options: { only: { type: "string" }, rounds: { type: "string", default: "7" } } });
    const names = MEASUREMENTS.map(({ name }) => name);
    if (values.only !== undefined && !names.includes(values.only)) throw new Error(`--only takes ${names.join(", ")}`);
    if (!/^[1-9]\d*$/.test(values.rounds)) throw new Error("--rounds takes a whole number from 1 on");
    const chosen = MEASUREMENTS.filter(({ name }) => values.only === undefined || name === values.only);
    return { chosen, rounds: Number(values.rounds) };
  } catch (error) {
    note(error instanceof Error ? error.message : String(error));
    process.exit(2);
  }
}

function note(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}
