import { availableParallelism, cpus, loadavg, release, type as systemName, totalmem } from "node:os";

/** Where and when the figures were measured: without this they are meaningless. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly system: string;
  readonly bun: string;
  readonly date: string;
  /** The load of the minute before the start, which shows other work on the machine. */
  readonly load: number;
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 1e9),
    system: `${systemName()} ${release()} ${process.arch}`,
    bun: Bun.version,
    date: new Date().toISOString(),
    load: Math.round((loadavg()[0] as number) * 100) / 100,
  };
}
