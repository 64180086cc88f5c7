import fs, { type BigIntStats } from "node:fs";
import { setTimes } from "./file-io.ts";
import { countOf } from "./local-file.ts";
import { uniquePartName } from "./names/part-names.ts";
import type { OpenFolder } from "./open-folder.ts";
import { OWN_FILE } from "./rights.ts";

/** What a disk makes of a time, in milliseconds since 1970: a multiple of `step` in its range. */
interface Grain {
  readonly step: number;
  /** It takes the next multiple, and not the one before. */
  readonly isUp: boolean;
  readonly min: number;
  readonly max: number;
}

/** The steps of FAT are the longest. */
const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000];
const MAX_STEP = 2_000;
/** Before and after these some disk has no times: FAT (1980, of some time zone), 32 bits of seconds (2038). */
const SURELY_FROM = Date.UTC(1980, 0, 3);
const SURELY_TO = Date.UTC(2038, 0, 18);
/** Set one after the other, to see what becomes of them. Of the last two pairs each is beyond the range of most. */
const TRIED = [1_987, 555, 3_999, 1_013].map((ms) => 1e12 + ms);
const TOO_EARLY = [1_000, 2_000_000_000] as const;
const TOO_LATE = [1e15, 8e15] as const;
/** Another disk may be mounted meanwhile, and be given the same number. */
const LEARNT_MS = 60_000;

/** What the disks of a tree keep of a file's time, each tried out when it is first in question. */
export class KeptTimes {
  readonly #byDevice = new Map<bigint, { grain: Grain | undefined; until: number }>();

  /**
   * Whether a file in `folder` with these facts has the time that its disk makes of `modifiedAt`. A file of another time
   * that the disk can't tell from it has so, too.
   */
  isKept(folder: OpenFolder, there: BigIntStats, modifiedAt: number): boolean {
    const kept = countOf(there.mtimeMs);
    if (kept === modifiedAt) return true;
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

/** Try it out with an empty file. undefined where none can be made, or where there is no rule to be seen. */
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
      fs.closeSync(fd);
      fs.rmSync(folder.at(name), { force: true });
    }
  } catch {
    return undefined;
  }
}

/** `keep`: what the disk makes of a time. undefined when that follows no rule. */
export function grainSeen(keep: (time: number) => number): Grain | undefined {
  const seen = TRIED.map((time) => ({ time, kept: keep(time) }));
  const [early, later] = TOO_EARLY.map(keep);
  const [late, latest] = TOO_LATE.map(keep);
  // Some disks make anything of what is out of their range: only one and the same time is its end.
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
