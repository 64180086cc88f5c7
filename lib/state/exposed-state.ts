import { exposureOf } from "./exposure.ts";

/** What others on this machine can do with what only one user should reach. */
export type StateWarning =
  /** Others can change the state folder, and so become operator of its server; `isAnothers`: another user owns it. */
  | { readonly kind: "changeable state"; readonly folder: string; readonly mode: string; readonly isAnothers: boolean }
  /** Others can read the key of the server, and so pass for it. */
  | { readonly kind: "readable key"; readonly file: string; readonly mode: string };

/** Of a server's state folder, and of its key, which may lie elsewhere. */
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

/** True when others on this machine can change what is in a folder. */
export function isChangeable(folder: string): boolean {
  const { canWrite, isAnothers } = exposureOf(folder);
  return canWrite || isAnothers;
}
