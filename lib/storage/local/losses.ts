import { errnoOf } from "../../errno.ts";

/** What a file may have to do without. */
export type Loss = "times" | "rights";

const WORDS: Record<Loss, string> = {
  times: "The disk lets this user set no times: what comes there is as new as its arrival, and is not known again.",
  rights:
    "The disk lets this user set no rights: what comes there has those that the disk gives, or fewer than it should.",
};

/** Not the owner of what was just made (mounts with an owner for all), or a disk that knows no such thing. */
const REFUSALS = new Set(["EPERM", "EACCES", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "EINVAL"]);

/** What the disk of a tree does not take of files besides their bytes: told once, and no reason to throw those away. */
export class Losses {
  /** Hears of each kind once. */
  onLoss: ((message: string) => void) | undefined;
  readonly #told = new Set<Loss>();

  /** Do `work`, which gives a file the one or the other; without it when the disk refuses. @throws the system's other errors */
  try(loss: Loss, work: () => void): void {
    try {
      work();
    } catch (cause) {
      if (!REFUSALS.has(errnoOf(cause))) throw cause;
      if (this.#told.has(loss)) return;
      this.#told.add(loss);
      this.onLoss?.(WORDS[loss]);
    }
  }
}
