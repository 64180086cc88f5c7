/** A participant in every round. */
export interface Contestant<Sample> {
  readonly name: string;
  /** One run. `round` 0 is the warm-up, whose sample does not count. @throws on failure, and is then out */
  run(round: number): Promise<Sample>;
}

/**
 * All contestants in turn, then all again, so that other work of the machine affects each of them. A warm-up round
 * before, which does not count, brings programs and data into memory.
 *
 * @returns for each contestant its samples, one per round, or its error
 */
export async function inTurns<Sample>(
  contestants: readonly Contestant<Sample>[],
  { rounds, warmUp, note }: { rounds: number; warmUp: boolean; note: (line: string) => void },
): Promise<Map<string, Sample[] | { absent: string }>> {
  const results = new Map<string, Sample[] | { absent: string }>();
  for (const { name } of contestants) results.set(name, []);
  for (let round = warmUp ? 0 : 1; round <= rounds; round++) {
    note(round === 0 ? "warm-up" : `round ${round} of ${rounds}`);
    for (const { name, run } of contestants) {
      const samples = results.get(name);
      if (!Array.isArray(samples)) continue;
      try {
        const sample = await run(round);
        if (round > 0) samples.push(sample);
      } catch (error) {
        const absent = `failed: ${inOneLine(error)}`;
        note(`${name} ${absent}`);
        results.set(name, { absent });
      }
    }
  }
  return results;
}

/** The message of an error, for a cell of a table. */
export function inOneLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replaceAll(/\s+/g, " ").trim().slice(0, 300);
}
