import type { ConsoleIo } from "../console-io.ts";
import { reportError } from "../report.ts";

/**
 * Do `work` for each path; one that fails does not keep the others from it. A failure of the only one is thrown.
 *
 * @returns the exit code of the first failure
 */
export async function forEachPath(
  paths: readonly string[],
  terms: { io: ConsoleIo; json: boolean },
  work: (path: string) => Promise<void>,
): Promise<number> {
  let exit = 0;
  for (const path of paths) {
    try {
      await work(path);
    } catch (thrown) {
      if (paths.length === 1) throw thrown;
      exit ||= reportError(thrown, terms.io, { program: "commserver-client", json: terms.json });
    }
  }
  return exit;
}
