import { readFileSync } from "node:fs";
import { processorSeconds } from "../processes.ts";

/** What a server took to endure something. */
export interface Weight {
  /** Seconds of processor time. */
  readonly seconds: number;
  /** Resident memory above that of before, at most, in bytes. */
  readonly peak: number;
  /** Of messages that were sent beside it, in milliseconds. */
  readonly p99: number;
  readonly longest: number;
}

/** How often memory is looked at. */
const LOOK_MS = 20;

/** Weighs what a process takes from now on (Linux). */
export class Scales implements Disposable {
  readonly #pid: number;
  readonly #secondsBefore: number;
  readonly #residentBefore: number;
  readonly #timer: ReturnType<typeof setInterval>;
  #peak = 0;

  constructor(pid: number) {
    this.#pid = pid;
    this.#secondsBefore = processorSeconds(pid);
    this.#residentBefore = residentBytes(pid);
    this.#timer = setInterval(() => {
      this.#peak = Math.max(this.#peak, this.kept);
    }, LOOK_MS);
  }

  /** Seconds of processor time. */
  get seconds(): number {
    return processorSeconds(this.#pid) - this.#secondsBefore;
  }

  /** Bytes that are resident now, above those of before. */
  get kept(): number {
    return residentBytes(this.#pid) - this.#residentBefore;
  }

  /** The same, at most. */
  get peak(): number {
    return this.#peak;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** Resident memory of a process, in bytes. */
export function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}
