import type { Mutant } from "./mutants.ts";

/** A change that changes nothing which anybody could see. */
interface Equivalent {
  readonly file: string;
  /** The line that it is in. */
  readonly line: string;
  readonly kind: string;
  readonly reason: string;
}

const EQUIVALENT: readonly Equivalent[] = [];

export function isEquivalent({ file, kind }: Mutant, line: string): boolean {
  return EQUIVALENT.some((known) => known.file === file && known.kind === kind && known.line === line);
}
