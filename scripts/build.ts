/**
 * Build both programs into dist/: for this machine, or with --all for every target, each in its own folder, with
 * SHA256SUMS of all. --out DIR builds elsewhere.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import packageJson from "../package.json" with { type: "json" };
import { ROOT } from "./compile.ts";
import { build, fileOf, PROGRAMS, sumsOf, TARGETS } from "./targets.ts";

const { values } = parseArgs({ options: { all: { type: "boolean" }, out: { type: "string" } } });
const out = values.out ?? join(ROOT, "dist");
mkdirSync(out, { recursive: true });

if (values.all) await buildAll();
else for (const program of PROGRAMS) build(program, join(out, fileOf(program)));

async function buildAll(): Promise<void> {
  const files: string[] = [];
  for (const target of TARGETS) {
    const folder = `commserver-${packageJson.version}-${target}`;
    rmSync(join(out, folder), { recursive: true, force: true });
    for (const program of PROGRAMS) {
      const file = join(folder, fileOf(program, target));
      build(program, join(out, file), target);
      files.push(file);
    }
  }
  await Bun.write(join(out, "SHA256SUMS"), await sumsOf(out, files));
}
