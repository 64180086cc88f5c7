import { type CommError, codeOfWire, type ErrorCode } from "../errors.ts";
import { type PathKind, pathFault } from "../path.ts";

/** Something in a folder, or of a pattern, that is not moved: nobody named it, and what nobody named is no failure. */
export interface LeftOutThing {
  readonly path: string;
  readonly code: ErrorCode;
  /** Follows "Left out NAME: ". */
  readonly why: string;
  /** It stands for so many that have no names; 1 where it is absent. */
  readonly count?: number;
}

/** What is neither file nor folder, as a list tells it. `where`: the tree in which a link would be followed to a file. */
export function oddKind(path: string, kind: string, where: string): LeftOutThing {
  if (kind !== "link") return { path, code: "NOT_A_FILE", why: "neither a file nor a folder" };
  return { path, code: "NOT_ALLOWED", why: `a link, and not to a file in ${where}` };
}

/** What has a name that no repository can have, or of which a server says so: it may know plain paths alone. */
export function badName(path: string, kind: PathKind = "any"): LeftOutThing {
  const fault = pathFault(path, kind) ?? (path.includes("\ufffd") ? "it is not UTF-8" : "it is too long");
  return { path, code: "BAD_PATH", why: `its name can't be a path: ${fault}` };
}

/** What a server leaves out of a list, and names. */
export function toldByServer({ name, code }: { name: string; code: number }): LeftOutThing {
  switch (codeOfWire(code)) {
    case "UNREADABLE":
      return { path: name, code: "UNREADABLE", why: "the server may not read it" };
    case "NOT_FOUND":
      return gone(name, { code: "NOT_FOUND" });
    default:
      return badName(name, "plain");
  }
}

/** What has gone since it was seen. */
export function gone(path: string, { code }: Pick<CommError, "code">): LeftOutThing {
  return { path, code, why: "it has gone meanwhile" };
}
