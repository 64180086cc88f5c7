import { defaultStateDir } from "../state/state-dir.ts";
import type { Flags } from "./flags.ts";
import { UsageError } from "./usage-error.ts";

/** The state folder that the flag names, or the usual one. @throws StorageError when the user has no home folder */
export function stateDirFlag(flags: Flags): string {
  return String(flags["state-dir"] ?? defaultStateDir());
}

/** A whole number from `min` to `max`. @throws UsageError */
export function integerFlag(flags: Flags, name: string, min: number, max: number): number {
  const text = String(flags[name]);
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) {
    throw new UsageError(`--${name} takes a whole number from ${min} to ${max}, not "${text}".`);
  }
  return value;
}

const SIZE_UNITS: Readonly<Record<string, number>> = {
  "": 1,
  B: 1,
  K: 1e3,
  KB: 1e3,
  KIB: 1024,
  M: 1e6,
  MB: 1e6,
  MIB: 1024 ** 2,
  G: 1e9,
  GB: 1e9,
  GIB: 1024 ** 3,
  T: 1e12,
  TB: 1e12,
  TIB: 1024 ** 4,
};

/** A size in bytes: `500`, `64M`, `1.5GB`, `10 GiB`; undefined when the flag is absent. @throws UsageError */
export function sizeFlag(flags: Flags, name: string): number | undefined {
  if (flags[name] === undefined) return undefined;
  const text = String(flags[name]);
  const [, digits = "", unit = ""] = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text) ?? [];
  const bytes = Math.round(Number(digits) * (SIZE_UNITS[unit.toUpperCase()] ?? Number.NaN));
  if (digits !== "" && Number.isSafeInteger(bytes)) return bytes;
  throw new UsageError(`--${name} takes a size, such as 64M or 1.5GB, not "${text}".`);
}

/** Slower than this, a session's heartbeat would wait too long for its files. */
const MIN_RATE = 16_000;

/** Bytes a second; undefined when the flag is absent. @throws UsageError */
export function rateFlag(flags: Flags, name: string): number | undefined {
  const rate = sizeFlag(flags, name);
  if (rate === undefined || rate >= MIN_RATE) return rate;
  throw new UsageError(`--${name} takes at least ${MIN_RATE} bytes a second.`);
}

const PERIODS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** As expiryOf(), for the value of a flag. @throws UsageError */
export function expiryFlag(flags: Flags, name: string, now: number): number | undefined {
  return flags[name] === undefined ? undefined : expiryOf(String(flags[name]), name, now);
}

/** A period from `now`, such as `12h` or `30d`, as a time in milliseconds since 1970. @throws UsageError */
export function expiryOf(text: string, name: string, now: number): number {
  const ms = periodOf(text);
  if (ms !== undefined) return now + ms;
  throw new UsageError(`--${name} takes a period, such as 12h or 30d, not "${text}".`);
}

/**
 * A time before `now`: a period such as `12h` or `7d`, a day (`2026-11-01`), or a time of a day (`2026-11-01T14:30`), of
 * this machine's zone unless it names one; undefined when the flag is absent.
 *
 * @returns milliseconds since 1970
 * @throws UsageError
 */
export function timeFlag(flags: Flags, name: string, now: number): number | undefined {
  if (flags[name] === undefined) return undefined;
  const text = String(flags[name]);
  const ms = periodOf(text);
  if (ms !== undefined) return now - ms;
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text);
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?$/.test(text);
  const time = isDay || isTime ? new Date(isDay ? `${text}T00:00` : text).getTime() : Number.NaN;
  if (!Number.isNaN(time)) return time;
  throw new UsageError(`--${name} takes a period, such as 12h or 7d, or a day, such as 2026-11-01, not "${text}".`);
}

/** In milliseconds; undefined for anything but a period of at most 100 years. */
function periodOf(text: string): number | undefined {
  const [, count = "", unit = ""] = /^(\d+)([smhd])$/.exec(text) ?? [];
  const ms = Number(count) * (PERIODS[unit] ?? Number.NaN);
  return ms > 0 && ms <= 100 * 365 * 86_400_000 ? ms : undefined;
}

/** Seconds, with a fraction if need be, as milliseconds. @throws UsageError */
export function secondsFlag(flags: Flags, name: string): number {
  const text = String(flags[name]);
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(value > 0 && value <= 86_400))
    throw new UsageError(`--${name} takes seconds, such as 10 or 2.5, not "${text}".`);
  return Math.ceil(value * 1000);
}
