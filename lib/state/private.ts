import { PrivatePlaces } from "../storage/local/private/private-places.ts";
import { knownStates } from "./known-states.ts";
import { usualStateDirs } from "./state-dir.ts";

/** State folders and `files`: no server of this user serves them, and no client sends or replaces them. */
export function privatePlaces(stateDir: string, files: readonly string[]): PrivatePlaces {
  const folders = [...new Set([stateDir, ...usualStateDirs()])];
  // Read again each time: other servers start while this one runs.
  return new PrivatePlaces(() => ({ folders, files, others: knownStates() }));
}
