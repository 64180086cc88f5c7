import { heapStats } from "bun:jsc";

/** What is kept grows in each round; what is made once for all (a cache, code) does so in one or two of them. */
const ROUNDS = 4;
/** How often what is left after a round is counted again. */
const AGAIN = 20;
/** What a session is made of, and what waits for something: no kind of it may grow with the number of sessions. */
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
 * Do the same again and again, `times` things in each round.
 *
 * @returns by kind how many objects more there were on the heap after each round, when that was so after every one
 */
export async function heapGrowth(times: number, round: () => Promise<void>): Promise<Counts> {
  // The collector takes a word on the stack for a pointer: a few may stay by chance.
  const byChance = times / 2;
  await round();
  let before = await countedWhenQuiet();
  let grown: Counts = {};
  for (let left = ROUNDS; left > 0; left--) {
    await round();
    let after = await countedWhenQuiet();
    grown = growth(before, after, byChance);
    // On a loaded machine some of it falls later: what stays is what was left.
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

/** Of the kinds that grew by more than chance, by how many objects. */
function growth(before: Counts, after: Counts, byChance: number): Counts {
  const more = KINDS.map((kind) => [kind, (after[kind] ?? 0) - (before[kind] ?? 0)] as const);
  return Object.fromEntries(more.filter(([, count]) => count > byChance));
}

/** Counts when nothing falls any more: some things are over a moment after what they belong to. */
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
