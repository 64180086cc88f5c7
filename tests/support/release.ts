import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { makeArchive } from "../../scripts/release/archive.ts";
import type { ReleaseFacts } from "../../scripts/release/facts.ts";
import { sumsOf, type Target } from "../../scripts/targets.ts";
import { binaries } from "./binaries.ts";
import type { TempFolder } from "./temp-folder.ts";

/** A time at which no file of a test is made. */
export const FACTS: ReleaseFacts = { version: "0.1.0", epoch: 1_700_000_000 };

/** The folder of the compiled programs of this machine. */
export async function programsFolder(): Promise<string> {
  return dirname((await binaries()).client);
}

/** Scripts in place of the programs, which say `version`: to make archives of them takes no time. */
export function smallPrograms(folder: TempFolder, version = FACTS.version): string {
  const place = folder.join(`programs-${version}`);
  mkdirSync(place);
  for (const name of ["server", "client"]) {
    for (const end of ["", ".exe"])
      writeFileSync(`${place}/commserver-${name}${end}`, `#!/bin/sh\necho commserver-${name} ${version}\n`, {
        mode: 0o755,
      });
  }
  return place;
}

/** A folder with the archive of a target and SHA256SUMS. */
export async function smallRelease(folder: TempFolder, target: Target, version = FACTS.version): Promise<string> {
  const out = folder.join(`release-${version}`);
  mkdirSync(out);
  const archive = makeArchive({ ...FACTS, version }, target, { programs: smallPrograms(folder, version), out });
  writeFileSync(`${out}/SHA256SUMS`, await sumsOf(out, [archive]));
  return out;
}

/** Why packages can't be made and installed here; undefined if they can. In CI they must be. */
export function missingPackagers(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return "not Linux on x64";
  if (process.getuid?.() !== 0) return "not root";
  const missing = ["dpkg", "dpkg-deb", "rpm", "rpmbuild", "zip", "zstd"].filter((tool) => Bun.which(tool) === null);
  return missing.length === 0 ? undefined : `without ${missing.join(", ")}`;
}
