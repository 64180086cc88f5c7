import { heapStats } from "bun:jsc";

/** A leak grows in each round; things that are created once (a cache, code) grow in one or two of them. */
const ROUNDS = 4;
/** How often the remaining objects are counted again after a round. */
const AGAIN = 20;
/** The kinds of objects of a session, and of waiting work: none may grow with the number of sessions. */
const KINDS = [
  "Object",
  "Function",
  "Array",
  "Map",
  "Set",
  "Promise",
  "JSLexicalEnvironment",
  "Uint8Array",
  "TCPSocket",
];

type Counts = Readonly<Record<string, number>>;

/**
 * Repeat the same work, `times` things in each round.
 *
 * @returns by kind how many more objects were on the heap after each round, for kinds that grew in every round
 */
export async function heapGrowth(times: number, round: () => Promise<void>): Promise<Counts> {
  // The collector may mistake a word on the stack for a pointer, so a few objects may stay by chance.
  const byChance = times / 2;
  await round();
  let before = await countedWhenQuiet();
  let grown: Counts = {};
  for (let left = ROUNDS; left > 0; left--) {
    await round();
    let after = await countedWhenQuiet();
    grown = growth(before, after, byChance);
    // On a loaded machine some objects are freed later; a leak stays.
    for (let again = AGAIN; again > 0 && Object.keys(grown).length > 0; again--) {
      await Bun.sleep(20);
      after = await countedWhenQuiet();
      grown = growth(before, after, byChance);
    }
    if (Object.keys(grown).length === 0) break;
    before = after;
  }
  return grown;
}

/** The kinds that grew by more than chance, and by how many objects. */
function growth(before: Counts, after: Counts, byChance: number): Counts {
  const more = KINDS.map((kind) => [kind, (after[kind] ?? 0) - (before[kind] ?? 0)] as const);
  return Object.fromEntries(more.filter(([, count]) => count > byChance));
}

/** Counts once nothing more is freed: some objects outlive their owners for a moment. */
async function countedWhenQuiet(): Promise<Counts> {
  let least = Number.POSITIVE_INFINITY;
  for (let quiet = 0; quiet < 2; ) {
    await Bun.sleep(2);
    Bun.gc(true);
    const objects = heapStats().objectCount;
    quiet = objects < least ? 0 : quiet + 1;
    least = Math.min(least, objects);
  }
  return heapStats().objectTypeCounts;
}
