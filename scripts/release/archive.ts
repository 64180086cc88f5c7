import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Target } from "../targets.ts";
import type { ReleaseFacts } from "./facts.ts";
import { run } from "./run.ts";
import { documents, stage, stagedFiles } from "./stage.ts";

/**
 * The archive of a target: a folder with everything. Its bytes depend on the files and the release's time alone.
 *
 * @returns the archive's name in `out`
 */
export function makeArchive(
  facts: ReleaseFacts,
  target: Target,
  { programs, out }: { programs: string; out: string },
): string {
  const folder = `commserver-${facts.version}-${target}`;
  stage(join(out, folder), [...stagedFiles(facts, target, programs), ...documents("")]);
  const isZip = target.startsWith("windows");
  const archive = `${folder}.${isZip ? "zip" : "tar.gz"}`;
  rmSync(join(out, archive), { force: true });
  if (isZip) zip(facts, folder, archive, out);
  else tar(facts, folder, archive, out);
  rmSync(join(out, folder), { recursive: true });
  return archive;
}

function tar({ epoch }: ReleaseFacts, folder: string, archive: string, out: string): void {
  const same = ["--sort=name", `--mtime=@${epoch}`, "--owner=0", "--group=0", "--numeric-owner", "--format=ustar"];
  // gzip would write the time at which it runs.
  run(["tar", ...same, "--use-compress-program=gzip -n", "-cf", archive, folder], { cwd: out });
}

function zip({ epoch }: ReleaseFacts, folder: string, archive: string, out: string): void {
  const files = run(["find", folder, "-print"], { cwd: out }).trim().split("\n").sort();
  run(["touch", "-d", `@${epoch}`, ...files], { cwd: out });
  run(["zip", "-X", "-D", "-q", archive, ...files], { cwd: out });
}
