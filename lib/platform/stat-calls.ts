import { dlopen, ptr } from "bun:ffi";
import type { BigIntStats } from "node:fs";
import { firstName, LINUX_LIBC, onLinux } from "./c-library.ts";

/** What lists tell of a file, a folder or anything else with a name. */
export type NodeStats = Readonly<Pick<BigIntStats, "dev" | "ino" | "mode" | "size" | "mtimeNs">>;

/** Calls for walks through a hundred thousand files. */
export interface StatCalls {
  /**
   * The facts of `name` in an open folder, without following a link: statx(2). undefined on any failure. Takes half the
   * time of fs.lstatSync(), whose path leads through /proc.
   */
  readonly statAt: ((folder: number, name: string) => NodeStats | undefined) | undefined;
  /**
   * How often this thread has waited for something, such as a disk. It does not count when another thread or program
   * had the processor.
   */
  readonly waits: (() => number) | undefined;
}

export function loadStatCalls(): StatCalls {
  return { statAt: onLinux(loadStatx), waits: onLinux(loadGetrusage) };
}

/** As lstat(2): neither follow a link nor mount anything. */
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_NO_AUTOMOUNT = 0x800;
const STATX_BASIC_STATS = 0x7ff;
const STATX_BYTES = 256;
const NS_PER_SECOND = 1_000_000_000n;

function loadStatx(): StatCalls["statAt"] {
  const { symbols } = dlopen(LINUX_LIBC, {
    statx: { args: ["i32", "ptr", "i32", "u32", "ptr"], returns: "i32" },
  });
  // struct statx, in host order; glibc and musl take the same.
  const bytes = new ArrayBuffer(STATX_BYTES);
  const u16 = new Uint16Array(bytes);
  const u32 = new Uint32Array(bytes);
  const u64 = new BigUint64Array(bytes);
  const i64 = new BigInt64Array(bytes);
  const target = ptr(bytes);
  let dev: { major: number; minor: number; id: bigint } = { major: 0, minor: 0, id: 0n };
  return (folder, name) => {
    const flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;
    if (symbols.statx(folder, firstName(name), flags, STATX_BASIC_STATS, target) !== 0) return undefined;
    const [major, minor] = [u32[34] as number, u32[35] as number];
    if (major !== dev.major || minor !== dev.minor) dev = { major, minor, id: deviceId(major, minor) };
    return {
      dev: dev.id,
      ino: u64[4] as bigint,
      mode: BigInt(u16[14] as number),
      size: u64[5] as bigint,
      mtimeNs: (i64[14] as bigint) * NS_PER_SECOND + BigInt(u32[30] as number),
    };
  };
}

/** The number of a device, as stat(2) reports it (makedev(3)). */
function deviceId(major: number, minor: number): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)];
  return ((high & 0xfffff000n) << 32n) | ((high & 0xfffn) << 8n) | ((low & 0xffffff00n) << 12n) | (low & 0xffn);
}

const RUSAGE_THREAD = 1;
/** Two times and 14 numbers. */
const RUSAGE_BYTES = 144;
/** The place of ru_nvcsw among the 64-bit numbers of struct rusage. */
const VOLUNTARY_SWITCHES = 16;

function loadGetrusage(): StatCalls["waits"] {
  const { symbols } = dlopen(LINUX_LIBC, { getrusage: { args: ["i32", "ptr"], returns: "i32" } });
  const usage = new BigInt64Array(new ArrayBuffer(RUSAGE_BYTES));
  const target = ptr(usage);
  return () => {
    symbols.getrusage(RUSAGE_THREAD, target);
    return Number(usage[VOLUNTARY_SWITCHES]);
  };
}
