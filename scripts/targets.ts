import packageJson from "../package.json" with { type: "json" };
import { compile } from "./compile.ts";

/** The systems that there are programs for, by Bun's names. */
export const TARGETS = [
  "linux-x64",
  "linux-arm64",
  "linux-x64-musl",
  "linux-arm64-musl",
  "darwin-x64",
  "darwin-arm64",
  "windows-x64",
  "windows-arm64",
] as const;
export type Target = (typeof TARGETS)[number];

export const PROGRAMS = ["server", "client"] as const;

/** The file of a program for a target. */
export function fileOf(program: (typeof PROGRAMS)[number], target?: Target): string {
  return `commserver-${program}${target?.startsWith("windows") ? ".exe" : ""}`;
}

/** Compile a program for a target, or for this machine. */
export function build(program: (typeof PROGRAMS)[number], outfile: string, target?: Target): void {
  compile(`${program}.ts`, outfile, { target, define: { COMMSERVER_VERSION: packageJson.version } });
  process.stderr.write(`built ${outfile}\n`);
}

/** A line of SHA256SUMS for each file, whose names are relative to `folder`. */
export async function sumsOf(folder: string, files: readonly string[]): Promise<string> {
  let sums = "";
  for (const file of files) {
    const digest = new Bun.CryptoHasher("sha256");
    for await (const piece of Bun.file(`${folder}/${file}`).stream()) digest.update(piece);
    sums += `${digest.digest("hex")}  ${file.replaceAll("\\", "/")}\n`;
  }
  return sums;
}
