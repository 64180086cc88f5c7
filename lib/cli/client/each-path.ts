import { endsSession, toCommError } from "../../errors.ts";
import type { ConsoleIo } from "../console-io.ts";
import { reportError } from "../report.ts";
import { withSlash } from "./typed-paths.ts";

/** After these errors the remaining paths are left alone. */
const LAST = ["INTERRUPTED", "OUTPUT_CLOSED"];

/**
 * Do `work` for each path. A failure is reported and the next path follows, unless the session has ended. The failure
 * of an only path is thrown. `work` resolves to 0, or to the exit code of a failure that
 * it has reported itself.
 *
 * @returns the exit code of the first failure
 */
export async function forEachPath(
  paths: readonly string[],
  terms: { io: ConsoleIo; json: boolean; command: string },
  work: (path: string) => Promise<number>,
): Promise<number> {
  let exit = 0;
  for (const path of paths) {
    try {
      const code = await work(path);
      exit ||= code;
    } catch (thrown) {
      const error = withSlash(toCommError(thrown), path);
      if (paths.length === 1 || LAST.includes(error.code)) throw error;
      // Every failure is reported; the exit code is that of the first.
      const code = reportError(error, terms.io, {
        program: "commserver-client",
        command: terms.command,
        json: terms.json,
      });
      exit ||= code;
      if (endsSession(error)) break;
    }
  }
  return exit;
}
