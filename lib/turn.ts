/** Far quicker than a timer, where it exists; browsers lack it. */
const { setImmediate: immediately = (action: () => void) => setTimeout(action, 0) } = globalThis as {
  setImmediate?: (action: () => void) => unknown;
};

/** Resolves when everything else that waits for the event loop has had a turn. */
export function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => void immediately(resolve));
}
