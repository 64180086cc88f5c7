import type { Conversation, Step } from "./conversation.ts";

/** Runs that one finding is worth. */
const MAX_RUNS = 300;

/** The same finding with as few steps as can be had in a bounded number of runs. */
export async function minimised(
  conversation: Conversation,
  reproduces: (smaller: Conversation) => Promise<boolean>,
  maxRuns = MAX_RUNS,
): Promise<Conversation> {
  let best = conversation;
  let left = maxRuns;
  const attempt = async (changes: Partial<Conversation>): Promise<boolean> => {
    if (left-- <= 0) return false;
    const smaller = { ...best, ...changes };
    if (!(await reproduces(smaller))) return false;
    best = smaller;
    return true;
  };
  await attempt({ split: best.split === 0 ? 0 : 1 });
  await attempt({ split: 0 });
  for (
    let size = Math.ceil(best.steps.length / 2);
    size >= 1 && left > 0;
    size = size === 1 ? 0 : Math.ceil(size / 2)
  ) {
    for (let at = 0; at < best.steps.length; ) {
      if (!(await attempt({ steps: best.steps.toSpliced(at, size) }))) at += size;
    }
  }
  for (let at = 0; at < best.steps.length; at++) await shorten(best.steps, at, attempt);
  return best;
}

/** Take the second half off what is no frame, as long as that can be done. */
async function shorten(
  steps: readonly Step[],
  at: number,
  attempt: (changes: Partial<Conversation>) => Promise<boolean>,
): Promise<void> {
  const step = steps[at];
  if (step?.kind !== "raw") return;
  for (let bytes = step.bytes; bytes.length > 1; ) {
    bytes = bytes.subarray(0, bytes.length >> 1);
    if (!(await attempt({ steps: steps.with(at, { ...step, bytes }) }))) return;
  }
}
