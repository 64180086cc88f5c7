import fs from "node:fs";

/** Each try meets another change of what is at the path: half of them do while a program exchanges names all the time. */
const MAX_TRIES = 100;

/**
 * The real path of what is at `path`, all links resolved. Nothing else of this program may ask for one: Bun opens the
 * path and asks the system where that is. When the disk is detached in between (`umount -l`, a stick that is pulled out),
 * the answer begins at that disk, "/" for its top and "/etc" for its folder `etc`: another folder of this machine, to
 * which files would come, and from which they would be sent or served. What was removed in between gets a path that ends
 * in " (deleted)".
 *
 * @throws the system's error; ESTALE when it changes all the time
 */
export function realPath(path: string): string {
  for (let tries = 1; tries <= MAX_TRIES; tries++) {
    const real = fs.realpathSync.native(path);
    // Such an answer is shorter than the path, so a path that leads to itself needs no second look.
    if (real === path || isSame(real, path)) return real;
  }
  throw Object.assign(new Error(`What is at ${path} changes all the time`), { code: "ESTALE" });
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map((path) => fs.statSync(path, { bigint: true, throwIfNoEntry: false }));
  return a !== undefined && a.ino === b?.ino && a.dev === b.dev;
}
