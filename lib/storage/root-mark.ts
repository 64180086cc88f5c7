import { readFile, stat } from "node:fs/promises";

/** What the system has mounted where: its points are in the fifth column, with some characters in octal. */
const MOUNTS = "/proc/self/mountinfo";

/**
 * Which folder is at `place`, and which disks are mounted below `root`, its real path: another text when one of them comes or goes, which the
 * system tells nobody who watches folders. undefined when nothing is there.
 */
export async function markOf(place: string, root: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await stat(place, { bigint: true });
    return [`${dev} ${ino}`, ...(await mountsBelow(root))].join("\n");
  } catch {
    return undefined;
  }
}

async function mountsBelow(root: string): Promise<string[]> {
  const text = await readFile(MOUNTS, "utf8").catch(() => "");
  const below = root.endsWith("/") ? root : `${root}/`;
  return text.split("\n").filter((line) => `${decodePoint(line.split(" ")[4] ?? "")}/`.startsWith(below));
}

function decodePoint(point: string): string {
  return point.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
