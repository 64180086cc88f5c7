import { ACTS, type Conversation, encodeStep, type FrameStep, type Step } from "../conversation.ts";
import type { Prng } from "../prng.ts";
import { mutateBytes, mutateHeader, WIDE_EDGES } from "./bytes.ts";
import { mutatePayload } from "./payload.ts";

/** Bytes that one flood may send. */
const MAX_FLOOD_BYTES = 512 * 1024;
const MAX_STEPS = 400;
const NOBODY = { name: "Client01", token: "", nonce: "" };

/** One change to a run of steps, which stays as it is. */
export type StepMutator = (steps: readonly Step[], prng: Prng) => Step[];

const isSent = ({ kind }: Step) => kind === "frame" || kind === "raw" || kind === "http";

/** Change one step that is sent; mostly not the first of a peer, behind which nothing would be heard. */
function changeSent(steps: readonly Step[], prng: Prng, change: (step: Step) => Step): Step[] {
  const places = steps.flatMap((step, at) => (isSent(step) ? [at] : []));
  const later = places.filter((at) => steps.findIndex((step) => isSent(step) && step.peer === steps[at]?.peer) !== at);
  const chosen = later.length > 0 && prng.chance(0.9) ? later : places;
  if (chosen.length === 0) return [...steps];
  const at = prng.pick(chosen);
  return steps.with(at, change(steps[at] as Step));
}

/** Change a frame's fields; what is no frame any more is changed as bytes. */
function changeFrame(steps: readonly Step[], prng: Prng, change: (step: FrameStep) => Step): Step[] {
  return changeSent(steps, prng, (step) => {
    if (step.kind === "frame") return change(step);
    return { kind: "raw", peer: step.peer, bytes: mutateBytes(encodeStep(step, NOBODY), prng) };
  });
}

const rawOf = (step: Step, change: (bytes: Buffer) => Buffer): Step => ({
  kind: "raw",
  peer: step.peer,
  bytes: change(encodeStep(step, NOBODY)),
});

const OPCODE_NAMES = [
  "OPEN",
  "ACCEPT",
  "DATA",
  "CREDIT",
  "END",
  "RESET",
  "PING",
  "PONG",
  "GOAWAY",
  "AUTH",
  "HELLO",
  "QUEUED",
] as const;

export const STEP_MUTATORS: readonly { readonly weight: number; readonly mutate: StepMutator }[] = [
  {
    weight: 8,
    mutate: (steps, prng) =>
      changeFrame(steps, prng, (step) => ({ ...step, payload: mutatePayload(step.payload, prng) })),
  },
  {
    weight: 2,
    mutate: (steps, prng) => changeSent(steps, prng, (step) => rawOf(step, (bytes) => mutateBytes(bytes, prng))),
  },
  {
    weight: 2,
    mutate: (steps, prng) => changeSent(steps, prng, (step) => rawOf(step, (bytes) => mutateHeader(bytes, prng))),
  },
  {
    weight: 3,
    mutate: (steps, prng) => {
      const stream = prng.chance(0.8) ? prng.below(14) : prng.pick(WIDE_EDGES);
      return changeFrame(steps, prng, (step) => ({ ...step, stream }));
    },
  },
  {
    weight: 2,
    mutate: (steps, prng) => changeFrame(steps, prng, (step) => ({ ...step, opcode: prng.pick(OPCODE_NAMES) })),
  },
  { weight: 1, mutate: (steps, prng) => changeFrame(steps, prng, (step) => ({ ...step, flags: step.flags ^ 1 })) },
  { weight: 2, mutate: (steps, prng) => steps.toSpliced(prng.below(steps.length), prng.chance(0.8) ? 1 : 3) },
  { weight: 2, mutate: duplicate },
  { weight: 2, mutate: move },
  { weight: 1, mutate: shuffle },
  { weight: 1, mutate: flood },
  { weight: 1, mutate: (steps, prng) => truncate(steps, prng) },
  { weight: 3, mutate: act },
  {
    weight: 1,
    mutate: (steps, prng) => {
      const at = prng.below(steps.length);
      return steps.map((step, index) => (index === at ? { ...step, peer: prng.between(1, 3) } : step));
    },
  },
];

