import { errnoOf } from "../../errno.ts";
import { storageNotice } from "../../storage-faults.ts";

/** What a disk may refuse. */
export type Loss = "times" | "rights";

const NOTICES: Record<Loss, string> = { times: storageNotice.noTimes, rights: storageNotice.noRights };

/**
 * This user does not own the file that it has just created (mounts with one owner for all), or the disk does not
 * support it.
 */
const REFUSALS = new Set(["EPERM", "EACCES", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "EINVAL"]);

/** Facts of files that the disk of a tree does not keep. This is reported once, and is no reason to refuse a file. */
export class Losses {
  /** Called once for each kind. */
  onLoss: ((message: string) => void) | undefined;
  readonly #told = new Set<Loss>();

  /**
   * Do `work`, which sets the times or permissions of a file; ignore the disk's refusal.
   *
   * @throws the system's other errors
   */
  try(loss: Loss, work: () => void): void {
    try {
      work();
    } catch (cause) {
      if (!REFUSALS.has(errnoOf(cause))) throw cause;
      if (this.#told.has(loss)) return;
      this.#told.add(loss);
      this.onLoss?.(NOTICES[loss]);
    }
  }
}
