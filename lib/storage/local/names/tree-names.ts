import { storageFault } from "../../../storage-faults.ts";
import { isWithinMarker } from "../private/state-marker.ts";
import { isWithinUnfinished } from "./part-names.ts";

/** Components that are not names, so that a path with them would lead elsewhere. */
const STRAY = /(?:^|\/)\.{0,2}(?:\/|$)/;

/**
 * Paths are checked where they enter (lib/path.ts). An unchecked one must not lead elsewhere, either.
 *
 * @throws StorageError BAD_PATH for a component that is not a name, NOT_ALLOWED for the names of unfinished files and
 * of the marker
 */
export function requireNames(path: string): void {
  if (path !== "" && STRAY.test(path)) throw storageFault.notAPath(path);
  if (isWithinUnfinished(path)) throw storageFault.unfinishedName(path);
  if (isWithinMarker(path)) throw storageFault.markerName(path);
}
