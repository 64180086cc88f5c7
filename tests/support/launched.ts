import { join } from "node:path";
import { python } from "./python.ts";

const LAUNCHER = join(import.meta.dir, "launch.py");

type Call = "flock" | "link" | "linkat" | "renameat2" | "chmod" | "fchmod" | "fchmodat" | "utimensat";

/** A feature that the system refuses to a process; see launch.py. */
export type Refused = "mdwe" | `${Call}=${string}`;

/** The command for a process with these features refused. Only if missingLauncher() is undefined. */
export function launched(refused: readonly Refused[], command: readonly string[]): string[] {
  return python(LAUNCHER, ...refused, "--", ...command);
}

/** Why this is not available here. In CI it must be, and a test that needs it fails otherwise. */
export function missingLauncher(refused: readonly Refused[]): string | undefined {
  if (process.platform !== "linux") return "only Linux can refuse its processes something";
  const { success, stderr } = Bun.spawnSync(launched(refused, ["true"]), { stderr: "pipe" });
  return success ? undefined : `python3 ${LAUNCHER}: ${stderr}`;
}

/** For `test.skipIf`: in CI nothing is skipped. */
export function isSkipped(missing: string | undefined): boolean {
  return missing !== undefined && process.env["CI"] === undefined;
}

/** The name of a test that may be skipped, with the reason when it is. */
export function namedWhy(name: string, missing: string | undefined): string {
  return isSkipped(missing) ? `${name} (skipped: ${missing})` : name;
}
