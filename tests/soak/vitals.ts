import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** What a process holds. */
export interface Vitals {
  /** Kinds of open descriptors, with how many there are. */
  readonly descriptors: Readonly<Record<string, number>>;
  readonly count: number;
  readonly rssMegabytes: number;
}

/** @throws when the process is gone */
export function vitalsOf(pid: number): Vitals {
  const descriptors: Record<string, number> = {};
  let count = 0;
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    const target = targetOf(`/proc/${pid}/fd/${fd}`);
    if (target === undefined) continue;
    count++;
    const kind = target.replace(/\[\d+\]$/, "");
    descriptors[kind] = (descriptors[kind] ?? 0) + 1;
  }
  const rss = Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
  return { descriptors, count, rssMegabytes: rss / 1024 };
}

/** What `now` has more of than `before`: `kind +n`. */
export function growthOf(before: Vitals, now: Vitals): string[] {
  return Object.entries(now.descriptors).flatMap(([kind, count]) => {
    const more = count - (before.descriptors[kind] ?? 0);
    return more > 0 ? [`${kind} +${more}`] : [];
  });
}

function targetOf(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    return undefined;
  }
}
