import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { DiskTraits } from "./disk-traits.ts";
import { missingOverlay, missingSshfs, overlayMount, sshfsMounts } from "./mounts.ts";
import { TempFolder } from "./temp-folder.ts";
import { until } from "./until.ts";

/** A file system of its own, mounted for a test. */
export interface Disk extends AsyncDisposable {
  /** Where it is mounted. */
  readonly path: string;
  /** Like a stick that is unplugged and plugged in again. Only for disks with an image. */
  remount?(): Promise<void>;
}

export interface DiskKind extends DiskTraits {
  readonly name: string;
  /** Why there can be none here; undefined if there can. In CI there must be: see isSkipped() in launched.ts. */
  readonly missing: string | undefined;
  open(): Promise<Disk>;
}

const MB = 1024 * 1024;
const IMAGE_BYTES = 48 * MB;

/** The traits of all disks behind FUSE. */
const FUSE = { hidesOpenFiles: true, isSilent: true } as const;
/** The common traits of FAT and its relatives. */
const FAT = { isCaseless: true, isAllExecutable: true, refused: /["*/:<>?\\|\p{Cc}]/u } as const;
/** The kernel's drivers cut off trailing dots, and FAT refuses trailing spaces. */
const VFAT = { ...FAT, cutsDots: true, refused: /["*/:<>?\\|\p{Cc}]|[. ]$/u } as const;
const EXFAT = { ...FAT, cutsDots: true, refused: /["*/:<>?\\|\p{Cc}]|\.$/u } as const;

/** Every file system that this machine can mount. */
export const DISKS: readonly DiskKind[] = [
  image(
    "ext4 with inodes of 128 bytes",
    ["mkfs.ext4", "-q", "-F", "-I", "128", "-O", "^metadata_csum"],
    mountLoop,
    { timeStep: 1_000 }, //
  ),
  // With blocks of 1 KiB, as a small disk has.
  image("ext3", ["mkfs.ext3", "-q", "-F", "-I", "128"], mountLoop, { timeStep: 1_000, maxFile: 16 * 1024 ** 3 }),
  memory("tmpfs"),
  memory("ramfs"),
  {
    name: "overlay",
    missing: await missingOverlay(),
    timeStep: 1,
    isSilent: true,
    open: async () => lastOf(await overlayMount()),
  },
  { ...FUSE, name: "sshfs", missing: missingSshfs(), timeStep: 1_000, open: async () => lastOf(await sshfsMounts()) },
  image("ntfs-3g", ["mkntfs", "--force", "--quick", "--quiet"], mountNtfs, {
    ...FUSE,
    timeStep: 1,
    isAllExecutable: true,
  }),
  image("exfat-fuse", ["mkfs.exfat"], mountExfat, { ...FUSE, ...FAT, timeStep: 1_000 }),
  { ...FUSE, name: "bindfs", missing: missingOf("bindfs"), timeStep: 1, open: async () => openBindfs() },
  // Few systems in containers have them: guest.sh of tests/disks is for those.
  ...ofKernel("vfat", ["mkfs.vfat", "-F", "32"], { ...VFAT, timeStep: 2_000, maxFile: 2 ** 32 - 1 }),
  ...ofKernel("exfat", ["mkfs.exfat"], { ...EXFAT, timeStep: 10 }),
];

/** A file system that is tested only if the kernel has it already. */
function ofKernel(name: string, make: readonly string[], traits: DiskTraits): DiskKind[] {
  const known = existsSync("/proc/filesystems") ? readFileSync("/proc/filesystems", "utf8") : "";
  if (!known.split("\n").includes(`\t${name}`)) return [];
  const mount: Mount = (file, path) => {
    run("mount", "-o", "loop", "-t", name, file, path);
    return () => {};
  };
  return [
    {
      ...traits,
      name: `kernel's ${name}`,
      missing: missingOf(make[0] ?? ""),
      open: async () => openImage(make, mount),
    },
  ];
}

/** A mounted image, unmounted when it is disposed of. */
function image(name: string, make: readonly string[], mount: Mount, traits: DiskTraits): DiskKind {
  const needs = [make[0] ?? "", name.includes("-fuse") ? "mount.exfat-fuse" : (name.split(" ")[0] ?? "")];
  const missing = missingOf(...needs.filter((need) => !need.startsWith("ext")));
  return { ...traits, name, missing, open: async () => openImage(make, mount) };
}

/** Mounts an image. Returns a function to call after it was unmounted. */
type Mount = (file: string, path: string) => () => void;

function openImage(make: readonly string[], mount: Mount): Disk {
  const site = new TempFolder();
  const [file, path] = [site.join("image"), site.join("disk")];
  mkdirSync(path);
  run("truncate", "-s", String(IMAGE_BYTES), file);
  run(...make.map((part, index) => (index === 0 ? commandOf(part) : part)), file);
  let release = mount(file, path);
  const unmount = () => {
    // A folder may be kept open for a moment; then the disk goes when that is closed.
    if (!Bun.spawnSync(["umount", path]).success) Bun.spawnSync(["umount", "-l", path]);
    release();
  };
  return {
    path,
    async remount() {
      // A descriptor of a folder may be kept for a moment.
      await until(() => Bun.spawnSync(["umount", path]).success || undefined);
      release();
      release = mount(file, path);
    },
    async [Symbol.asyncDispose]() {
      unmount();
      site[Symbol.dispose]();
    },
  };
}

function mountLoop(file: string, path: string): () => void {
  run("mount", "-o", "loop", file, path);
  return () => {};
}

function mountNtfs(file: string, path: string): () => void {
  run("ntfs-3g", file, path);
  return () => {};
}

function mountExfat(file: string, path: string): () => void {
  const device = run("losetup", "-f", "--show", file).trim();
  run(commandOf("mount.exfat-fuse"), device, path);
  return () => void Bun.spawnSync(["losetup", "-d", device]);
}

function memory(name: "tmpfs" | "ramfs"): DiskKind {
  const missing = process.getuid?.() === 0 ? undefined : "only root may mount";
  return {
    name,
    missing,
    timeStep: 1,
    async open() {
      const site = new TempFolder();
      const path = site.join("disk");
      mkdirSync(path);
      run("mount", "-t", name, name, path);
      return {
        path,
        async [Symbol.asyncDispose]() {
          Bun.spawnSync(["umount", "-l", path]);
          rmSync(path, { recursive: true, force: true });
          site[Symbol.dispose]();
        },
      };
    },
  };
}

function openBindfs(): Disk {
  const site = new TempFolder();
  const [real, path] = [site.join("real"), site.join("disk")];
  for (const folder of [real, path]) mkdirSync(folder);
  run("bindfs", real, path);
  return {
    path,
    async [Symbol.asyncDispose]() {
      Bun.spawnSync(["umount", "-l", path]);
      site[Symbol.dispose]();
    },
  };
}

function lastOf({ paths, [Symbol.asyncDispose]: end }: { paths: readonly string[] } & AsyncDisposable): Disk {
  return { path: paths.at(-1) ?? "", [Symbol.asyncDispose]: () => end() };
}

/** Also finds commands outside a user's path. */
function commandOf(name: string): string {
  return Bun.which(name) ?? ["/usr/sbin", "/sbin"].map((folder) => join(folder, name)).find(existsSync) ?? name;
}

function missingOf(...commands: readonly string[]): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "only Linux's root may mount";
  const absent = commands.find((name) => !existsSync(commandOf(name)));
  if (absent !== undefined) return `there is no ${absent}`;
  return existsSync("/dev/fuse") && existsSync("/dev/loop-control")
    ? undefined
    : "there is no /dev/fuse or no loop device";
}

function run(...command: string[]): string {
  const { success, stderr, stdout } = Bun.spawnSync(command);
  if (!success) throw new Error(`${command.join(" ")}: ${stdout}${stderr}`);
  return stdout.toString();
}
