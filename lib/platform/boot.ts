import os from "node:os";
import { readSystemFile } from "./system-file.ts";

let boot: string | undefined;

/** Differs between two boots of the system. Where the system has no such id, two processes may disagree. */
export function bootId(): string {
  boot ??= linuxBootId() ?? roughBootId();
  return boot;
}

/** undefined if the system has no such id. */
export function linuxBootId(): string | undefined {
  return readSystemFile("/proc/sys/kernel/random/boot_id")?.trim();
}

/** The time of the boot, rounded to ten seconds. If two roundings differ, that only costs a verification. */
function roughBootId(): string {
  return `${Math.round((Date.now() / 1000 - os.uptime()) / 10)}`;
}
