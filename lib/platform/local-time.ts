import { dlopen, ptr } from "bun:ffi";
import { DARWIN_LIBC, LINUX_LIBC, tried } from "./c-library.ts";

/** A time as clocks on the wall show it. */
export interface LocalTime {
  readonly year: number;
  /** From 1. */
  readonly month: number;
  readonly day: number;
  readonly hours: number;
  readonly minutes: number;
  readonly seconds: number;
}

/** struct tm is larger on every system; its first six numbers are the same on all. */
const TM_BYTES = 128;

/**
 * A timestamp (milliseconds since 1970) in the time zone of the system; undefined for one that no clock can show.
 *
 * By localtime_r(3), where the C library can be called: the first local time of a Date takes a tenth of the whole time
 * of a short command, because the runtime loads the rules of all zones for it.
 */
export function localTime(timestamp: number): LocalTime | undefined {
  if (Number.isNaN(new Date(timestamp).getTime())) return undefined;
  system ??= { localtime: tried(loadLocaltime) };
  return system.localtime?.(timestamp) ?? ofDate(new Date(timestamp));
}

let system: { readonly localtime: ((timestamp: number) => LocalTime | undefined) | undefined } | undefined;

function loadLocaltime(): ((timestamp: number) => LocalTime | undefined) | undefined {
  const library = { linux: LINUX_LIBC, darwin: DARWIN_LIBC }[process.platform as string];
  if (library === undefined) return undefined;
  const { symbols } = dlopen(library, { localtime_r: { args: ["ptr", "ptr"], returns: "ptr" } });
  const [time, tm] = [new BigInt64Array(1), new Int32Array(TM_BYTES / 4)];
  return (timestamp) => {
    time[0] = BigInt(Math.floor(timestamp / 1000));
    if (symbols.localtime_r(ptr(time), ptr(tm)) === null) return undefined;
    const [seconds = 0, minutes = 0, hours = 0, day = 0, month = 0, year = 0] = tm;
    return { year: year + 1900, month: month + 1, day, hours, minutes, seconds };
  };
}

function ofDate(date: Date): LocalTime {
  return {
    year: date.getFullYear(),
    month: date.getMonth() + 1,
    day: date.getDate(),
    hours: date.getHours(),
    minutes: date.getMinutes(),
    seconds: date.getSeconds(),
  };
}
