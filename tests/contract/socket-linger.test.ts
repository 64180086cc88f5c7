import { afterEach, expect, mock, spyOn, test } from "bun:test";
import { SocketPair } from "../support/socket-pair.ts";
import { cut, noise, TransportRecorder } from "../support/transport-recorder.ts";
import { until } from "../support/until.ts";

afterEach(() => {
  mock.restore();
});

/** How long the closing end is to linger: no other timer has this number. */
const LINGER = 4_321;
const MB = 1024 * 1024;

test("a closed end lingers again whenever the peer reads: a slow reader gets all of it", async () => {
  await using pair = await SocketPair.tcp();
  const timers: { readonly timer: unknown; readonly end: () => void; isCleared: boolean }[] = [];
  const { setTimeout: start, clearTimeout: stop } = globalThis;
  spyOn(globalThis, "setTimeout").mockImplementation(((action: () => void, ms?: number) => {
    const timer = start(ms === LINGER ? () => {} : action, ms);
    if (ms === LINGER) timers.push({ timer, end: action, isCleared: false });
    return timer;
  }) as typeof setTimeout);
  spyOn(globalThis, "clearTimeout").mockImplementation(((timer: Parameters<typeof stop>[0]) => {
    for (const one of timers) if (one.timer === timer) one.isCleared = true;
    stop(timer);
  }) as typeof clearTimeout);

  const content = noise(64 * MB);
  const reader = new TransportRecorder(pair.connected);
  pair.accepted.start({ onBytes() {}, onDrain() {}, onClosed() {} });
  pair.accepted.write(content);
  pair.accepted.close(LINGER);
  expect(timers).toHaveLength(1);
  // More than the kernel keeps on the way: so the sender has been asked for more.
  reader.onPiece = () => {
    if (reader.byteCount > 32 * MB) pair.connected.pause();
  };
  reader.start();
  await reader.received(32 * MB);
  await until(() => timers[0]?.isCleared || reader.closes.length > 0 || reader.byteCount > 32 * MB);
  // Now its time would be over.
  for (const { end, isCleared } of timers) if (!isCleared) end();
  reader.onPiece = undefined;
  pair.connected.resume();
  await reader.closed();
  expect(reader.byteCount).toBe(content.length);
  expect(reader.closes).toEqual([undefined]);
});

test.each([
  ["TCP", SocketPair.tcp],
  ["TLS", SocketPair.tls],
] as const)("last words reach a peer whose input nobody has read: no reset takes them back (%s)", async (_, open) => {
  await using pair = await open();
  const peer = new TransportRecorder(pair.connected).start();
  const ours = new TransportRecorder(pair.accepted);
  ours.onPiece = () => pair.accepted.pause();
  ours.start();
  // More than is read before the pause, and than the kernel takes of it.
  for (const piece of cut(noise(32 * MB), [MB])) pair.connected.write(piece);
  await ours.received(1);
  pair.accepted.write(Buffer.from("goodbye"));
  // Long enough for a loaded machine.
  pair.accepted.close(30_000);
  await peer.received(7);
  await Promise.all([peer.closed(), ours.closed()]);
  expect([peer.text, peer.closes, ours.closes]).toEqual(["goodbye", [undefined], [undefined]]);
});