/** Changes to conversations in HTTP, beside those of what is said in them. */
export const ORDER_MUTATORS: readonly StepMutator[] = [
  (steps, prng) => steps.toSpliced(prng.below(steps.length), 1),
  duplicate,
  move,
  shuffle,
  flood,
  act,
];

function duplicate(steps: readonly Step[], prng: Prng): Step[] {
  const at = prng.below(steps.length);
  return steps.toSpliced(prng.below(steps.length + 1), 0, ...steps.slice(at, at + prng.between(1, 4)));
}

function move(steps: readonly Step[], prng: Prng): Step[] {
  const at = prng.below(steps.length);
  const moved = steps.slice(at, at + 1);
  return steps.toSpliced(at, 1).toSpliced(prng.below(steps.length), 0, ...moved);
}

function shuffle(steps: readonly Step[], prng: Prng): Step[] {
  const at = prng.below(steps.length);
  const run = steps.slice(at, at + 5);
  for (let left = run.length; left > 1; left--) {
    const other = prng.below(left);
    [run[left - 1], run[other]] = [run[other] as Step, run[left - 1] as Step];
  }
  return steps.toSpliced(at, 5, ...run);
}

/** One frame many times; an OPEN each time under another id, or all under one. */
function flood(steps: readonly Step[], prng: Prng): Step[] {
  const places = steps.flatMap((step, at) => (isSent(step) ? [at] : []));
  if (places.length === 0) return [...steps];
  const at = prng.pick(places);
  const step = steps[at] as Step;
  const most = Math.floor(MAX_FLOOD_BYTES / Math.max(16, encodeStep(step, NOBODY).length));
  const count = Math.min(most, prng.pick([8, 64, 300]));
  const isRising = step.kind === "frame" && prng.chance(0.7);
  const copies = Array.from({ length: count }, (_, copy) =>
    isRising ? { ...step, stream: step.stream + 2 * copy } : step,
  );
  return steps.toSpliced(at, 1, ...copies.map((copy) => copy as Step));
}

/** Break off, most often inside a frame. */
function truncate(steps: readonly Step[], prng: Prng): Step[] {
  const at = prng.below(steps.length);
  const step = steps[at] as Step;
  const head = steps.slice(0, at);
  if (!isSent(step)) return head;
  return [...head, rawOf(step, (bytes) => bytes.subarray(0, prng.below(bytes.length + 1)))];
}

function act(steps: readonly Step[], prng: Prng): Step[] {
  const at = prng.below(steps.length + 1);
  const peer = steps[Math.max(0, at - 1)]?.peer ?? 1;
  return steps.toSpliced(at, 0, { kind: "act", peer, act: prng.pick(ACTS) });
}

/** The beginning of one conversation and the end of another. */
export function splice(first: Conversation, second: Conversation, prng: Prng): Step[] {
  const head = first.steps.slice(0, prng.between(1, first.steps.length));
  return [...head, ...second.steps.slice(prng.below(second.steps.length))];
}

/** Both at once, step by step: by the same peer under other stream ids, or by other peers. */
export function interleave(first: Conversation, second: Conversation, prng: Prng): Step[] {
  const isShared = prng.chance(0.5);
  const others = second.steps.flatMap((step): Step[] => {
    if (!isShared) return [{ ...step, peer: step.peer + 3 }];
    if (step.kind !== "frame" && step.kind !== "expect") return [step];
    if (step.kind === "frame" && step.opcode === "HELLO") return [];
    return [{ ...step, stream: (step.stream ?? 0) === 0 ? 0 : (step.stream ?? 0) + 20 } as Step];
  });
  const left = [...first.steps];
  const merged: Step[] = [];
  while (left.length + others.length > 0) {
    const from = others.length === 0 || (left.length > 0 && prng.chance(0.5)) ? left : others;
    merged.push(...from.splice(0, prng.between(1, 3)));
  }
  return merged;
}

/** No conversation grows without end. */
export function bounded(steps: Step[]): Step[] {
  return steps.slice(0, MAX_STEPS);
}
