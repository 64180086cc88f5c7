import { CommError } from "../../errors.ts";
import { isGlob } from "../../glob.ts";
import { checkPath, pathFault } from "../../path.ts";
import { quote } from "../../quote.ts";
import { UsageError } from "../usage-error.ts";

/** A path of the repository as people type it, with `./` in front or without. @throws StorageError BAD_PATH */
export function typedPath(typed: string): string {
  return checkPath(typed.replace(/^(\.\/)+/, "").replace(/(?<=.)\/+$/, ""));
}

/**
 * As typedPath(), for what shall be made. On Windows a backslash may be meant to stand between names: nothing is made of it.
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

/** A file, a folder or a pattern of the repository as people type it: `./` in front and `/` behind may be. "" is all. */
export function typedSource(typed: string): string {
  const path = typed.replace(/^(\.\/)+/, "").replace(/\/+$/, "");
  if (path === "." || (path === "" && typed !== "")) return "";
  if (isGlob(path)) return path;
  return checkPath(path);
}

/** The new name that --as gives: a path below the folder that it goes into; as typedNewPath(). @throws UsageError */
export function typedName(typed: string, platform: NodeJS.Platform = process.platform): string {
  const path = typed.replace(/^(\.\/)+/, "").replace(/\/+$/, "");
  const fault = pathFault(path, platform === "win32" ? "plain" : "any");
  if (fault === undefined) return path;
  throw new UsageError(`--as ${quote(typed)} is not a name below the folder that it goes into: ${fault}.`);
}

/** On Windows people may write a backslash between names: they are told what stands there. */
export function withSlash(error: CommError, path: string, platform: NodeJS.Platform = process.platform): CommError {
  if (error.code !== "NOT_FOUND" || platform !== "win32" || !path.includes("\\")) return error;
  return new CommError("NOT_FOUND", `${error.message} Between names stands "/".`, { cause: error });
}
