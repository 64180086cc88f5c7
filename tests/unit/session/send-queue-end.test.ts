import { describe, expect, test } from "bun:test";
import { SendQueue } from "../../../lib/session/send-queue.ts";
import { pattern } from "../../support/bytes.ts";
import { settle } from "../../support/fake-clock.ts";
import { FakeTransport } from "../../support/fake-transport.ts";
import { frame, parseFrames } from "../../support/frames.ts";
import { ListSource } from "../../support/list-source.ts";

const PING = frame("PING", pattern(8));

function makeQueue(blocked = false) {
  const transport = new FakeTransport();
  transport.blocked = blocked;
  const queue = new SendQueue(transport);
  return { transport, queue };
}

const namesOf = (transport: FakeTransport) => parseFrames(transport.bytes).frames.map(({ name }) => name);

describe("SendQueue: when a buffer is free again", () => {
  test("at once, when the transport has taken it all", async () => {
    const { queue } = makeQueue();
    const small = new ListSource(1, [pattern(10)]);
    const large = new ListSource(3, [pattern(50_000)]);
    queue.addSource(small);
    queue.addSource(large);
    await settle();
    expect([small.sent.length, large.sent.length]).toEqual([1, 1]);
  });

  test("at the drain, when the transport was full", async () => {
    const { transport, queue } = makeQueue(true);
    const source = new ListSource(1, [pattern(50_000), pattern(50_000)]);
    queue.addSource(source);
    await settle();
    expect(source.sent).toHaveLength(0);
    transport.blocked = false;
    queue.drained();
    expect(source.sent).toHaveLength(2);
  });

  test("not at a drain that only makes the next write full again", async () => {
    const { queue } = makeQueue(true);
    const source = new ListSource(1, [pattern(50_000), pattern(50_000)]);
    queue.addSource(source);
    await settle();
    queue.drained();
    expect(source.sent).toHaveLength(1);
  });

  test("at abandon(): nobody waits for a transport that is gone", async () => {
    const { queue } = makeQueue(true);
    const source = new ListSource(1, [pattern(50_000)]);
    queue.addSource(source);
    await settle();
    queue.abandon();
    expect(source.sent).toHaveLength(1);
  });
});

describe("SendQueue.pushControl()", () => {
  test("tells when the frame has left: at once, or at the drain", async () => {
    const { transport, queue } = makeQueue();
    const left: string[] = [];
    queue.pushControl(PING, () => left.push("first"));
    expect(left).toEqual([]);
    await settle();
    expect(left).toEqual(["first"]);
    transport.blocked = true;
    queue.pushControl(PING, () => left.push("second"));
    await settle();
    expect(left).toEqual(["first"]);
    queue.drained();
    expect(left).toEqual(["first", "second"]);
  });

  test("does not tell of a frame that never leaves", async () => {
    const { queue } = makeQueue(true);
    let left = 0;
    queue.pushControl(PING);
    await settle(); // the transport is full now
    queue.pushControl(PING, () => left++);
    queue.abandon();
    queue.pushControl(PING, () => left++);
    await settle();
    expect(left).toBe(0);
  });
});

describe("SendQueue.onControlSent", () => {
  test("is called when all control has gone to the transport, and not while some waits", async () => {
    const { transport, queue } = makeQueue(true);
    let calls = 0;
    queue.onControlSent = () => calls++;
    for (let count = 0; count < 3; count++) queue.pushControl(frame("OPEN", pattern(60_000), 1));
    await settle();
    expect([calls, namesOf(transport).length]).toEqual([0, 2]);
    queue.drained();
    expect([calls, namesOf(transport).length]).toEqual([1, 3]);
  });
});

describe("SendQueue.close()", () => {
  test("writes the control that waits, then closes the transport", () => {
    const { transport, queue } = makeQueue();
    queue.pushControl(PING);
    queue.close();
    expect(transport.bytes).toEqual(PING);
    expect(transport.closed).toBeTrue();
  });

  test("while the transport is full still writes all control before it closes it", async () => {
    const { transport, queue } = makeQueue(true);
    queue.addSource(new ListSource(1, [pattern(50_000), pattern(50_000)]));
    await settle();
    for (let count = 0; count < 5; count++) queue.pushControl(frame("OPEN", pattern(30_000), 1));
    queue.pushControl(PING);
    queue.close();
    expect(namesOf(transport)).toEqual(["DATA", "OPEN", "OPEN", "OPEN", "OPEN", "OPEN", "PING"]);
    expect(transport.closed).toBeTrue();
  });

  test("drops the data of sources", () => {
    const { transport, queue } = makeQueue();
    const source = new ListSource(1, [pattern(10)]);
    queue.addSource(source);
    queue.close();
    expect([transport.writes, source.asked]).toEqual([[], 0]);
  });

  test("gives back the buffer under way when it has left", async () => {
    const { queue } = makeQueue(true);
    const source = new ListSource(1, [pattern(50_000)]);
    queue.addSource(source);
    await settle();
    queue.close();
    expect(source.sent).toHaveLength(0);
    queue.drained();
    expect(source.sent).toHaveLength(1);
  });

  test("takes nothing more: the transport fails this test when it is written to", async () => {
    const { transport, queue } = makeQueue();
    queue.close();
    queue.pushControl(PING);
    queue.addSource(new ListSource(1, [pattern(10)]));
    await settle();
    queue.drained();
    queue.close();
    expect(transport.writes).toEqual([]);
  });

  test("called by a frame that has just left does not cut off its batch", async () => {
    const { transport, queue } = makeQueue();
    let given = 0;
    queue.addSource({
      takeFrame: () => {
        if (given++ > 0) return undefined;
        return { opcode: 0x12, streamId: 1, payload: pattern(50_000), onSent: () => queue.close() };
      },
    });
    await settle();
    expect(transport.bytes).toEqual(frame("DATA", pattern(50_000), 1));
    expect(transport.closed).toBeTrue();
  });
});

describe("SendQueue.abandon()", () => {
  test("forgets what waits and writes no more", async () => {
    const { transport, queue } = makeQueue();
    queue.pushControl(PING);
    const source = new ListSource(1, [pattern(10)]);
    queue.addSource(source);
    queue.abandon();
    await settle();
    queue.drained();
    expect([transport.writes, source.asked]).toEqual([[], 0]);
  });
});
