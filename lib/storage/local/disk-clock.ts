import { eventLoopTurn } from "../../turn.ts";
import type { YielderClock } from "../../yielder.ts";

/** The clock by which long work on folders yields to everything else. */
export const diskClock: YielderClock = {
  now: () => performance.now(),
  turn: eventLoopTurn,
};
