import { quantile } from "../support/statistics.ts";

/** A request of the benchmark to a round-trip probe. */
export interface RoundRequest {
  readonly count: number;
  /** Longest pause before each; the actual one is a random part of it. Absent: none. */
  readonly pauseMs?: number;
}

/** The answer, in microseconds. */
export interface RoundAnswer {
  readonly medianUs: number;
  readonly p99Us: number;
}

/** Time `roundTrip` one after the other, for each request on standard input, until that ends. */
export async function answerRounds(roundTrip: () => Promise<unknown>): Promise<void> {
  for await (const line of console) {
    if (line === "") return; // how Bun reports the end
    const { count, pauseMs }: RoundRequest = JSON.parse(line);
    const samples = new Float64Array(count);
    for (let index = 0; index < count; index++) {
      if (pauseMs !== undefined) await Bun.sleep(Math.random() * pauseMs);
      const start = performance.now();
      await roundTrip();
      samples[index] = (performance.now() - start) * 1000;
    }
    const answer: RoundAnswer = { medianUs: quantile(samples, 0.5), p99Us: quantile(samples, 0.99) };
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}
