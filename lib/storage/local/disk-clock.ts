import type { YielderClock } from "../../yielder.ts";

/** By which long work on folders takes turns with all else. */
export const diskClock: YielderClock = {
  now: () => performance.now(),
  turn: () => new Promise((resolve) => void setImmediate(resolve)),
};
