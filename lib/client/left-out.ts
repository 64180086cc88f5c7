import { type CommError, codeOfWire, type ErrorCode } from "../errors.ts";
import { type PathKind, pathFault } from "../path.ts";

/**
 * Something in a folder, or matched by a pattern, that is not moved. The user did not name it, so this is not a
 * failure.
 */
export interface LeftOutThing {
  readonly path: string;
  readonly code: ErrorCode;
  /** Follows "Left out NAME: ". */
  readonly why: string;
  /** The number of nameless things that it stands for; absent: 1. */
  readonly count?: number;
}

/** A listed entry that is neither file nor folder. `where`: the tree in which a link to a file would be followed. */
export function oddKind(path: string, kind: string, where: string): LeftOutThing {
  if (kind !== "link") return { path, code: "NOT_A_FILE", why: "neither a file nor a folder" };
  return { path, code: "NOT_ALLOWED", why: `a link, and not to a file in ${where}` };
}

/** Something whose name no repository can have, or that a server refuses because it supports plain paths only. */
export function badName(path: string, kind: PathKind = "any"): LeftOutThing {
  const fault = pathFault(path, kind) ?? (path.includes("\ufffd") ? "it is not UTF-8" : "it is too long");
  return { path, code: "BAD_PATH", why: `its name can't be a path: ${fault}` };
}

/** An entry that a server leaves out of a list, and names. */
export function toldByServer({ name, code }: { name: string; code: number }): LeftOutThing {
  switch (codeOfWire(code)) {
    case "UNREADABLE":
      return { path: name, code: "UNREADABLE", why: "the server has no permission to read it" };
    case "NOT_FOUND":
      return gone(name, { code: "NOT_FOUND" });
    default:
      return badName(name, "plain");
  }
}

/** Something that has disappeared since it was listed. */
export function gone(path: string, { code }: Pick<CommError, "code">): LeftOutThing {
  return { path, code, why: "it has disappeared meanwhile" };
}

/** A private path of this program, which a list leaves out. */
export function keptBack(path: string): LeftOutThing {
  return { path, code: "OWN_STATE", why: "where CommServer keeps its own keys and records" };
}
