import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Target } from "../targets.ts";
import type { ReleaseFacts } from "./facts.ts";
import {
  PACKAGE,
  type PackageContent,
  PROCESSORS,
  packageContent,
  scriptFile,
  withStaged,
  writeLines,
} from "./packages.ts";
import { run } from "./run.ts";

/** rpm's names of the scripts. */
const SCRIPTS = { "after-install": "%post", "before-remove": "%preun", "after-remove": "%postun" } as const;

/**
 * The package of a target for Fedora, openSUSE and others; undefined for one without packages.
 *
 * @returns its name in `out`
 */
export function makeRpm(
  facts: ReleaseFacts,
  target: Target,
  { programs, out }: { programs: string; out: string },
): string | undefined {
  const processor = PROCESSORS[target]?.rpm;
  if (processor === undefined) return undefined;
  const name = `${PACKAGE.name}-${facts.version}-1.${processor}.rpm`;
  const content = packageContent(facts, target, programs);
  withStaged(out, content, (folder) => {
    const work = join(out, "rpmbuild");
    const spec = join(out, "commserver.spec");
    writeLines(spec, specLines(facts, content, folder));
    const directory = ["--define", `_topdir ${work}`, "--define", `_rpmdir ${out}`];
    const fileName = ["--define", "_rpmfilename %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm"];
    run(["rpmbuild", "-bb", "--quiet", "--target", `${processor}-linux`, ...directory, ...fileName, spec], {
      env: { SOURCE_DATE_EPOCH: String(facts.epoch) },
    });
    rmSync(work, { recursive: true, force: true });
    rmSync(spec);
  });
  return name;
}

function specLines({ version }: ReleaseFacts, content: PackageContent, folder: string): string[] {
  const scripts = content.scripts.flatMap((script) => [SCRIPTS[script], readFileSync(scriptFile(script), "utf8")]);
  return [
    // rpmbuild strips programs, which makes them a bare runtime: nothing may be done to them after %install.
    "%global __os_install_post %{nil}",
    "%global debug_package %{nil}",
    "%global _build_id_links none",
    // The bytes depend on the files alone.
    "%global use_source_date_epoch_as_buildtime 1",
    "%global clamp_mtime_to_source_date_epoch 1",
    "%global _buildhost localhost",
    "%global _binary_payload w3.zstdio",
    `Name: ${PACKAGE.name}`,
    `Version: ${version}`,
    "Release: 1",
    `Summary: ${PACKAGE.summary}`,
    "License: MIT",
    `Packager: ${PACKAGE.maintainer}`,
    "AutoReqProv: no",
    `Requires: glibc >= ${PACKAGE.libc}`,
    "%description",
    ...PACKAGE.description,
    "%install",
    `mkdir -p "%{buildroot}"`,
    `cp -a "${folder}/." "%{buildroot}/"`,
    ...scripts,
    "%files",
    "%defattr(-,root,root,-)",
    ...content.files.map(
      ({ place }) => `${content.settings.includes(`/${place}`) ? "%config(noreplace) " : ""}/${place}`,
    ),
  ];
}
