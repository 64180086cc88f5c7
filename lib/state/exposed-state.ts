import { exposureOf } from "./exposure.ts";

/** Ways in which others on this machine can reach a server's private state. */
export type StateWarning =
  /**
   * Others can change the state folder, and so become the operator of its server; `isAnothers`: another user owns it.
   */
  | { readonly kind: "changeable state"; readonly folder: string; readonly mode: string; readonly isAnothers: boolean }
  /** Others can read the key of the server, and so impersonate it. */
  | { readonly kind: "readable key"; readonly file: string; readonly mode: string };

/** The warnings for a server's state folder, and for its key, which may be elsewhere. */
export function stateWarnings(stateDir: string, keyFile: string | undefined): StateWarning[] {
  const warnings: StateWarning[] = [];
  const folder = exposureOf(stateDir);
  if (isChangeable(stateDir)) {
    warnings.push({ kind: "changeable state", folder: stateDir, mode: folder.mode, isAnothers: folder.isAnothers });
  }
  const key = keyFile === undefined ? undefined : exposureOf(keyFile);
  if (keyFile !== undefined && key?.canRead) warnings.push({ kind: "readable key", file: keyFile, mode: key.mode });
  return warnings;
}

/** True when others on this machine can change the files in a folder. */
export function isChangeable(folder: string): boolean {
  const { canWrite, isAnothers } = exposureOf(folder);
  return canWrite || isAnothers;
}
