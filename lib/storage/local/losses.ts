import { errnoOf } from "../../errno.ts";
import { storageNotice } from "../../storage-faults.ts";

/** What a disk may refuse. */
export type Loss = "times" | "rights";

const NOTICES: Record<Loss, string> = { times: storageNotice.noTimes, rights: storageNotice.noRights };

/** This user does not own what it just made (mounts with one owner for all), or the disk has no such thing. */
const REFUSALS = new Set(["EPERM", "EACCES", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "EINVAL"]);

/**
 * What the disk of a tree does not keep of files besides their bytes: reported once, and no reason to refuse the file.
 */
export class Losses {
  /** Called once for each kind. */
  onLoss: ((message: string) => void) | undefined;
  readonly #told = new Set<Loss>();

  /**
   * Do `work`, which sets the times or rights of a file; it is skipped when the disk refuses.
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
