import { KeptTimes } from "./kept-times.ts";
import { Losses } from "./losses.ts";
import { Endings } from "./names/name-trial.ts";

/** What is known of a tree and its disks, by all that look at it: at the whole tree, or at a folder of it. */
export class TreeMemory {
  readonly times = new KeptTimes();
  readonly losses = new Losses();
  readonly endings = new Endings();
  /** Those that nobody uses any more are collected. */
  readonly #lookers = new Set<WeakRef<{ forgetOwn(): void }>>();

  add(looker: { forgetOwn(): void }): void {
    this.#lookers.add(new WeakRef(looker));
  }

  /** A folder was renamed or removed. */
  forget(): void {
    for (const reference of this.#lookers) {
      const looker = reference.deref();
      if (looker === undefined) this.#lookers.delete(reference);
      looker?.forgetOwn();
    }
  }
}
