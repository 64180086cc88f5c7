/**
 * Wait until `probe` returns something other than undefined or false. A test that waits in vain fails by its runner's
 * time limit, which names the test.
 */
export async function until<T>(probe: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== false) return value;
    await Bun.sleep(2);
  }
}
