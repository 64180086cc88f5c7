import type { CommError } from "../../errors.ts";
import type { Removal } from "./doomed.ts";
import { type RemovalRules, refusalOf } from "./removal-rules.ts";
import { removeAll } from "./remove-all.ts";
import { SyncMover, type SyncMoverSettings } from "./sync-mover.ts";
import { type SyncResult, SyncTally } from "./sync-result.ts";
import type { SyncTarget } from "./sync-target.ts";

export interface SyncJobSettings extends Omit<SyncMoverSettings, "tally">, RemovalRules {
  /** Report what a run would do, and change nothing. */
  readonly isDry: boolean;
  readonly events: SyncMoverSettings["events"] & {
    onRemoved?(removal: Removal): void;
    /** Nothing is removed, for this reason. */
    onRefused?(error: CommError): void;
  };
}

/**
 * A mirror as a library: makes the content of the target folder that of the source. Removes last, and only if all
 * before has succeeded. Runs in a browser as well.
 */
export class SyncJob {
  readonly #settings: SyncJobSettings;
  readonly #tally = new SyncTally();
  readonly #mover: SyncMover;

  constructor(settings: SyncJobSettings) {
    this.#settings = settings;
    this.#mover = new SyncMover({ ...settings, tally: this.#tally });
  }

  /** The counts so far, also when run() has failed. */
  get result(): SyncResult {
    return this.#tally.result;
  }

  /** Run the job. Call it once. @throws as TransferJob.run(), planSync() */
  async run(): Promise<SyncResult> {
    const { isDry, events } = this.#settings;
    const findings = isDry ? await this.#mover.readPlan("dry") : await this.#mover.move("first");
    const refusal = refusalOf(findings, this.#settings, this.#hasFailed);
    if (refusal !== undefined) {
      events.onRefused?.(refusal);
      this.#tally.addRefusal(refusal);
    }
    const { removals, isPutOff, afterwards } = findings;
    const isFirst = ({ isInTheWay }: Removal) => isPutOff && isInTheWay;
    const mayRemove = !this.#hasFailed;
    if (mayRemove) await this.#remove(removals.filter(isFirst));
    if (isDry && mayRemove) this.#mover.reportAll(afterwards);
    // What is still in the way is a failure now.
    else if (isPutOff) await (isDry ? this.#mover.readPlan("last") : this.#mover.move("last"));
    if (mayRemove && !this.#hasFailed) await this.#remove(removals.filter((removal) => !isFirst(removal)));
    if (!isDry && !this.#hasFailed) await this.#mover.clearStaged(findings.leftStaged);
    return this.result;
  }

  get #hasFailed(): boolean {
    return this.result.firstFailure !== undefined;
  }

  async #remove(removals: readonly Removal[]): Promise<void> {
    const { isDry, events, rules } = this.#settings;
    const onRemoved = (removal: Removal) => {
      this.#tally.addRemoved();
      events.onRemoved?.(removal);
    };
    await removeAll(removals, {
      ...this.#settings,
      setsAside: rules.setsAside,
      ...(isDry && { target: NOTHING_REMOVED }),
      onRemoved,
      onFailed: ({ path }, error) => {
        this.#tally.addFailure(error);
        events.onPathFailed?.(path, error);
      },
    });
  }
}

const NOTHING_REMOVED: SyncTarget = {
  width: 1,
  async remove() {},
  async replace() {},
  async setAside() {},
};
