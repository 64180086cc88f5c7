import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../compile.ts";
import type { Target } from "../targets.ts";
import type { ReleaseFacts } from "./facts.ts";
import { documents, type StagedFile, serviceFiles, stage, stagedFiles } from "./stage.ts";

/** The targets with packages, and the names of their processors. */
export const PROCESSORS: Partial<Record<Target, { readonly deb: string; readonly rpm: string }>> = {
  "linux-x64": { deb: "amd64", rpm: "x86_64" },
  "linux-arm64": { deb: "arm64", rpm: "aarch64" },
};

/** What a package says about itself. */
export const PACKAGE = {
  name: "commserver",
  summary: "file repository and message point in two programs",
  description: [
    "commserver-server serves a folder of files and passes messages between its",
    "clients. commserver-client lists, fetches and sends files, and sends messages.",
  ],
  maintainer: "The CommServer authors <authors@commserver.invalid>",
  /** The C library that the runtime is built against. */
  libc: "2.17",
} as const;

/** What a package is made of. */
export interface PackageContent {
  readonly files: readonly StagedFile[];
  /** Files in /etc that their administrator changes: an upgrade keeps them. */
  readonly settings: readonly string[];
  /** By their names in `packaging/scripts`; none without a service. */
  readonly scripts: readonly ("after-install" | "before-remove" | "after-remove")[];
}

export function packageContent(facts: ReleaseFacts, target: Target, programs: string): PackageContent {
  const service = serviceFiles();
  const own = stagedFiles(facts, target, programs).map((file) => ({ ...file, place: `usr/${file.place}` }));
  return {
    files: [...own, ...documents("usr/share/doc/commserver"), ...service],
    settings: service.filter(({ place }) => place.startsWith("etc/")).map(({ place }) => `/${place}`),
    scripts: service.length === 0 ? [] : ["after-install", "before-remove", "after-remove"],
  };
}

export function scriptFile(name: PackageContent["scripts"][number]): string {
  return join(ROOT, "packaging/scripts", `${name}.sh`);
}

/** A folder of `out` with the content, for as long as `make` takes. */
export function withStaged<T>(out: string, { files }: PackageContent, make: (folder: string) => T): T {
  const folder = join(out, "staged");
  try {
    stage(folder, files);
    return make(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Write lines as a file. */
export function writeLines(file: string, lines: readonly string[], mode = 0o644): void {
  writeFileSync(file, `${lines.join("\n")}\n`, { mode });
}
