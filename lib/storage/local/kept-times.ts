import fs, { type BigIntStats } from "node:fs";
import { discardFile } from "./discard-file.ts";
import { setTimes, settableTime } from "./file-io.ts";
import { countOf } from "./local-file.ts";
import { uniquePartName } from "./names/part-names.ts";
import type { OpenFolder } from "./open-folder.ts";
import { OWN_FILE } from "./rights.ts";

/** How a disk rounds a time, in milliseconds since 1970: to a multiple of `step` within its range. */
interface Grain {
  readonly step: number;
  /** Rounds up, not down. */
  readonly isUp: boolean;
  readonly min: number;
  readonly max: number;
}

/** The steps of FAT are the longest. */
const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000];
const MAX_STEP = 2_000;
/** Some disks have no times before or after these: FAT (1980, in some time zone), 32-bit seconds (2038). */
const SURELY_FROM = Date.UTC(1980, 0, 3);
const SURELY_TO = Date.UTC(2038, 0, 18);
/**
 * Times to set one after the other, to see how the disk rounds them. The last two pairs are outside the range of most
 * disks.
 */
const TRIED = [1_987, 555, 3_999, 1_013].map((ms) => 1e12 + ms);
const TOO_EARLY = [1_000, 2_000_000_000] as const;
const TOO_LATE = [1e15, 8e15] as const;
/** How long a result is valid: another disk may be mounted meanwhile, with the same device number. */
const LEARNT_MS = 60_000;

/** How the disks of a tree round times. Each disk is probed when it first matters. */
export class KeptTimes {
  readonly #byDevice = new Map<bigint, { grain: Grain | undefined; until: number }>();

  /**
   * Whether a file in `folder` with these facts has the time to which its disk rounds `wanted`. Also true for other
   * times that round to the same.
   */
  isKept(folder: OpenFolder, there: BigIntStats, wanted: number): boolean {
    const kept = countOf(there.mtimeMs);
    const modifiedAt = settableTime(wanted);
    if (kept === wanted || kept === modifiedAt) return true;
    const isInRange = modifiedAt > SURELY_FROM && modifiedAt < SURELY_TO;
    if (isInRange && Math.abs(kept - modifiedAt) >= MAX_STEP) return false;
    const grain = this.#grainOf(folder, there.dev);
    return grain !== undefined && kept === Math.max(0, timeOn(grain, modifiedAt));
  }

  #grainOf(folder: OpenFolder, device: bigint): Grain | undefined {
    const now = performance.now();
    const known = this.#byDevice.get(device);
    if (known !== undefined && known.until > now) return known.grain;
    const grain = learn(folder);
    this.#byDevice.set(device, { grain, until: now + LEARNT_MS });
    return grain;
  }
}

/** Probe with an empty file. undefined when none can be created, or when the disk follows no rule. */
function learn(folder: OpenFolder): Grain | undefined {
  const name = uniquePartName("times");
  try {
    const fd = folder.create(name, OWN_FILE);
    try {
      return grainSeen((modifiedAt) => {
        setTimes(fd, { modifiedAt });
        return Number(fs.fstatSync(fd, { bigint: true }).mtimeMs);
      });
    } finally {
      discardFile(fd, folder.at(name));
    }
  } catch {
    return undefined;
  }
}

/** `keep`: how the disk rounds a time. undefined when that follows no rule. */
export function grainSeen(keep: (time: number) => number): Grain | undefined {
  const seen = TRIED.map((time) => ({ time, kept: keep(time) }));
  const [early, later] = TOO_EARLY.map(keep);
  const [late, latest] = TOO_LATE.map(keep);
  // Outside their range, some disks return any time. Only if two of them come out the same is that the end of the
  // range.
  const min = early === later && early !== undefined && early > TOO_EARLY[1] ? early : Number.NEGATIVE_INFINITY;
  const max = late === latest && late !== undefined && late < TOO_LATE[0] ? late : Number.POSITIVE_INFINITY;
  if (min >= Math.min(...TRIED) || max <= Math.max(...TRIED)) return undefined;
  for (const step of STEPS) {
    for (const isUp of [false, true]) {
      const grain = { step, isUp, min, max };
      if (seen.every(({ time, kept }) => timeOn(grain, time) === kept)) return grain;
    }
  }
  return undefined;
}

function timeOn({ step, isUp, min, max }: Grain, time: number): number {
  const steps = time / step;
  return Math.min(max, Math.max(min, (isUp ? Math.ceil(steps) : Math.floor(steps)) * step));
}
