import { PrivatePlaces } from "../storage/local/private/private-places.ts";
import { knownStates } from "./known-states.ts";
import { usualStateDirs } from "./state-dir.ts";

/** What no server of this user serves, and no client of theirs sends or replaces: state folders, and `files`. */
export function privatePlaces(stateDir: string, files: readonly string[]): PrivatePlaces {
  const folders = [...new Set([stateDir, ...usualStateDirs()])];
  // Asked for again: other servers come while this one runs.
  return new PrivatePlaces(() => ({ folders, files, others: knownStates() }));
}
