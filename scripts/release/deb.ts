import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Target } from "../targets.ts";
import type { ReleaseFacts } from "./facts.ts";
import { PACKAGE, PROCESSORS, packageContent, scriptFile, withStaged, writeLines } from "./packages.ts";
import { run } from "./run.ts";

/** dpkg's names of the scripts. */
const SCRIPTS = { "after-install": "postinst", "before-remove": "prerm", "after-remove": "postrm" } as const;

/**
 * The package of a target for Debian, Ubuntu and others; undefined for one without packages. The programs are taken as
 * they are: debhelper would strip them, which breaks them.
 *
 * @returns its name in `out`
 */
export function makeDeb(
  facts: ReleaseFacts,
  target: Target,
  { programs, out }: { programs: string; out: string },
): string | undefined {
  const processor = PROCESSORS[target]?.deb;
  if (processor === undefined) return undefined;
  const name = `${PACKAGE.name}_${facts.version}_${processor}.deb`;
  const content = packageContent(facts, target, programs);
  withStaged(out, content, (folder) => {
    const control = join(folder, "DEBIAN");
    mkdirSync(control, { mode: 0o755 });
    const [kib = ""] = run(["du", "--summarize", "--apparent-size", "--block-size=1K", folder]).split("\t");
    writeLines(join(control, "control"), [
      `Package: ${PACKAGE.name}`,
      `Version: ${facts.version}`,
      `Architecture: ${processor}`,
      `Maintainer: ${PACKAGE.maintainer}`,
      `Depends: libc6 (>= ${PACKAGE.libc})`,
      `Installed-Size: ${kib}`,
      "Section: net",
      "Priority: optional",
      `Description: ${PACKAGE.summary}`,
      ...PACKAGE.description.map((line) => ` ${line}`),
    ]);
    if (content.settings.length > 0) writeLines(join(control, "conffiles"), content.settings);
    for (const script of content.scripts) copyFileSync(scriptFile(script), join(control, SCRIPTS[script]));
    run(["chmod", "0755", ...content.scripts.map((script) => join(control, SCRIPTS[script])), control]);
    // xz would save a fifth of its size and take a hundred times as long.
    run(["dpkg-deb", "--root-owner-group", "-Zzstd", "-z3", "--build", folder, join(out, name)], {
      env: { SOURCE_DATE_EPOCH: String(facts.epoch) },
    });
  });
  return name;
}
