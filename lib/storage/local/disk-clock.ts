import { eventLoopTurn } from "../../turn.ts";
import type { YielderClock } from "../../yielder.ts";

/** Long work on folders yields to everything else by this clock. */
export const diskClock: YielderClock = {
  now: () => performance.now(),
  turn: eventLoopTurn,
};
