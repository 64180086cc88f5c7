import fs from "node:fs";
import os from "node:os";
import { linuxBootId } from "./boot.ts";
import { readSystemFile } from "./system-file.ts";

/** Identifies a process among all others, on this machine and on those that see the same files. */
export interface ProcessMark {
  /** 16 hexadecimal digits, as `boot`. */
  readonly machine: string;
  /** Identifies one boot of the machine, on Linux; elsewhere as `machine`. */
  readonly boot: string;
  /** The namespace of `pid` (a container's on Linux); "0" if there is only one. */
  readonly space: string;
  readonly pid: number;
  /**
   * When the process began, in the system's own units, so that a later process with the same id differs; "0" if
   * unknown.
   */
  readonly start: string;
}

let own: ProcessMark | undefined;

export function thisProcess(): ProcessMark {
  own ??= {
    machine: digestOf(machineId()),
    boot: digestOf(linuxBootId() ?? machineId()),
    space: pidSpace(),
    pid: process.pid,
    start: startOf(process.pid)?.start ?? "0",
  };
  return own;
}

/** Whether a process of this machine and namespace runs; undefined when its id is taken, perhaps by another process. */
export function isRunning({ pid, start }: Pick<ProcessMark, "pid" | "start">): boolean | undefined {
  try {
    process.kill(pid, 0);
  } catch (cause) {
    // EPERM means that the process exists, and belongs to another user.
    if (cause instanceof Error && "code" in cause && cause.code === "ESRCH") return false;
  }
  const found = startOf(pid);
  if (found === undefined || start === "0") return undefined;
  return found.start === start && !found.isOver;
}

/** Reads fields 3 and 22 of proc_pid_stat(5); the 2nd is a name in parentheses, which may hold anything. */
function startOf(pid: number): { start: string; isOver: boolean } | undefined {
  const stat = readSystemFile(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  const [state = "", ...rest] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const start = rest[18];
  return start === undefined ? undefined : { start, isOver: "ZX".includes(state) };
}

function digestOf(text: string): string {
  return Bun.hash.xxHash3(text).toString(16).padStart(16, "0");
}

/**
 * Almost certainly differs between two machines. Each part alone may not: names are reused, and images are copied with
 * their ids.
 */
function machineId(): string {
  return [os.hostname(), linuxMachineId() ?? macAddresses()].join("\n");
}

/** machine-id(5); undefined if the system has none. */
function linuxMachineId(): string | undefined {
  return readSystemFile("/etc/machine-id")?.trim();
}

/** When they change, the machine only looks like another one. */
function macAddresses(): string {
  const all = Object.values(os.networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return [...new Set(all.map(({ mac }) => mac))].sort().join("\n");
}

function pidSpace(): string {
  try {
    return /\d+/.exec(fs.readlinkSync("/proc/self/ns/pid"))?.[0] ?? "0";
  } catch {
    return "0";
  }
}
