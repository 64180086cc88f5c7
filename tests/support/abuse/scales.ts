import { readFileSync } from "node:fs";
import { processorSeconds } from "../processes.ts";

/** The resources that a server used during an attack. */
export interface Weight {
  /** Seconds of processor time. */
  readonly seconds: number;
  /** Highest resident memory in addition to that of before, in bytes. */
  readonly peak: number;
  /** The 99th percentile of messages that were sent meanwhile, in milliseconds. */
  readonly p99: number;
  readonly longest: number;
}

/** How often memory is sampled. */
const LOOK_MS = 20;

/** Measures the resources that a process uses from now on (Linux). */
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

  /** Resident bytes now, in addition to those of before. */
  get kept(): number {
    return residentBytes(this.#pid) - this.#residentBefore;
  }

  /** The maximum of `kept`. */
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
