import fs, { type BigIntStats } from "node:fs";
import { readFile, stat } from "node:fs/promises";

/** What the system has mounted where: its points are in the fifth column, with some characters in octal. */
const MOUNTS = "/proc/self/mountinfo";

/**
 * Which folder is at `place`, and which disks are mounted below `root`, its real path. The text changes when one of
 * them comes or goes, which watched folders don't report.
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

/** As markNow(), of a disk that may take its time; undefined when nothing is there. */
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
