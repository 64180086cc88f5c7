import os from "node:os";
import { readSystemFile } from "./system-file.ts";

let boot: string | undefined;

/** Differs between two runs of the system. Where that is not certain, two processes may not agree. */
export function bootId(): string {
  boot ??= linuxBootId() ?? roughBootId();
  return boot;
}

/** undefined where the system has no such thing. */
export function linuxBootId(): string | undefined {
  return readSystemFile("/proc/sys/kernel/random/boot_id")?.trim();
}

/** The time of the start, rounded to ten seconds. Two roundings that differ only cost a verification. */
function roughBootId(): string {
  return `${Math.round((Date.now() / 1000 - os.uptime()) / 10)}`;
}
