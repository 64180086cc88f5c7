import { chmodSync, existsSync, mkdirSync } from "node:fs";
import { TempFolder } from "./temp-folder.ts";

/** A disk that keeps no permissions: NTFS by FUSE, where everybody may do everything, whatever the mode. */
export class ModelessDisk implements Disposable {
  readonly #site = new TempFolder();
  readonly path = this.#site.join("disk");

  constructor() {
    const image = this.#site.join("image");
    // All users must be able to enter it.
    chmodSync(this.#site.path, 0o755);
    mkdirSync(this.path);
    run("truncate", "-s", "24M", image);
    run(MKNTFS, "--force", "--quick", "--quiet", image);
    run("ntfs-3g", image, this.path, "-o", "allow_other");
  }

  join(...names: string[]): string {
    return this.#site.join("disk", ...names);
  }

  [Symbol.dispose](): void {
    // Lazily, since a folder may be kept open for a moment.
    Bun.spawnSync(["umount", "-l", this.path]);
    this.#site[Symbol.dispose]();
  }
}

const MKNTFS = Bun.which("mkntfs") ?? "/usr/sbin/mkntfs";

/** Why there can be no such disk here; undefined if there can. In CI there must be: see isSkipped() in launched.ts. */
export const missingModeless: string | undefined = reason();

function reason(): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "only Linux's root mounts NTFS";
  if (Bun.which("ntfs-3g") === null || !existsSync(MKNTFS)) return "there is no ntfs-3g";
  return existsSync("/dev/fuse") ? undefined : "there is no /dev/fuse";
}

function run(...command: string[]): void {
  const { success, stderr, stdout } = Bun.spawnSync(command);
  if (!success) throw new Error(`${command.join(" ")}: ${stdout}${stderr}`);
}
