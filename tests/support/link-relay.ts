/**
 * A slow and lossy link between two network namespaces, for kernels without netem: a TUN device in each, and this
 * program between them. It prints "ready" when both devices exist and, when its standard input ends, what it has done
 * to the packets; the devices end with it.
 *
 * bun link-relay.ts NAMESPACE NAMESPACE DEVICE IMPAIRMENT, the last as JSON
 */
import { dlopen, FFIType, ptr } from "bun:ffi";
import type { Impairment } from "./netns.ts";
import { Random } from "./random.ts";

const { i32, i64, u64, pointer } = FFIType;
const { symbols: libc } = dlopen("libc.so.6", {
  open: { args: [pointer, i32], returns: i32 },
  ioctl: { args: [i32, u64, pointer], returns: i32 },
  setns: { args: [i32, i32], returns: i32 },
  poll: { args: [pointer, u64, i32], returns: i32 },
  read: { args: [i32, pointer, u64], returns: i64 },
  write: { args: [i32, pointer, u64], returns: i64 },
});

const O_RDWR_NONBLOCK = 0o4002;
const CLONE_NEWNET = 0x4000_0000;
const TUNSETIFF = 0x4004_54ca;
const IFF_TUN_NO_PI = 0x1001;
const POLLIN = 1;
/** A queue that holds more than this is full. */
const MAX_QUEUED_MS = 500;

function text(value: string): Buffer {
  return Buffer.from(`${value}\0`);
}

function checked(result: number, what: string): number {
  if (result < 0) throw new Error(`${what} failed`);
  return result;
}

/** A TUN device in that namespace, which this thread enters. */
function openTun(namespace: string, device: string): number {
  const space = checked(libc.open(ptr(text(`/run/netns/${namespace}`)), 0), `opening ${namespace}`);
  checked(libc.setns(space, CLONE_NEWNET), `entering ${namespace}`);
  const tun = checked(libc.open(ptr(text("/dev/net/tun")), O_RDWR_NONBLOCK), "opening /dev/net/tun");
  const request = Buffer.alloc(40);
  request.write(device, "latin1");
  request.writeUInt16LE(IFF_TUN_NO_PI, 16);
  checked(libc.ioctl(tun, TUNSETIFF, ptr(request)), `making ${device}`);
  return tun;
}

interface Packet {
  readonly dueAt: number;
  readonly bytes: Buffer;
  readonly to: number;
}

class Relay {
  readonly counts = { passed: 0, lost: 0, duplicated: 0, reordered: 0, overflowed: 0 };
  readonly #impairment: Impairment;
  readonly #random = new Random("link");
  /** In the order of their times. */
  readonly #queue: Packet[] = [];
  /** By target device: when the last bit of the accepted packets has left. */
  readonly #freeAt = new Map<number, number>();

  constructor(impairment: Impairment) {
    this.#impairment = impairment;
  }

  take(bytes: Buffer, to: number, now: number): void {
    const { delayMs, jitterMs, loss, duplicate, reorder, mbit } = this.#impairment;
    if (this.#random.next() < loss) {
      this.counts.lost++;
      return;
    }
    const freeAt = Math.max(now, this.#freeAt.get(to) ?? 0) + (bytes.length * 8) / (mbit * 1_000);
    if (freeAt - now > MAX_QUEUED_MS) {
      this.counts.overflowed++;
      return;
    }
    this.#freeAt.set(to, freeAt);
    const isEarly = this.#random.next() < reorder;
    if (isEarly) this.counts.reordered++;
    const dueAt = isEarly ? freeAt : freeAt + delayMs + (2 * this.#random.next() - 1) * jitterMs;
    this.#enqueue({ dueAt, bytes, to });
    if (this.#random.next() >= duplicate) return;
    this.counts.duplicated++;
    this.#enqueue({ dueAt, bytes, to });
  }

  /** Pass on what is due. @returns milliseconds until there is more, -1 when nothing waits */
  pass(now: number): number {
    for (;;) {
      const [next] = this.#queue;
      if (next === undefined) return -1;
      if (next.dueAt > now) return Math.ceil(next.dueAt - now);
      this.#queue.shift();
      // A device that is down takes nothing: the packet is lost, as on a cut cable.
      if (libc.write(next.to, ptr(next.bytes), next.bytes.length) > 0) this.counts.passed++;
    }
  }

  #enqueue(packet: Packet): void {
    let at = this.#queue.length;
    while (at > 0 && (this.#queue[at - 1] as Packet).dueAt > packet.dueAt) at--;
    this.#queue.splice(at, 0, packet);
  }
}

function main(): void {
  const [one = "", other = "", device = "", impairment = ""] = process.argv.slice(2);
  const ends = [openTun(one, device), openTun(other, device)] as const;
  const relay = new Relay(JSON.parse(impairment));
  console.log("ready");
  const polled = Buffer.alloc(24);
  for (const [index, fd] of [...ends, 0].entries()) {
    polled.writeInt32LE(fd, 8 * index);
    polled.writeInt16LE(POLLIN, 8 * index + 4);
  }
  const piece = Buffer.alloc(65_536);
  for (let timeout = -1; polled.readInt16LE(22) === 0; timeout = relay.pass(performance.now())) {
    libc.poll(ptr(polled), 3, timeout);
    for (const [index, fd] of ends.entries()) {
      if (polled.readInt16LE(8 * index + 6) === 0) continue;
      for (;;) {
        const length = Number(libc.read(fd, ptr(piece), piece.length));
        if (length <= 0) break;
        relay.take(Buffer.from(piece.subarray(0, length)), ends[1 - index] as number, performance.now());
      }
    }
  }
  console.log(JSON.stringify(relay.counts));
}

main();
