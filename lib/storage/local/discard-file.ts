import fs from "node:fs";

/**
 * Remove the open file at `place`, and close it. Removing comes first: a file system in user space learns of a close
 * later than of a removal, and may keep a file that was removed in between for ever, as `.fuse_hidden…`. Windows closes
 * first, since it can't remove an open file.
 *
 * @throws the system's error; the file is closed even then
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
