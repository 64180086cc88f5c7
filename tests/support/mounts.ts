import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { python } from "./python.ts";
import { TempFolder } from "./temp-folder.ts";

/** One folder that can be reached in several ways, between which the system's locks are not shared. */
export interface Ways extends AsyncDisposable {
  /** The folder itself first. */
  readonly paths: readonly string[];
}

/** Two sshfs mounts of one folder. */
export async function sshfsMounts(): Promise<Ways> {
  const site = new TempFolder();
  const paths = ["real", "one", "other"].map((name) => site.join(name));
  for (const path of paths) mkdirSync(path);
  const child = Bun.spawn(python(join(import.meta.dir, "sshfs.py"), ...paths), {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const { value } = await child.stdout.getReader().read();
  const end = async () => {
    child.stdin.end();
    await child.exited;
    site[Symbol.dispose]();
  };
  // The end of the line may arrive later.
  if (
    !Buffer.from(value ?? [])
      .toString()
      .startsWith("mounted")
  ) {
    await end();
    throw new Error("sshfs does not work here");
  }
  return { paths, [Symbol.asyncDispose]: end };
}

/** An overlay, and the upper layer that it writes to. */
export async function overlayMount(): Promise<Ways> {
  const site = new TempFolder();
  const disk = site.join("disk");
  mkdirSync(disk);
  // Not every disk can be an upper layer, but one in memory can.
  mount("-t", "tmpfs", "tmpfs", disk);
  const [lower, upper, work, merged] = ["lower", "upper", "work", "merged"].map((name) => join(disk, name)) as [
    string,
    string,
    string,
    string,
  ];
  for (const folder of [lower, upper, work, merged]) mkdirSync(folder);
  mount("-t", "overlay", "overlay", "-o", `lowerdir=${lower},upperdir=${upper},workdir=${work}`, merged);
  return {
    paths: [upper, merged],
    async [Symbol.asyncDispose]() {
      for (const place of [merged, disk]) Bun.spawnSync(["umount", "-l", place]);
      site[Symbol.dispose]();
    },
  };
}

/** Why there can be no such mounts here; undefined if there can. */
export function missingSshfs(): string | undefined {
  if (Bun.which("sshfs") === null) return "there is no sshfs";
  if (!existsSync("/usr/lib/openssh/sftp-server")) return "there is no /usr/lib/openssh/sftp-server";
  return existsSync("/dev/fuse") ? undefined : "there is no /dev/fuse";
}

export async function missingOverlay(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "only root may mount";
  try {
    await using _ = await overlayMount();
    return undefined;
  } catch {
    return "no overlay can be mounted";
  }
}

function mount(...args: string[]): void {
  const { success, stderr } = Bun.spawnSync(["mount", ...args]);
  if (!success) throw new Error(`mount ${args.join(" ")}: ${stderr}`);
}
