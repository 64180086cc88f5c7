import { linkSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
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

/**
 * Compile both programs into a folder: for a target, or for this machine. They are one file under two names where files
 * can have two, in archives as on disks: the runtime is nearly all of it.
 */
export function build(folder: string, target?: Target): void {
  const options = { target, define: { COMMSERVER_VERSION: packageJson.version } };
  const [server, client] = PROGRAMS.map((program) => join(folder, fileOf(program, target))) as [string, string];
  mkdirSync(folder, { recursive: true });
  if (target?.startsWith("windows") || process.platform === "win32") {
    compile("server.ts", server, options);
    compile("client.ts", client, options);
  } else {
    compile("commserver.ts", server, options);
    rmSync(client, { force: true });
    linkSync(server, client);
  }
  process.stderr.write(`built ${server}\nbuilt ${client}\n`);
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
