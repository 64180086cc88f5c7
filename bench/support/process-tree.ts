import { readdirSync, readFileSync } from "node:fs";

/** Clock ticks a second in /proc; Linux always reports 100 to programs. */
const TICKS = 100;

interface Stat {
  readonly pid: number;
  readonly parent: number;
  /** Whether it has ended and only waits for its parent to notice. */
  readonly ended: boolean;
  /** Its own time, and that of the children that it has waited for. */
  readonly cpuSeconds: number;
}

/** A process and its descendants that still run. Linux only; empty when it is gone. */
export function family(pid: number): readonly number[] {
  return statsOf(pid)
    .filter((stat) => !stat.ended)
    .map((stat) => stat.pid);
}

/**
 * Processor time of a process and all its descendants so far, including ended ones that were waited for: a child's time
 * goes to its parent at that moment, so nothing counts twice.
 */
export function cpuSeconds(pid: number): number {
  return statsOf(pid).reduce((sum, stat) => sum + stat.cpuSeconds, 0);
}

/** The sum of the peak resident memory of each process of the family, in bytes. */
export function peakBytes(pid: number): number {
  return family(pid).reduce((sum, member) => sum + memoryOf(member, "VmHWM"), 0);
}

/** The sum of the resident memory of each process of the family now, in bytes. */
export function residentBytes(pid: number): number {
  return family(pid).reduce((sum, member) => sum + memoryOf(member, "VmRSS"), 0);
}

/** Send a signal to one process, which may have ended meanwhile. */
export function signal(pid: number, name: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(pid, name);
  } catch {} // gone
}

function statsOf(root: number): Stat[] {
  const all = new Map<number, Stat[]>();
  let found: Stat | undefined;
  for (const name of readdirSync("/proc")) {
    const stat = /^\d+$/.test(name) ? readStat(Number(name)) : undefined;
    if (stat === undefined) continue;
    if (stat.pid === root) found = stat;
    const siblings = all.get(stat.parent);
    if (siblings === undefined) all.set(stat.parent, [stat]);
    else siblings.push(stat);
  }
  const members = found === undefined ? [] : [found];
  for (const member of members) members.push(...(all.get(member.pid) ?? []));
  return members;
}

function readStat(pid: number): Stat | undefined {
  const text = readOrNothing(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  // The name in parentheses may hold anything; after it come numbers: state, parent, … (proc(5)).
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return { pid, parent: Number(fields[1]), ended: fields[0] === "Z", cpuSeconds: ticks / TICKS };
}

function memoryOf(pid: number, field: "VmHWM" | "VmRSS"): number {
  const match = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(readOrNothing(`/proc/${pid}/status`) ?? "");
  return match === null ? 0 : Number(match[1]) * 1024;
}

/** Undefined for a process that ended after it was listed. */
function readOrNothing(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
