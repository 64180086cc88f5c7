import { closeSync, openSync, statSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { TempFolder } from "./temp-folder.ts";

/** Create a file of this size with these bytes in it, and holes around them. */
export function makeSparse(path: string, size: number, data: Record<number, Uint8Array>): void {
  writeFileSync(path, "");
  truncateSync(path, size);
  const fd = openSync(path, "r+");
  for (const [offset, bytes] of Object.entries(data)) writeSync(fd, bytes, 0, bytes.length, Number(offset));
  closeSync(fd);
}

/** Bytes that it takes on its disk. */
export function keptBytes(path: string): number {
  return statSync(path).blocks * 512;
}

function find(): string | undefined {
  if (process.platform !== "linux") return "holes are found on Linux alone";
  using folder = new TempFolder();
  makeSparse(folder.join("a"), 2 ** 24, {});
  return keptBytes(folder.join("a")) < 2 ** 20 ? undefined : "the disk of the temporary folder keeps no holes";
}

/** Why holes can't be tested here; undefined if they can. */
export const noHoles = find();
if (noHoles !== undefined) console.log(`Tests of holes are skipped: ${noHoles}.`);
