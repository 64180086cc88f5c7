import { CommError, endsSession, toCommError } from "../../errors.ts";
import { isGlob } from "../../glob.ts";
import type { ConsoleIo } from "../console-io.ts";
import { reportError } from "../report.ts";
import { withSlash } from "./typed-paths.ts";

/** After these errors the remaining paths are left alone. */
const LAST = ["INTERRUPTED", "OUTPUT_CLOSED"];

/**
 * Do `work` for each path. A failure is reported and the next path follows, unless the session has ended. The failure
 * of an only path is thrown. `command` is the name of the command that takes the paths.
 *
 * @returns the exit code of the first failure
 */
export async function forEachPath(
  paths: readonly string[],
  terms: { io: ConsoleIo; json: boolean; command: string },
  work: (path: string) => Promise<void>,
): Promise<number> {
  let exit = 0;
  for (const path of paths) {
    try {
      await work(path);
    } catch (thrown) {
      const error = inWords(thrown, path, terms.command);
      if (paths.length === 1 || LAST.includes(error.code)) throw error;
      // Every failure is reported; the exit code is that of the first.
      const code = reportError(error, terms.io, { program: "commserver-client", json: terms.json });
      exit ||= code;
      if (endsSession(error)) break;
    }
  }
  return exit;
}

/** The error for `path`, with a hint when it is a pattern and `command` takes none. */
export function inWords(thrown: unknown, path: string, command: string): CommError {
  const error = withSlash(toCommError(thrown), path);
  if (error.code !== "NOT_FOUND" || !isGlob(path)) return error;
  return new CommError("NOT_FOUND", `${error.message} ${command} takes names, not patterns.`, { cause: error });
}
