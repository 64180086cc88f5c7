import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

export interface Layer {
  readonly name: string;
  /** Its folder; for the kernel, only the files directly in it. */
  readonly folder: string;
  /** Folders and files of tests that cover it; those of the first list run first. */
  readonly quick: readonly string[];
  readonly slow: readonly string[];
}

const INTEGRATION = ["tests/integration"];
/** Commands and a complete server, in the test process. */
const COMMANDS = ["tests/integration/client-commands.test.ts"];
const WHOLE_DAEMON = ["tests/integration/daemon.test.ts", "tests/vectors/security-page.test.ts"];

/** Tests that compile the programs, which takes a while. */
const CLIENT_PROGRAM = [
  "commands",
  "transfers",
  "given-files",
  "destinations",
  "original",
  "shown-commands",
  "left-out",
];
const SERVER_PROGRAM = ["server", "operator", "access-console", "access-token", "private-server", "commands"];

function programs(names: readonly string[]): string[] {
  return names.map((name) => `tests/e2e/${name}.test.ts`);
}

/** The tests that can detect the mutants of each layer. A folder of lib that is not listed has no score. */
export const LAYERS: readonly Layer[] = [
  layer("kernel", "lib", ["tests/unit", "tests/property", "tests/vectors"], INTEGRATION),
  layer("protocol", "lib/protocol", ["tests/unit/protocol", "tests/vectors", "tests/property"], INTEGRATION),
  layer("session", "lib/session", ["tests/unit/session", "tests/property"], ["tests/contract", ...INTEGRATION]),
  layer("transfer", "lib/transfer", ["tests/unit/transfer", "tests/unit/client"], INTEGRATION),
  layer(
    "client",
    "lib/client",
    ["tests/unit/client", "tests/vectors/tables.test.ts"],
    [...INTEGRATION, ...programs(CLIENT_PROGRAM)],
  ),
  layer("platform", "lib/platform", ["tests/unit/platform", "tests/unit/storage"], ["tests/contract"]),
  layer("storage", "lib/storage", ["tests/unit/storage", "tests/contract"], INTEGRATION),
  layer("server", "lib/server", ["tests/unit/server"], INTEGRATION),
  layer("transport", "lib/transport", ["tests/unit/transport", "tests/contract"], INTEGRATION),
  layer("trace", "lib/trace", ["tests/unit/trace"], programs(["trace"])),
  layer(
    "state",
    "lib/state",
    ["tests/unit/state", "tests/unit/storage/durability.test.ts", "tests/unit/cli"],
    programs(["private-client", "private-server", "home"]),
  ),
  layer("trust", "lib/trust", ["tests/unit/trust", "tests/unit/cli"], programs(["access-identity", "access-join"])),
  layer("daemon", "lib/daemon", ["tests/unit/daemon", ...WHOLE_DAEMON, "tests/unit/cli"], programs(SERVER_PROGRAM)),
  layer("gateway", "lib/gateway", ["tests/unit/gateway"], INTEGRATION),
  layer(
    "cli",
    "lib/cli",
    ["tests/unit/cli", ...COMMANDS],
    [...programs([...CLIENT_PROGRAM, ...SERVER_PROGRAM]), "tests/e2e"],
  ),
];

function layer(name: string, folder: string, quick: readonly string[], slow: readonly string[]): Layer {
  return { name, folder, quick, slow };
}

/** This many of the nearest slow tests are run before the others. */
const NEAR_SLOW = 16;

/** The files of a layer. */
export function filesOf(root: string, { name, folder }: Layer): string[] {
  return sourcesIn(root, folder, name !== "kernel");
}

/** A test that starts a process can run code that it does not import. */
const STARTS_A_PROCESS = /\bspawn|\bbinaries\(|import\.meta\.dir/;

/**
 * The tests of a layer in batches, in the order of the run: those nearest to `file` first. Those that neither import
 * `file`, however far away, nor start a process are left out: they can't notice a mutant of it.
 */
export function batchesFor(root: string, { quick, slow }: Layer, file: string): string[][] {
  const distances = distancesTo(root, file);
  const canNotice = (test: string) =>
    distances.has(test) || STARTS_A_PROCESS.test(readFileSync(join(root, test), "utf8"));
  const distance = (test: string) => distances.get(test) ?? Number.POSITIVE_INFINITY;
  const [near, far] = [[] as string[], [] as string[]];
  for (const test of testsIn(root, quick)) (distance(test) <= 2 ? near : far).push(test);
  const batches = [near, far, testsIn(root, slow)].map((batch) =>
    batch.filter(canNotice).sort((a, b) => distance(a) - distance(b)),
  );
  const rest = batches[2]?.splice(NEAR_SLOW) ?? [];
  return [...batches, rest].filter((batch) => batch.length > 0);
}

function testsIn(root: string, places: readonly string[]): string[] {
  const found = places.flatMap((place) => (place.endsWith(".ts") ? [place] : sourcesIn(root, place, true)));
  return [...new Set(found)].filter((file) => file.endsWith(".test.ts"));
}

function sourcesIn(root: string, folder: string, recursive: boolean): string[] {
  try {
    const names = readdirSync(join(root, folder), { recursive, encoding: "utf8" });
    return names
      .filter((name) => name.endsWith(".ts"))
      .map((name) => join(folder, name))
      .sort();
  } catch {
    return []; // the layer does not exist yet, or any more
  }
}

/** The number of imports between a file and `target`, for all files that reach it. */
function distancesTo(root: string, target: string): Map<string, number> {
  const importers = new Map<string, string[]>();
  for (const file of [...sourcesIn(root, "lib", true), ...sourcesIn(root, "tests", true)]) {
    for (const [, path = ""] of readFileSync(join(root, file), "utf8").matchAll(/\b(?:from |import\()"(\.[^"]+)"/g)) {
      const imported = join(dirname(file), path);
      const known = importers.get(imported);
      if (known === undefined) importers.set(imported, [file]);
      else known.push(file);
    }
  }
  const distances = new Map([[target, 0]]);
  // Entries added meanwhile are visited, too.
  for (const [file, distance] of distances) {
    for (const importer of importers.get(file) ?? []) {
      if (!distances.has(importer)) distances.set(importer, distance + 1);
    }
  }
  return distances;
}
