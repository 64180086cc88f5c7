import type { TransferItem } from "../client/transfer.ts";
import type { TransferJobEvents } from "../client/transfer-job.ts";
import type { ErrorCode } from "../errors.ts";
import type { Clock } from "../session/clock.ts";
import type { JobFacts } from "./events.ts";
import { RateMeter } from "./rate-meter.ts";

/** How many troubles a job tells one by one. */
const MAX_TROUBLES = 100;

type Counts = Pick<JobFacts, "files" | "bytes" | "isPlanned" | "current" | "troubles">;

/** How far one run of a job is, from the events of its transfer. */
export class JobProgress {
  readonly #onChange: () => void;
  readonly #meter: RateMeter;
  readonly #files = { planned: 0, done: 0, failed: 0, skipped: 0 };
  readonly #bytes = { planned: 0, done: 0 };
  /** Bytes of each file under way that count already. */
  readonly #moved = new Map<TransferItem, number>();
  #troubles: JobFacts["troubles"] = [];
  #isPlanned = false;
  #current: string | undefined;

  /** `onChange` is called after every event. */
  constructor(clock: Pick<Clock, "now">, onChange: () => void) {
    this.#meter = new RateMeter(clock);
    this.#onChange = onChange;
  }

  get counts(): Counts {
    return {
      files: { ...this.#files },
      bytes: { ...this.#bytes },
      isPlanned: this.#isPlanned,
      current: this.#current,
      troubles: this.#troubles,
    };
  }

  /** Bytes a second over the last seconds. */
  get rate(): number {
    return this.#meter.rate;
  }

  get hasFailures(): boolean {
    return this.#files.failed > 0;
  }

  /** Nothing moves any more. */
  rest(): void {
    this.#current = undefined;
  }

  /** The subscriber of the transfer. */
  readonly events: TransferJobEvents<TransferItem> = {
    onPlanned: (item) => this.#plan(item, 1),
    onGone: (item) => this.#plan(item, -1),
    onPlanComplete: () => {
      this.#isPlanned = true;
      this.#onChange();
    },
    onStart: (item, present) => {
      this.#current = item.from;
      this.#count(item, present);
    },
    onProgress: (item, bytes) => {
      this.#current = item.from;
      this.#meter.add(bytes);
      this.#count(item, bytes);
    },
    onRestart: (item) => this.#count(item, -(this.#moved.get(item) ?? 0)),
    onDone: (item, { outcome, size }) => {
      if (item.kind !== "file") return;
      if (outcome === "skipped") this.#files.skipped++;
      else this.#files.done++;
      this.#count(item, (outcome === "stored" ? size : item.size) - (this.#moved.get(item) ?? 0));
      this.#moved.delete(item);
    },
    onFailed: (item, error) => {
      this.#moved.delete(item);
      this.#files.failed++;
      this.#tell(item.from, error);
    },
    onSourceFailed: (source, error) => {
      this.#files.failed++;
      this.#tell(source, error);
    },
    onLeftOut: ({ path, code, why }) => this.#tell(path, { code, message: `Left out: ${why}.` }),
  };

  #plan(item: TransferItem, count: 1 | -1): void {
    if (item.kind !== "file") return;
    this.#files.planned += count;
    this.#bytes.planned += count * item.size;
    this.#onChange();
  }

  #count(item: TransferItem, bytes: number): void {
    this.#moved.set(item, (this.#moved.get(item) ?? 0) + bytes);
    this.#bytes.done += bytes;
    this.#onChange();
  }

  #tell(path: string, { code, message }: { code: ErrorCode; message: string }): void {
    if (this.#troubles.length < MAX_TROUBLES) this.#troubles = [...this.#troubles, { path, error: { code, message } }];
    this.#onChange();
  }
}
