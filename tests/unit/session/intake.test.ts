import { describe, expect, test } from "bun:test";
import type { Header } from "../../../lib/protocol/header.ts";
import { Backlogs } from "../../../lib/session/backlogs.ts";
import { Hold, Intake, WORK_PER_TURN } from "../../../lib/session/intake.ts";
import { frame } from "../../support/frames.ts";

/** An intake whose turns come when they are asked for. */
function intake(onFrame: (header: Header) => void = () => {}) {
  const turns: (() => void)[] = [];
  const turn = () => new Promise<void>((resolve) => turns.push(resolve));
  const state = { isPaused: false, frames: 0, errors: [] as unknown[], streams: [] as number[] };
  const transport = {
    pause: () => {
      state.isPaused = true;
    },
    resume: () => {
      state.isPaused = false;
    },
  };
  const sink = {
    onFrame: (header: Header) => {
      state.frames++;
      state.streams.push(header.streamId);
      onFrame(header);
    },
    onData: () => {},
    onDecodeError: (error: unknown) => state.errors.push(error),
  };
  const backlogs = new Backlogs({ now: () => 0, turn });
  const next = async () => {
    const due = turns.splice(0);
    for (const take of due) take();
    await Promise.resolve();
    await Promise.resolve();
    return due.length > 0;
  };
  return { intake: new Intake(transport, sink, backlogs), state, next, backlogs };
}

/** As many frames without a payload, on streams that are numbered from `first`. */
const frames = (count: number, first = 1) =>
  Buffer.concat(Array.from({ length: count }, (_, index) => frame("END", Buffer.alloc(0), first + index)));

describe("an intake", () => {
  test("decodes at once what is a turn's worth, and reads on", () => {
    const { intake: taken, state } = intake();
    taken.take(frames(WORK_PER_TURN));
    expect(state).toMatchObject({ frames: WORK_PER_TURN, isPaused: false });
  });

  test("decodes of more one turn's worth a turn, in order, and reads nothing meanwhile", async () => {
    const { intake: taken, state, next } = intake();
    taken.take(frames(3 * WORK_PER_TURN));
    expect(state).toMatchObject({ frames: WORK_PER_TURN, isPaused: true });
    taken.take(frames(5, 3 * WORK_PER_TURN + 1)); // what was on its way already
    expect(state.frames).toBe(WORK_PER_TURN);
    await next();
    expect(state).toMatchObject({ frames: 2 * WORK_PER_TURN, isPaused: true });
    while (await next());
    expect(state).toMatchObject({ frames: 3 * WORK_PER_TURN + 5, isPaused: false });
    expect(state.streams).toEqual(Array.from({ length: state.frames }, (_, index) => index + 1));
  });

  test("lets others have their turn between its own", async () => {
    const { intake: taken, state, next, backlogs } = intake();
    const seen: number[] = [];
    taken.take(frames(4 * WORK_PER_TURN));
    backlogs.add(() => seen.push(state.frames));
    while (await next());
    expect(seen).toEqual([2 * WORK_PER_TURN]);
  });

  test("tells the peer's end after its last frame", async () => {
    const { intake: taken, state, next } = intake();
    const ends: number[] = [];
    taken.take(frames(2 * WORK_PER_TURN));
    taken.whenHeard(() => ends.push(state.frames));
    expect(ends).toEqual([]);
    while (await next());
    expect(ends).toEqual([2 * WORK_PER_TURN]);
    taken.whenHeard(() => ends.push(state.frames));
    expect(ends).toHaveLength(2);
  });

  test("decodes nothing while a peer does not read its answers, and goes on when it has", async () => {
    const {
      intake: taken,
      state,
      next,
    } = intake(({ streamId }) => {
      if (streamId === 10) taken.holdUnread(queue);
    });
    const queue: { onControlSent: (() => void) | undefined } = { onControlSent: undefined };
    taken.take(frames(20));
    while (await next());
    expect(state).toMatchObject({ frames: 10, isPaused: true });
    const ends: string[] = [];
    queue.onControlSent?.();
    while (await next());
    expect(state).toMatchObject({ frames: 20, isPaused: false });
    taken.whenHeard(() => ends.push("end"));
    expect(ends).toEqual(["end"]);
  });

  test("stops at the first byte that is wrong, and says so once", async () => {
    const { intake: taken, state, next } = intake();
    taken.take(Buffer.concat([frames(2), Buffer.alloc(16)]));
    taken.take(frames(2));
    while (await next());
    expect(state.frames).toBe(2);
    expect(state.errors).toEqual([expect.objectContaining({ code: "BAD_MAGIC" })]);
  });

  test("that is closed decodes nothing more of what waits", async () => {
    const { intake: taken, state, next } = intake();
    const ends: string[] = [];
    taken.take(frames(3 * WORK_PER_TURN));
    taken.whenHeard(() => ends.push("end"));
    taken.close();
    while (await next());
    expect(state.frames).toBe(WORK_PER_TURN);
    expect(ends).toEqual([]);
  });

  test("that is held for two reasons reads on when the last is gone", () => {
    const { intake: taken, state } = intake();
    taken.hold(Hold.rate);
    taken.hold(Hold.unread);
    taken.release(Hold.rate);
    taken.release(Hold.rate);
    expect(state.isPaused).toBe(true);
    taken.release(Hold.unread);
    expect(state.isPaused).toBe(false);
  });
});
