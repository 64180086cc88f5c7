import { expect, test } from "bun:test";
import { Effort } from "../../../lib/storage/local/watch/effort.ts";
import { FakeClock } from "../../support/fake-clock.ts";

test("the time of long work is that of its pieces, without what others do between them", async () => {
  const clock = new FakeClock();
  const effort = new Effort(clock);
  for (let piece = 0; piece < 3; piece++) {
    clock.stall(1);
    await effort.pause(); // nobody has waited long enough yet
    clock.stall(4);
    const paused = effort.pause();
    clock.stall(1_000);
    await paused;
  }
  clock.stall(2);
  expect(effort.end()).toBe(3 * 5 + 2);
});
