/** Far quicker than a timer where there is one; a browser has none. */
const { setImmediate: immediately = (action: () => void) => setTimeout(action, 0) } = globalThis as {
  setImmediate?: (action: () => void) => unknown;
};

/** Resolves when everybody else who waits for the event loop has had a turn. */
export function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => void immediately(resolve));
}
