import { readFileSync } from "node:fs";

/** The cores of the two ends of a round trip, or undefined where the system decides. */
export interface Placement {
  readonly name: string;
  readonly server: number | undefined;
  readonly client: number | undefined;
}

/**
 * The placements to measure. If the system decides, two processes sometimes share a core and sometimes don't. As waking
 * a core up may take longer than all the work, such figures can't be compared.
 */
export function placements(): Placement[] {
  const [first, second] = allowedCores();
  if (first === undefined) return [{ name: "placed by the system", server: undefined, client: undefined }];
  const shared = { name: "on one core", server: first, client: first };
  return second === undefined ? [shared] : [shared, { name: "on two cores", server: first, client: second }];
}

/** A command that keeps a program on a core, in front of the program's own. */
export function onCore(core: number): string[] {
  return ["taskset", "--cpu-list", String(core)];
}

/** Cores that this process may use; empty if they can't be chosen. */
function allowedCores(): number[] {
  if (process.platform !== "linux" || Bun.which("taskset") === null) return [];
  const ranges = /^Cpus_allowed_list:\s+(\S+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "";
  return ranges.split(",").flatMap((range) => {
    const [first = Number.NaN, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}
