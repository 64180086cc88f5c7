import { existsSync } from "node:fs";
import { spawnSync } from "bun";

/** The programs that read and write tars, each with what installs it. */
export const TARS = [
  { name: "GNU tar", command: ["tar"], install: "tar" },
  { name: "bsdtar", command: ["bsdtar"], install: "libarchive-tools" },
  { name: "BusyBox", command: ["busybox", "tar"], install: "busybox" },
] as const;

export type Tar = (typeof TARS)[number];

export function missingTar({ command, name }: Tar): boolean {
  const isMissing = Bun.which(command[0]) === null;
  if (isMissing && Bun.env["CI"] !== "true") console.warn(`skipped: there is no ${name}`);
  return isMissing && Bun.env["CI"] !== "true";
}

/** Run a tar with this standard input. */
export function runTar(tar: Tar, flags: readonly string[], cwd: string, stdin?: Uint8Array) {
  if (!existsSync(cwd)) throw new Error(`There is no ${cwd}.`);
  const { exitCode, stdout, stderr } = spawnSync([...tar.command, ...flags], {
    cwd,
    stdin: stdin ?? "ignore",
    env: { PATH: Bun.env["PATH"] ?? "", LC_ALL: "C.UTF-8", TZ: "UTC" },
  });
  return { exitCode, stdout, stderr: stderr.toString() };
}
