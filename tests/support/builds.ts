import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "../../scripts/targets.ts";
import { binaries, cachedBuild } from "./binaries.ts";
import { launched, missingLauncher, type Refused } from "./launched.ts";
import { USER_ENV } from "./processes.ts";
import { TempFolder } from "./temp-folder.ts";

type ProgramName = "server" | "client";

/** One way in which the programs are built and run. */
export interface Build {
  readonly name: string;
  /** Why it can't run here; in CI it must. */
  readonly missing: string | undefined;
  /** Whether its programs have flock(2). */
  readonly hasFlock: boolean;
  prepare(): Promise<void>;
  command(program: ProgramName, args: readonly string[]): string[];
  /** The path of a file of this machine for this build. */
  path(local: string): string;
  readonly env: Record<string, string>;
  /** End what prepare() has left running. */
  finish(): Promise<void>;
}

const ARCH = process.arch === "arm64" ? "arm64" : "x64";
const MUSL_LOADER = `/lib/ld-musl-${ARCH === "arm64" ? "aarch64" : "x86_64"}.so.1`;

/** The build for this machine, with features that the system refuses. */
function native(name: string, refused: readonly Refused[]): Build {
  let programs: { server: string; client: string };
  return {
    name,
    hasFlock: refused.length === 0,
    missing: refused.length === 0 ? undefined : missingLauncher(refused),
    async prepare() {
      programs = await binaries();
    },
    command: (program, args) =>
      refused.length === 0 ? [programs[program], ...args] : launched(refused, [programs[program], ...args]),
    path: (local) => local,
    env: USER_ENV,
    async finish() {},
  };
}

/** For musl, on a system with the loader of musl and glibc's own C++ library as an archive. */
function musl(): Build {
  let folder = "";
  let libraries = "";
  return {
    name: "the musl build",
    hasFlock: true,
    missing: muslMissing(),
    async prepare() {
      folder = await cachedBuild(`linux-${ARCH}-musl`, (into) => build(into, `linux-${ARCH}-musl`));
      libraries = join(folder, "lib");
      if (!existsSync(libraries)) linkLibstdcxx(join(folder, "commserver-server"), libraries);
    },
    command: (program, args) => [join(folder, `commserver-${program}`), ...args],
    path: (local) => local,
    get env() {
      return { ...USER_ENV, LD_LIBRARY_PATH: libraries };
    },
    async finish() {},
  };
}

function muslMissing(): string | undefined {
  if (process.platform !== "linux") return "the musl build is for Linux";
  if (!existsSync(MUSL_LOADER)) return `there is no ${MUSL_LOADER} (Debian's package musl)`;
  if (Bun.which("gcc") === null) return "there is no gcc";
  const archive = Bun.spawnSync(["gcc", "-print-file-name=libstdc++.a"]).stdout.toString().trim();
  return archive.startsWith("/") ? undefined : "there is no libstdc++.a (Debian's package g++)";
}

/**
 * musl systems have their own libstdc++. The symbols that the program needs are linked from this system's archive, with
 * stand-ins for glibc functions that musl lacks.
 */
function linkLibstdcxx(program: string, into: string): void {
  const symbols = sh("readelf", "--dyn-syms", "--wide", program)
    .split("\n")
    .map((line) => line.trim().split(/\s+/)[7]?.replace(/@.*/, "") ?? "")
    .filter((name) =>
      /^(_Z(St|NSt|NKSt|TISt|TVSt|TVN10__cxx)|__cxa_(bad|dem|gua|pure)|__once_proxy|__dynamic_cast)/.test(name),
    );
  const building = `${into}.${process.pid}`;
  mkdirSync(building, { recursive: true });
  const stubs = join(import.meta.dir, "musl-stubs.c");
  const archive = (name: string) => sh("gcc", `-print-file-name=${name}`).trim();
  sh(
    ...["gcc", "-shared", "-fPIC", "-nostdlib", "-Wl,-soname,libstdc++.so.6", "-o", join(building, "libstdc++.so.6")],
    ...symbols.map((name) => `-Wl,-u,${name}`),
    ...[
      stubs,
      "-Wl,--start-group",
      archive("libstdc++.a"),
      archive("libgcc_eh.a"),
      archive("libgcc.a"),
      "-Wl,--end-group",
    ],
  );
  if (existsSync(into)) rmSync(building, { recursive: true });
  else renameSync(building, into);
}

/** For Windows, in Wine. Version 8 lacks a DLL of which Bun needs one function; Wine has it under another name. */
function wine(): Build {
  const loader = Bun.which("wine64") ?? ["/usr/lib/wine/wine64"].find((path) => existsSync(path));
  const server = Bun.which("wineserver") ?? ["/usr/lib/wine/wineserver64"].find((path) => existsSync(path));
  const linker = Bun.which("x86_64-w64-mingw32-ld");
  let folder = "";
  let home: TempFolder | undefined;
  return {
    name: "the Windows build in Wine",
    hasFlock: false,
    missing:
      loader === undefined || server === undefined
        ? "there is no Wine (Debian's package wine64)"
        : linker === null
          ? "there is no x86_64-w64-mingw32-ld (Debian's package binutils-mingw-w64-x86-64)"
          : undefined,
    async prepare() {
      folder = await cachedBuild("windows-x64", (into) => {
        build(into, "windows-x64");
        const exports = join(import.meta.dir, "bcryptprimitives.def");
        sh("x86_64-w64-mingw32-ld", "-shared", "-o", join(into, "bcryptprimitives.dll"), exports);
      });
      home = new TempFolder();
      // Creates the folder for drive C:.
      sh("env", ...Object.entries(this.env).map(([name, value]) => `${name}=${value}`), loader ?? "", "wineboot", "-i");
    },
    command: (program, args) => [loader ?? "", join(folder, `commserver-${program}.exe`), ...args],
    path: (local) => `Z:${local}`,
    get env() {
      return { WINEPREFIX: home?.join("wine") ?? "", WINEDEBUG: "-all", HOME: home?.path ?? "" };
    },
    async finish() {
      if (home === undefined) return;
      Bun.spawnSync([server ?? "", "-k"], { env: this.env });
      Bun.spawnSync([server ?? "", "-w"], { env: this.env });
      home[Symbol.dispose]();
    },
  };
}

function sh(...command: string[]): string {
  const { success, stdout, stderr } = Bun.spawnSync(command, { stdin: "ignore" });
  if (!success) throw new Error(`${command.join(" ")}: ${stderr}`);
  return stdout.toString();
}

export const BUILDS: readonly Build[] = [
  native("the build for this machine", []),
  native("the same without code made at run time", ["mdwe"]),
  native("the same where flock is ENOSYS", ["flock=ENOSYS"]),
  musl(),
  wine(),
];
