import { expect, test } from "bun:test";
import { Wakeup } from "../../../lib/session/wakeup.ts";
import { settle } from "../../support/fake-clock.ts";
import { watch } from "../../support/outcomes.ts";

test("Wakeup: a wait ends with the next notify(), and not before", async () => {
  const wakeup = new Wakeup();
  for (let turn = 0; turn < 3; turn++) {
    const waiting = watch(wakeup.wait());
    await settle();
    expect(waiting.state).toBe("pending");
    wakeup.notify();
    await settle();
    expect(waiting.state).toBe("resolved");
  }
});

test("Wakeup: a notify() that nobody waited for ends the next wait, and only that", async () => {
  const wakeup = new Wakeup();
  wakeup.notify();
  wakeup.notify();
  await wakeup.wait();
  const waiting = watch(wakeup.wait());
  await settle();
  expect(waiting.state).toBe("pending");
});
