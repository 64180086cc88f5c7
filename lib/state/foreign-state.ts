import fs from "node:fs";
import { StorageError } from "../errors.ts";
import { quote } from "../quote.ts";
import { ledgerFile } from "./state-dir.ts";

/** A server of another user keeps its state here. */
export class ForeignState extends StorageError {
  /** The number of that user. */
  readonly uid: number;

  constructor(stateDir: string, uid: number) {
    const why = "what root writes there, that server could not read";
    super("DISK_DENIED", `The state folder ${quote(stateDir)} is that of another user's server: ${why}.`);
    this.uid = uid;
  }
}

/**
 * Root may write anywhere, but its files would lock the server of another user out of its own state. And that user may
 * have put links there, which root would follow.
 *
 * @throws ForeignState DISK_DENIED
 */
export function requireOwnState(stateDir: string): void {
  if (process.geteuid?.() !== 0) return;
  const uid = fs.lstatSync(ledgerFile(stateDir), { throwIfNoEntry: false })?.uid ?? 0;
  if (uid !== 0) throw new ForeignState(stateDir, uid);
}
