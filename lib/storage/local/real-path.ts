import fs from "node:fs";

/** A try fails if the path changes meanwhile. While a program exchanges names all the time, half of them fail. */
const MAX_TRIES = 100;

/**
 * The real path of what is at `path`, all links resolved. Nothing else in this program may resolve one: Bun opens the
 * path and asks the system for its name. When the disk is detached in between (`umount -l`, an unplugged stick), the
 * answer begins at that disk, "/" for its top and "/etc" for its folder `etc`: another folder of this machine, which
 * files would then be stored into, or sent and served from. Something that was removed in between gets a path that ends
 * in " (deleted)".
 *
 * @throws the system's error; ESTALE when it changes all the time
 */
export function realPath(path: string): string {
  for (let tries = 1; tries <= MAX_TRIES; tries++) {
    const real = fs.realpathSync.native(path);
    // Such an answer is shorter than the path, so a path that resolves to itself needs no second check.
    if (real === path || isSame(real, path)) return real;
  }
  throw Object.assign(new Error(`What is at ${path} changes all the time`), { code: "ESTALE" });
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map((path) => fs.statSync(path, { bigint: true, throwIfNoEntry: false }));
  return a !== undefined && a.ino === b?.ino && a.dev === b.dev;
}
