import fs from "node:fs";

/**
 * Whether some process holds a flock(2) on this very file, for who can't ask the system itself. Linux tells it in
 * proc_locks(5), of the processes that this one may see; elsewhere the answer is false.
 */
export function isFlocked({ dev, ino }: { readonly dev: bigint; readonly ino: bigint }): boolean {
  let locks: string;
  try {
    locks = fs.readFileSync("/proc/locks", "latin1");
  } catch {
    return false;
  }
  const [major, minor] = deviceNumbers(dev);
  for (const line of locks.split("\n")) {
    const found = /FLOCK .* ([0-9a-f]+):([0-9a-f]+):(\d+) /.exec(line);
    if (found === null || BigInt(found[3] as string) !== ino) continue;
    const theirs = Number.parseInt(found[1] as string, 16);
    // Major 0: what has no device of its own (btrfs, overlay) may have another number here than stat(2) gives it.
    if (theirs === 0 || (theirs === major && Number.parseInt(found[2] as string, 16) === minor)) return true;
  }
  return false;
}

/** As makedev(3) of glibc and musl puts them together. */
function deviceNumbers(dev: bigint): [major: number, minor: number] {
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn);
  const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn);
  return [Number(major), Number(minor)];
}
