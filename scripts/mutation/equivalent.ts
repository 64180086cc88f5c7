import type { Mutant } from "./mutants.ts";

/** A change without any observable effect. */
interface Equivalent {
  readonly file: string;
  /** The line that it is in. */
  readonly line: string;
  readonly kind: string;
  readonly reason: string;
}

const EQUIVALENT: readonly Equivalent[] = [
  {
    file: "lib/server/feed.ts",
    line: "else if (ended.aborted) return await stream.end();",
    kind: "drop an await",
    reason: "the promise is returned, and what is cleaned up meanwhile is of no use to it",
  },
  ...["lib/client/digests.ts", "lib/client/operator.ts"].flatMap((file) =>
    ["drop a statement", "drop an await"].map((kind) => ({
      file,
      line: "await stream.accepted;",
      kind,
      reason: "the body that is read next fails as the request was refused",
    })),
  ),
  {
    file: "lib/gateway/dav-resource.ts",
    line: 'return { path, kind: "folder", size: 0, modifiedAt: about.startedAt, executable: false, etag: "" };',
    kind: "another number",
    reason: "nobody asks for the size of a folder",
  },
  {
    file: "lib/storage/ordered.ts",
    line: "const [first, second] = one < other ? [one, other] : [other, one];",
    kind: "swap an operator",
    reason: "the two are not equal",
  },
  {
    file: "lib/client/download.ts",
    line: "this.#hasAskedAll = false;",
    kind: "drop a statement",
    reason: "it is true only when every file is over, and then another stream asks for nothing",
  },
];

export function isEquivalent({ file, kind }: Mutant, line: string): boolean {
  return EQUIVALENT.some((known) => known.file === file && known.kind === kind && known.line === line);
}
