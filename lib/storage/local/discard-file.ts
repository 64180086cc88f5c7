import fs from "node:fs";

/**
 * Remove the open file at `place`, and close it. In this order: a file system in user space hears of a close later than of
 * a removal, and may keep what was removed in between for ever, as `.fuse_hidden…`. Windows removes nothing that is open.
 *
 * @throws the system's error; the file is closed then, too
 */
export function discardFile(fd: number, place: string): void {
  const remove = () => fs.rmSync(place, { force: true });
  const isRemovedOpen = process.platform !== "win32";
  try {
    if (isRemovedOpen) remove();
  } finally {
    fs.closeSync(fd);
  }
  if (!isRemovedOpen) remove();
}
