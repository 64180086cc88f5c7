import type { Conversation } from "../conversation.ts";
import type { Findings } from "../finding.ts";

/** Something under test that conversations are played to. */
export interface Site extends AsyncDisposable {
  /** Play them at once, end all their links, and look whether everything was given back. */
  run(conversations: readonly Conversation[], isHonest: boolean): Promise<void>;
  /** Look whether an honest peer is still served. */
  checkHonest(): Promise<void>;
  /** True when it has changed so much that the corpus does not fit it any more. */
  readonly isWorn: boolean;
}

export interface SiteOptions {
  readonly findings: Findings;
  /** Told the kind of each answer. */
  count(kind: string): void;
  readonly seats: number;
}

/** Wait until `isQuiet`, at most so many turns. @returns false when it never was */
export async function within(turns: number, turn: () => Promise<void>, isQuiet: () => boolean): Promise<boolean> {
  for (let left = turns; left > 0; left--) {
    if (isQuiet()) return true;
    await turn();
  }
  return isQuiet();
}

/** One turn of the event loop. */
export function oneTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
