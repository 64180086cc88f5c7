/**
 * Make a release in release/, on Linux: the programs of all targets, an archive for each, packages, SHA256SUMS and a bill
 * of materials. Two runs on one commit make the same bytes. --out DIR makes it elsewhere; --target TARGET, which may be
 * repeated, makes only some; --url URL is where install.sh shall find the release.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ROOT } from "./compile.ts";
import { makeArchive } from "./release/archive.ts";
import { makeDeb } from "./release/deb.ts";
import { releaseFacts } from "./release/facts.ts";
import { makeRpm } from "./release/rpm.ts";
import { billOfMaterials } from "./release/sbom.ts";
import { build, sumsOf, TARGETS } from "./targets.ts";

const { values } = parseArgs({
  options: {
    out: { type: "string" },
    target: { type: "string", multiple: true },
    url: { type: "string", default: "" },
  },
});
const out = values.out ?? join(ROOT, "release");
const facts = releaseFacts();
const targets = TARGETS.filter((target) => values.target === undefined || values.target.includes(target));
if (targets.length !== (values.target ?? TARGETS).length) throw new Error(`Targets: ${TARGETS.join(", ")}`);

const files = [`commserver-${facts.version}.cdx.json`, "install.sh"];
mkdirSync(out, { recursive: true });
await Bun.write(join(out, files[0] as string), billOfMaterials(facts));
writeFileSync(join(out, "install.sh"), installScript(values.url), { mode: 0o755 });
for (const target of targets) {
  const places = { programs: join(out, "programs"), out };
  build(places.programs, target);
  const made = [makeArchive(facts, target, places), makeDeb(facts, target, places), makeRpm(facts, target, places)];
  files.push(...made.filter((file) => file !== undefined));
  rmSync(places.programs, { recursive: true });
}
await Bun.write(join(out, "SHA256SUMS"), await sumsOf(out, files.sort()));

/** The script that installs, with the address of the release in it. */
function installScript(url: string): string {
  if (!/^(?:https:\/\/[\w./%~+-]+)?$/.test(url)) throw new Error(`${url} is no address for a release.`);
  return readFileSync(join(ROOT, "packaging/install.sh"), "utf8").replace('place=""', `place="${url}"`);
}
