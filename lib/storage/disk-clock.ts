import type { PacerClock } from "../pacer.ts";

/** By which long work on folders takes turns with all else. */
export const diskClock: PacerClock = {
  now: () => performance.now(),
  turn: () => new Promise((resolve) => void setImmediate(resolve)),
};
