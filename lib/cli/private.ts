import { PrivatePlaces } from "../storage/private-places.ts";
import type { Flags } from "./flags.ts";
import { knownStates } from "./known-states.ts";
import { defaultStateDir, usualStateDirs } from "./state-dir.ts";

/** What no server of this user serves, and no client of theirs sends or replaces: state folders, and `files`. */
export function privatePlaces(stateDir: string, files: readonly string[]): PrivatePlaces {
  const folders = [...new Set([stateDir, ...usualStateDirs()])];
  // Asked for again: other servers come while this one runs.
  return new PrivatePlaces(() => ({ folders, files, others: knownStates() }));
}

/** That of a client. */
export function privateOfClient(flags: Flags): PrivatePlaces {
  const files = ["token-file", "invite-file"].map((name) => flags[name]).filter((file) => typeof file === "string");
  return privatePlaces(
    String(flags["state-dir"] ?? defaultStateDir()),
    files.filter((file) => file !== "-"),
  );
}
