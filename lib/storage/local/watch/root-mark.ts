import fs, { type BigIntStats } from "node:fs";
import { readFile, stat } from "node:fs/promises";

/** The system's mounts: the mount point is in the fifth column, with some characters in octal. */
const MOUNTS = "/proc/self/mountinfo";

/**
 * A text that identifies the folder at `place`, and the disks mounted below `root`, its real path. It changes when one
 * of them comes or goes, which watched folders don't report.
 *
 * @throws the system's error when nothing is there
 */
export function markNow(place: string, root: string): string {
  return markOf(
    fs.statSync(place, { bigint: true }),
    fs.existsSync(MOUNTS) ? fs.readFileSync(MOUNTS, "utf8") : "",
    root,
  );
}

/** As markNow(), for a disk that may be slow; undefined when nothing is there. */
export async function askMark(place: string, root: string): Promise<string | undefined> {
  try {
    return markOf(await stat(place, { bigint: true }), await readFile(MOUNTS, "utf8").catch(() => ""), root);
  } catch {
    return undefined;
  }
}

function markOf({ dev, ino }: BigIntStats, mounts: string, root: string): string {
  const below = root.endsWith("/") ? root : `${root}/`;
  const lines = mounts.split("\n").filter((line) => `${decodePoint(line.split(" ")[4] ?? "")}/`.startsWith(below));
  return [`${dev} ${ino}`, ...lines].join("\n");
}

function decodePoint(point: string): string {
  return point.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
