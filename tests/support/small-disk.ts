import { mkdirSync, rmSync } from "node:fs";
import { TempFolder } from "./temp-folder.ts";

/** A disk of a few megabytes, in memory. */
export class SmallDisk implements Disposable {
  readonly #parent = new TempFolder();
  readonly path = this.#parent.join("disk");

  constructor(bytes: number) {
    mkdirSync(this.path);
    const { success, stderr } = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", this.path]);
    if (!success) throw new Error(`no small disk: ${stderr}`);
  }

  join(...names: string[]): string {
    return this.#parent.join("disk", ...names);
  }

  [Symbol.dispose](): void {
    // Lazily, since a folder may be kept open for a moment.
    Bun.spawnSync(["umount", "-l", this.path]);
    rmSync(this.path, { recursive: true, force: true });
    this.#parent[Symbol.dispose]();
  }
}

/** Why there can be no small disk here; undefined if there can. For `test.skipIf`. */
export const noSmallDisk: string | undefined = reason();

/** The name of a test that may be skipped, with the reason when it is. */
export function smallDiskTest(name: string): string {
  return noSmallDisk === undefined ? name : `${name} (skipped: ${noSmallDisk})`;
}

function reason(): string | undefined {
  if (process.platform !== "linux") return "only Linux has tmpfs";
  if (process.getuid?.() !== 0) return "only root may mount";
  try {
    using _ = new SmallDisk(65_536);
    return undefined;
  } catch {
    return "this machine lets nobody mount";
  }
}
