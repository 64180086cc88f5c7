import os from "node:os";
import { readSystemFile } from "./system-file.ts";

let boot: string | undefined;

/** Tells one run of the system from another; where it can't be had for certain, no two processes agree. */
export function bootId(): string {
  boot ??= linuxBootId() ?? roughBootId();
  return boot;
}

/** undefined where the system has no such thing. */
export function linuxBootId(): string | undefined {
  return readSystemFile("/proc/sys/kernel/random/boot_id")?.trim();
}

/** The moment of the start, to ten seconds: a neighbour's rounding only costs a verification. */
function roughBootId(): string {
  return `${Math.round((Date.now() / 1000 - os.uptime()) / 10)}`;
}
