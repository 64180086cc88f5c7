import type { Conversation } from "../conversation.ts";
import type { Prng } from "../prng.ts";
import { bounded, interleave, STEP_MUTATORS, splice } from "./steps.ts";

const WEIGHTED = STEP_MUTATORS.flatMap(({ weight, mutate }) => Array.from({ length: weight }, () => mutate));

/** A conversation that begins as one of `corpus` does, or two of them together, and is then changed in a few places. */
export function mutated(corpus: readonly Conversation[], prng: Prng): Conversation {
  const first = prng.pick(corpus);
  const partners = corpus.filter(({ plays }) => plays === first.plays);
  let { steps } = first;
  const way = prng.next();
  if (way < 0.12) steps = splice(first, prng.pick(partners), prng);
  else if (way < 0.3) steps = interleave(first, prng.pick(partners), prng);
  for (let left = changesOf(prng); left > 0 && steps.length > 0; left--)
    steps = bounded(prng.pick(WEIGHTED)(steps, prng));
  const split = prng.chance(0.4) ? prng.between(1, 0xff_ffff) : 0;
  return { ...first, name: `mutated ${first.name}`, wait: prng.chance(0.2) !== first.wait, steps, split };
}

/** Most often one or two: who is wrong everywhere is turned away at the first place. */
function changesOf(prng: Prng): number {
  let changes = 1;
  while (changes < 8 && prng.chance(0.5)) changes++;
  return changes;
}
