import type { Conversation } from "../conversation.ts";
import type { Prng } from "../prng.ts";
import { MANNER_NAMES, type MannerName } from "../targets/manners.ts";
import { changeHttp } from "./http.ts";
import { bounded, interleave, ORDER_MUTATORS, STEP_MUTATORS, splice } from "./steps.ts";

const WEIGHTED = STEP_MUTATORS.flatMap(({ weight, mutate }) => Array.from({ length: weight }, () => mutate));

const HTTP_WEIGHTED = [...Array.from({ length: 14 }, () => changeHttp), ...ORDER_MUTATORS];

/** A conversation that begins as one of `corpus` does, or two of them together, and is then changed in a few places. */
export function mutated(corpus: readonly Conversation[], prng: Prng): Conversation {
  const first = picked(corpus, prng);
  const partners = corpus.filter(({ plays }) => plays === first.plays);
  const mutators = first.plays === "web" ? HTTP_WEIGHTED : WEIGHTED;
  let { steps } = first;
  const way = prng.next();
  if (way < 0.12) steps = splice(first, prng.pick(partners), prng);
  else if (way < 0.3) steps = interleave(first, prng.pick(partners), prng);
  for (let left = changesOf(prng); left > 0 && steps.length > 0; left--)
    steps = bounded(prng.pick(mutators)(steps, prng));
  const split = prng.chance(0.4) ? prng.between(1, 0xff_ffff) : 0;
  const wait = prng.chance(0.2) !== first.wait;
  const { then = goesOn(first, prng) } = first;
  return { ...first, name: `mutated ${first.name}`, wait, steps, split, ...(then !== undefined && { then }) };
}

/** One whose server goes on for ever takes as long as dozens of others: they are as many as those that end so by chance. */
function picked(corpus: readonly Conversation[], prng: Prng): Conversation {
  const first = prng.pick(corpus);
  return first.then === undefined || prng.chance(0.1)
    ? first
    : prng.pick(corpus.filter((one) => one.then === undefined));
}

/** A server that has said all may go on in any manner; most often its links are cut. A day of WORKING is not had by chance. */
function goesOn({ plays }: Conversation, prng: Prng): MannerName | undefined {
  if (plays !== "server" || !prng.chance(0.04)) return undefined;
  return prng.pick(MANNER_NAMES.filter((name) => name !== "working"));
}

/** Most often one or two: who is wrong everywhere is turned away at the first place. */
function changesOf(prng: Prng): number {
  let changes = 1;
  while (changes < 8 && prng.chance(0.5)) changes++;
  return changes;
}
