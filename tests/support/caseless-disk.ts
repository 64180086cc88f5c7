import { existsSync, mkdirSync, statSync } from "node:fs";
import { TempFolder } from "./temp-folder.ts";
import { until } from "./until.ts";

const MKFS = Bun.which("mkfs.exfat") ?? "/usr/sbin/mkfs.exfat";
const MOUNT = Bun.which("mount.exfat-fuse") ?? "/usr/sbin/mount.exfat-fuse";
const LOSETUP = Bun.which("losetup") ?? "/usr/sbin/losetup";

/**
 * A disk that ignores the case of letters, and that gives a file a different number for each spelling of its name:
 * exFAT by FUSE.
 */
export class CaselessDisk implements AsyncDisposable {
  readonly #site = new TempFolder();
  readonly path = this.#site.join("disk");
  #device = "";
  #child: Bun.Subprocess | undefined;

  static async make(): Promise<CaselessDisk> {
    const disk = new CaselessDisk();
    try {
      await disk.#mount();
      return disk;
    } catch (error) {
      await disk[Symbol.asyncDispose]();
      throw error;
    }
  }

  join(...names: string[]): string {
    return this.#site.join("disk", ...names);
  }

  async #mount(): Promise<void> {
    const image = this.#site.join("image");
    mkdirSync(this.path);
    const { dev } = statSync(this.path);
    run("truncate", "-s", "24M", image);
    run(MKFS, image);
    this.#device = run(LOSETUP, "-f", "--show", image);
    const child = Bun.spawn([MOUNT, "-d", this.#device, this.path], { stdout: "ignore", stderr: "ignore" });
    this.#child = child;
    await until(() => {
      if (child.exitCode !== null) throw new Error("exFAT can't be mounted");
      return statSync(this.path).dev !== dev;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    Bun.spawnSync(["umount", "-l", this.path]);
    this.#child?.kill();
    await this.#child?.exited;
    if (this.#device !== "") Bun.spawnSync([LOSETUP, "-d", this.#device]);
    this.#site[Symbol.dispose]();
  }
}

/** Why there can be no such disk here; undefined if there can. */
export function missingCaseless(): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "only Linux's root mounts exFAT";
  for (const program of [MKFS, MOUNT]) if (!existsSync(program)) return `there is no ${program}`;
  if (!existsSync("/dev/loop-control")) return "there are no loop devices";
  return existsSync("/dev/fuse") ? undefined : "there is no /dev/fuse";
}

function run(...command: string[]): string {
  const { success, stderr, stdout } = Bun.spawnSync(command);
  if (!success) throw new Error(`${command.join(" ")}: ${stdout}${stderr}`);
  return stdout.toString().trim();
}
