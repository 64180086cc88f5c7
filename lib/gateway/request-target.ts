import { StreamError } from "../errors.ts";
import { checkPath } from "../path.ts";
import { quote } from "../quote.ts";
import { shownTarget } from "./shown-target.ts";

/** The first name of every address in the repository. */
export const FILES = "files";

/** The target of a request. */
export interface Target {
  /** Host and port of a target that names them; undefined: the field Host names them. */
  readonly authority: string | undefined;
  /** Decoded names between the slashes. An empty last one: the target ends with a slash. */
  readonly names: readonly string[];
  readonly query: Pick<URLSearchParams, "get" | "has" | "size">;
}

const NO_QUERY = new URLSearchParams();

const ABSOLUTE = /^https?:\/\/([^/?#\\@]+)(.*)$/i;

/**
 * Read a request target in origin-form or absolute-form (RFC 9112, 3.2). Every name is decoded once and separately: an
 * encoded slash never separates names.
 *
 * @throws StreamError BAD_PATH with the reason
 */
export function parseTarget(target: string): Target {
  const [, authority, rest] = ABSOLUTE.exec(target) ?? [];
  const origin = authority === undefined ? target : rest || "/";
  const queryAt = origin.indexOf("?");
  const path = queryAt === -1 ? origin : origin.slice(0, queryAt);
  if (!path.startsWith("/")) throw badTarget(target, "it does not begin with a slash");
  if (path.includes("\\")) throw badTarget(target, "it has a backslash that is not encoded as %5C");
  if (origin.includes("#")) throw badTarget(target, "it has a fragment");
  const names = path
    .slice(1)
    .split("/")
    // Some clients put "./" before a name with a colon, so that it is not taken for a scheme (RFC 3986, 4.2).
    .filter((name) => name !== ".")
    .map((name) => decodeName(name, target));
  return { authority, names, query: queryAt === -1 ? NO_QUERY : new URLSearchParams(origin.slice(queryAt + 1)) };
}

/**
 * The repository path of `names`; "" is the root. `isFolder`: it was written with a trailing slash.
 *
 * @throws StorageError BAD_PATH
 */
export function repositoryPath(names: readonly string[]): { path: string; isFolder: boolean } {
  const isFolder = names.length === 0 || names.at(-1) === "";
  const path = (isFolder ? names.slice(0, -1) : names).join("/");
  return { path: path === "" && names.length <= 1 ? "" : checkPath(path), isFolder };
}

/** A repository path as part of a target: every name is encoded separately. */
export function encodePath(path: string): string {
  return path.split("/").map(encodeName).join("/");
}

/** Encodes everything but letters, digits and "-_.~", which HTML, clients and shells leave alone. */
export function encodeName(name: string): string {
  return encodeURIComponent(name).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function decodeName(name: string, target: string): string {
  if (!name.includes("%")) return name;
  let decoded: string;
  try {
    decoded = decodeURIComponent(name);
  } catch {
    throw badTarget(target, "what is encoded in it is not UTF-8");
  }
  if (decoded.includes("/")) throw badTarget(target, "a name in it has an encoded slash");
  return decoded;
}

function badTarget(target: string, reason: string): StreamError {
  return new StreamError("BAD_PATH", `${quote(shownTarget(target))} is not the address of anything here: ${reason}.`);
}
