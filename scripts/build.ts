/**
 * Build both programs into dist/: for this machine, or with --all for every target, each in its own folder, with
 * SHA256SUMS of all. --out DIR builds elsewhere.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import packageJson from "../package.json" with { type: "json" };
import { compile, ROOT } from "./compile.ts";

const TARGETS = [
  "linux-x64",
  "linux-arm64",
  "linux-x64-musl",
  "linux-arm64-musl",
  "darwin-x64",
  "darwin-arm64",
  "windows-x64",
  "windows-arm64",
] as const;

const PROGRAMS = ["server", "client"] as const;

const { values } = parseArgs({ options: { all: { type: "boolean" }, out: { type: "string" } } });
const out = values.out ?? join(ROOT, "dist");
mkdirSync(out, { recursive: true });

if (values.all) await buildAll();
else for (const program of PROGRAMS) build(program, join(out, `commserver-${program}`));

async function buildAll(): Promise<void> {
  const files: string[] = [];
  for (const target of TARGETS) {
    const folder = `commserver-${packageJson.version}-${target}`;
    rmSync(join(out, folder), { recursive: true, force: true });
    for (const program of PROGRAMS) {
      const file = join(folder, `commserver-${program}${target.startsWith("windows") ? ".exe" : ""}`);
      build(program, join(out, file), target);
      files.push(file);
    }
  }
  let sums = "";
  for (const file of files) {
    const digest = new Bun.CryptoHasher("sha256");
    for await (const piece of Bun.file(join(out, file)).stream()) digest.update(piece);
    sums += `${digest.digest("hex")}  ${file.replaceAll("\\", "/")}\n`;
  }
  await Bun.write(join(out, "SHA256SUMS"), sums);
}

function build(program: (typeof PROGRAMS)[number], outfile: string, target?: string): void {
  compile(`${program}.ts`, outfile, { target, define: { COMMSERVER_VERSION: packageJson.version } });
  process.stderr.write(`built ${outfile}\n`);
}
