/**
 * Measure the compiled programs on loopback: bun bench/run.ts [--only NAME,…] [--rounds N] [--size BYTES]. See
 * bench/README.md. A missed goal is a result, not a failure: the exit code says only whether everything could be
 * measured.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { TempFolder } from "../tests/support/temp-folder.ts";
import { admission } from "./measurements/admission.ts";
import { idleMemory } from "./measurements/idle-memory.ts";
import type { Measurement } from "./measurements/measurement.ts";
import { oneShotList } from "./measurements/one-shot-list.ts";
import { roundTrip } from "./measurements/round-trip.ts";
import { roundTripDownload } from "./measurements/round-trip-download.ts";
import { buildPrograms, type Programs } from "./support/compile.ts";
import { describeMachine } from "./support/machine.ts";
import { formatMachine, formatResults, type Result, resultOf } from "./support/report.ts";
import { readSizes, runTransfers, SIZE_OPTIONS, TRANSFERS } from "./transfer.ts";

const MEASUREMENTS: readonly Measurement[] = [roundTrip, roundTripDownload, idleMemory, oneShotList, admission];
/** Round trips are short and vary, so they need more rounds. */
const ROUNDS = { messages: 7, transfers: 5 };

/** `--only` with this name selects all measurements of HTTP. */
const WEB = "web";

const options = readOptions();
const { chosen, transfers, sizes } = options;
const folder = options.results ?? join(import.meta.dir, "results");
const machine = describeMachine();
const temp = new TempFolder();
process.on("exit", () => temp[Symbol.dispose]());

const ready = process.env["COMMSERVER_DIST"];
if (ready === undefined) note("building");
const programs = ready === undefined ? buildPrograms(temp.path) : programsIn(resolve(ready));
const results: Result[] = [];
const rounds = options.rounds ?? ROUNDS.messages;
for (const measurement of chosen) {
  note(measurement.title);
  try {
    results.push(resultOf(measurement, await measurement.run({ programs, folder: temp.path, rounds })));
  } catch (error) {
    note(`${measurement.name} can't be measured: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}
process.stdout.write(`${formatMachine(machine)}\n`);
if (results.length > 0) {
  process.stdout.write(`\n${formatResults(results)}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "latest.json"), `${JSON.stringify({ machine, rounds, results }, null, 2)}\n`);
}
if (transfers.length > 0) {
  const context = { programs, folder: temp.path, rounds: options.rounds ?? ROUNDS.transfers, sizes, note };
  if (!(await runTransfers(transfers, context, { machine, folder }))) process.exitCode = 1;
}
process.exit();

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        only: { type: "string" },
        rounds: { type: "string" },
        results: { type: "string" },
        ...SIZE_OPTIONS,
      },
    });
    const { only, rounds, results } = values;
    const names = [...MEASUREMENTS, ...TRANSFERS].map(({ name }) => name);
    const wanted = only?.split(",").flatMap((name) => (name === WEB ? names.filter(isOfWeb) : name));
    if (wanted?.some((name) => !names.includes(name))) throw new Error(`--only takes ${names.join(", ")}`);
    if (rounds !== undefined && !/^[1-9]\d*$/.test(rounds)) throw new Error("--rounds takes a whole number from 1 on");
    return {
      chosen: MEASUREMENTS.filter(({ name }) => wanted?.includes(name) ?? true),
      transfers: TRANSFERS.filter(({ name, onlyByName }) => wanted?.includes(name) ?? !onlyByName),
      rounds: rounds === undefined ? undefined : Number(rounds),
      results: results === undefined ? undefined : resolve(results),
      sizes: readSizes(values),
    };
  } catch (error) {
    note(error instanceof Error ? error.message : String(error));
    process.exit(2);
  }
}

function isOfWeb(name: string): boolean {
  return name.startsWith(`${WEB}-`);
}

/** The programs that were built into `folder` before. */
function programsIn(folder: string): Programs {
  return { server: join(folder, "commserver-server"), client: join(folder, "commserver-client") };
}

function note(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}
