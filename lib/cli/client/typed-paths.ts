import { CommError } from "../../errors.ts";
import { isGlob } from "../../glob.ts";
import { checkPath, pathFault } from "../../path.ts";
import { quote } from "../../quote.ts";
import { UsageError } from "../usage-error.ts";

/** A path of the repository as people type it, with or without a leading `./`. @throws StorageError BAD_PATH */
export function typedPath(typed: string): string {
  return checkPath(typed.replace(/^(\.\/)+/, "").replace(/(?<=.)\/+$/, ""));
}

/**
 * As typedPath(), for a new path. On Windows a backslash may be meant as a separator, so such a path is refused.
 *
 * @throws StorageError BAD_PATH
 */
export function typedNewPath(typed: string, platform: NodeJS.Platform = process.platform): string {
  const path = typedPath(typed);
  if (platform !== "win32") return path;
  return checkPath(path, "plain");
}

/** As typedNewPath(), for a folder; "" is the root, which people write as `.` or `/`. */
export function typedFolder(typed: string): string {
  return ["", ".", "/", "./"].includes(typed) ? "" : typedNewPath(typed);
}

/**
 * A file, folder or pattern of the repository as people type it, with an optional leading `./` and trailing `/`. ""
 * means everything.
 */
export function typedSource(typed: string): string {
  const path = typed.replace(/^(\.\/)+/, "").replace(/\/+$/, "");
  if (path === "." || (path === "" && typed !== "")) return "";
  if (isGlob(path)) return path;
  return checkPath(path);
}

/** The new name that --as gives: a path below its folder; as typedNewPath(). @throws UsageError */
export function typedName(typed: string, platform: NodeJS.Platform = process.platform): string {
  const path = typed.replace(/^(\.\/)+/, "").replace(/\/+$/, "");
  const fault = pathFault(path, platform === "win32" ? "plain" : "any");
  if (fault === undefined) return path;
  throw new UsageError(`--as ${quote(typed)} is not a name below the target folder: ${fault}.`);
}

/** On Windows people may write a backslash between names: add a hint about the slash. */
export function withSlash(error: CommError, path: string, platform: NodeJS.Platform = process.platform): CommError {
  if (error.code !== "NOT_FOUND" || platform !== "win32" || !path.includes("\\")) return error;
  return new CommError("NOT_FOUND", `${error.message} The separator between names is "/".`, { cause: error });
}
