import { CommError, ERRORS, toCommError } from "../../errors.ts";
import type { Removal } from "./doomed.ts";
import type { SyncTarget } from "./sync-target.ts";

export interface RemoveAllTerms {
  readonly target: SyncTarget;
  /** Whether files are kept elsewhere. */
  readonly setsAside: boolean;
  readonly signal: AbortSignal;
  onRemoved(removal: Removal): void;
  onFailed(removal: Removal, error: CommError): void;
}

/**
 * Remove the files, then the folders from the innermost on: nothing that no list has shown is ever removed. Many
 * requests are under way at once.
 *
 * @throws CommError INTERRUPTED by `signal`; the loss when the link can't be replaced
 */
export async function removeAll(removals: readonly Removal[], terms: RemoveAllTerms): Promise<void> {
  const ranks = Map.groupBy(removals, ({ path, kind }) => (kind === "folder" ? path.split("/").length : FILES));
  for (const rank of [...ranks.keys()].sort((a, b) => b - a)) await removeEach(ranks.get(rank) ?? [], terms);
}

/** Files come before every folder. */
const FILES = Number.POSITIVE_INFINITY;

async function removeEach(removals: readonly Removal[], terms: RemoveAllTerms): Promise<void> {
  const { target, setsAside, signal, onRemoved, onFailed } = terms;
  const left = removals.values();
  let isOver = false;
  const work = async () => {
    for (const removal of left) {
      if (isOver) return;
      const { path, kind } = removal;
      try {
        if (signal.aborted) throw new CommError("INTERRUPTED", "Interrupted.");
        await (setsAside && kind === "file" ? target.setAside(path) : target.remove(path));
        onRemoved(removal);
      } catch (thrown) {
        const error = toCommError(thrown);
        // Without a link, or without a user who wants it, all others would fail as well.
        isOver ||= signal.aborted || ERRORS[error.code].unreachable;
        if (isOver) throw error;
        onFailed(removal, error);
      }
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: target.width }, work));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}
