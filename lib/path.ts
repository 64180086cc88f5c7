import { StorageError } from "./errors.ts";
import { quote } from "./quote.ts";

/** Longest path in UTF-8 bytes, and longest single name: the limits of Linux (PATH_MAX, NAME_MAX). */
export const MAX_PATH_BYTES = 4096;
export const MAX_NAME_BYTES = 255;
/** Each folder on the way costs a system call, and stays open while the entries below it are listed. */
export const MAX_COMPONENTS = 128;

const encoder = new TextEncoder();
// C0, DEL and C1: no terminal, log or file manager shows them faithfully.
const CONTROL = /\p{Cc}/u;
const DRIVE = /^[A-Za-z]:/;

/**
 * The paths that a peer knows. A "plain" path has no backslash and does not begin with a drive letter; peers without
 * the capability `names` know only these. Source: PROTOCOL.md, "Methods".
 */
export type PathKind = "any" | "plain";

/**
 * Check that `input` is a repository path: relative, `/`-separated, without `.` and `..`, and return it unchanged. This
 * checks only the text; the storage checks whether a link leads out.
 *
 * @throws StorageError BAD_PATH with the exact reason
 */
export function checkPath(input: string, kind: PathKind = "any"): string {
  const reason = pathFault(input, kind);
  if (reason !== undefined) {
    throw new StorageError("BAD_PATH", `${quote(input)} is not a path in the repository: ${reason}.`);
  }
  return input;
}

/** Why `input` is not a repository path of this kind; undefined when it is one. */
export function pathFault(input: string, kind: PathKind = "any"): string | undefined {
  if (isOrdinary(input) && (kind === "any" || isPlainPath(input))) return undefined;
  if (input === "") return "it is empty";
  if (!input.isWellFormed()) return "it is not valid Unicode";
  if (input.includes("\0")) return "it has a NUL character";
  if (CONTROL.test(input)) return "it has a control character";
  if (input.startsWith("/")) return "it is absolute";
  if (kind === "plain" && !isPlainPath(input)) {
    return input.includes("\\") ? "it has a backslash" : "it starts with a drive letter";
  }
  if (isLonger(input, MAX_PATH_BYTES)) return `it is longer than ${MAX_PATH_BYTES} bytes`;
  const names = input.split("/");
  if (names.length > MAX_COMPONENTS) return `it has more than ${MAX_COMPONENTS} components`;
  for (const name of names) {
    if (name === "") return "it has an empty component";
    if (name === "." || name === "..") return `it has the component "${name}"`;
    if (isLonger(name, MAX_NAME_BYTES)) {
      return `a component is longer than ${MAX_NAME_BYTES} bytes`;
    }
  }
  return undefined;
}

const SLASH = 0x2f;
const DOT = 0x2e;

/**
 * True only for paths, and for almost all of them: of printable ASCII, and so short that no other limit matters. Lists
 * check each of a hundred thousand paths.
 */
function isOrdinary(input: string): boolean {
  if (input.length > MAX_NAME_BYTES) return false;
  let start = 0;
  for (let at = 0; at < input.length; at++) {
    const unit = input.charCodeAt(at);
    if (unit < 0x20 || unit > 0x7e) return false;
    if (unit !== SLASH) continue;
    if (!isOrdinaryName(input, start, at)) return false;
    start = at + 1;
  }
  return isOrdinaryName(input, start, input.length);
}

/** Whether it is not empty, and neither `.` nor `..`. */
function isOrdinaryName(input: string, start: number, end: number): boolean {
  if (end - start > 2) return true;
  return (
    end > start && !(input.charCodeAt(start) === DOT && (end - start === 1 || input.charCodeAt(start + 1) === DOT))
  );
}

/** Whether a peer that knows only plain paths may see this one. */
export function isPlainPath(path: string): boolean {
  return !path.includes("\\") && !DRIVE.test(path);
}

/** Whether `text` has more than `bytes` bytes in UTF-8, which takes at most three for a UTF-16 unit. */
function isLonger(text: string, bytes: number): boolean {
  return text.length > bytes || (text.length * 3 > bytes && encoder.encode(text).length > bytes);
}

/** The last component of a repository path. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** The path of the folder that holds it; "" is the root. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** The path of `name`, which may be a path itself, in `folder`; "" on either side adds nothing. */
export function joinPath(folder: string, name: string): string {
  return folder === "" || name === "" ? folder + name : `${folder}/${name}`;
}
