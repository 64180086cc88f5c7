import { closeSync, openSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { until } from "../../tests/support/until.ts";
import { type Command, launch } from "./family.ts";
import { cpuSeconds, family, peakBytes } from "./process-tree.ts";

/** How often the memory of both ends is sampled, if it is measured. */
const SAMPLE_MS = 100;

/** The cost of one run of a client. */
export interface Run {
  /** From the start of the program to its end, in seconds. */
  readonly seconds: number;
  /** From the start to its first output; only for runs that read it. */
  readonly firstSeconds?: number;
  readonly clientCpu: number;
  /** Processor time of all processes of the server; absent without a server. */
  readonly serverCpu?: number;
  /** Highest resident memory in bytes; only for runs that measure it. */
  readonly clientPeak?: number;
  readonly serverPeak?: number;
}

export interface RunOptions {
  readonly home: string;
  readonly server?: number | undefined;
  /** Whether to measure memory, which costs some processor time. */
  readonly memory?: boolean;
  /** Whether to read its output; otherwise it is discarded. */
  readonly output?: boolean;
}

/** Run a client to its end. @throws Error with its output on failure */
export async function runClient(command: Command, options: RunOptions): Promise<Run> {
  const { home, server, memory = false, output = false } = options;
  const processesBefore = server === undefined ? 0 : family(server).length;
  const cpuBefore = server === undefined ? 0 : cpuSeconds(server);
  const log = join(home, `client-${crypto.randomUUID().slice(0, 8)}.log`);
  const errors = openSync(log, "w");

  const startedAt = performance.now();
  const child = launch(command, { home, stdout: output ? "pipe" : "ignore", stderr: errors });
  closeSync(errors);
  const watched = memory ? watchMemory(child.pid, server) : undefined;
  let firstSeconds: number | undefined;
  // With "ignore" there is no stream.
  for await (const _ of child.stdout ?? []) firstSeconds ??= (performance.now() - startedAt) / 1000;
  const exitCode = await child.exited;
  const seconds = (performance.now() - startedAt) / 1000;

  const peaks = watched?.();
  if (exitCode !== 0)
    throw new Error(
      `${basename(command.argv[0] ?? "")} ended with ${exitCode}: ${readFileSync(log, "utf8").slice(0, 500)}`,
    );
  const usage = child.resourceUsage();
  const clientCpu = Number(usage?.cpuTime.total ?? 0) / 1e6;
  if (server !== undefined) {
    // A server process for this connection ends a moment after the client; then its time counts for the server.
    const deadline = performance.now() + 2_000;
    await until(() => family(server).length <= processesBefore || performance.now() > deadline);
  }
  return {
    seconds,
    clientCpu,
    ...(firstSeconds !== undefined && { firstSeconds }),
    ...(server !== undefined && { serverCpu: cpuSeconds(server) - cpuBefore }),
    ...(peaks !== undefined && { clientPeak: peaks.client, serverPeak: peaks.server }),
  };
}

/**
 * Sample the memory of both ends until the returned function is called. Not getrusage(): its maximum includes that of
 * the benchmark itself when it started the client.
 */
function watchMemory(client: number, server: number | undefined): () => { client: number; server: number } {
  const peaks = { client: 0, server: 0 };
  const look = () => {
    peaks.client = Math.max(peaks.client, peakBytes(client));
    if (server !== undefined) peaks.server = Math.max(peaks.server, peakBytes(server));
  };
  const timer = setInterval(look, SAMPLE_MS);
  return () => {
    clearInterval(timer);
    look();
    return peaks;
  };
}
