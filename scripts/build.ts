/**
 * Build both programs into dist/: for this machine, or with --all for every target, each in its own folder, with
 * SHA256SUMS of all. --out DIR builds elsewhere.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import packageJson from "../package.json" with { type: "json" };
import { ROOT } from "./compile.ts";
import { build, fileOf, PROGRAMS, sumsOf, TARGETS } from "./targets.ts";

const { values } = parseArgs({ options: { all: { type: "boolean" }, out: { type: "string" } } });
const out = values.out ?? join(ROOT, "dist");

if (values.all) await buildAll();
else build(out);

async function buildAll(): Promise<void> {
  const files: string[] = [];
  for (const target of TARGETS) {
    const folder = `commserver-${packageJson.version}-${target}`;
    rmSync(join(out, folder), { recursive: true, force: true });
    build(join(out, folder), target);
    files.push(...PROGRAMS.map((program) => join(folder, fileOf(program, target))));
  }
  await Bun.write(join(out, "SHA256SUMS"), await sumsOf(out, files));
}
