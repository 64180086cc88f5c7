import type { Prng } from "../prng.ts";

/** Lengths and numbers at which code tends to be wrong. */
export const EDGES = [
  0, 1, 2, 3, 7, 8, 15, 16, 24, 255, 256, 4_095, 4_096, 4_097, 65_535, 65_536, 65_537, 0xff_ffff, 1_048_575,
];
export const WIDE_EDGES = [...EDGES, 1_048_576, 1_048_577, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff];

/** One change somewhere in `bytes`, which stay as they are. */
export function mutateBytes(bytes: Buffer, prng: Prng): Buffer {
  const at = prng.below(bytes.length + 1);
  const span = prng.chance(0.9) ? prng.between(1, 16) : prng.between(1, 4_096);
  const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)];
  switch (prng.below(7)) {
    case 0:
    case 1:
      return changed(bytes, at, (byte) => byte ^ (1 << prng.below(8)));
    case 2:
      return changed(bytes, at, () => prng.below(256));
    case 3:
      return Buffer.concat([head, prng.bytes(Math.min(span, 64)), tail]);
    case 4:
      return Buffer.concat([head, tail.subarray(span)]);
    case 5:
      return Buffer.concat([head, tail.subarray(0, span), tail]);
    default:
      return at + 4 <= bytes.length ? overwritten(bytes, at, prng.pick(WIDE_EDGES)) : head;
  }
}

function changed(bytes: Buffer, at: number, change: (byte: number) => number): Buffer {
  const copy = Buffer.from(bytes);
  if (at < copy.length) copy[at] = change(copy[at] as number);
  return copy;
}

function overwritten(bytes: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt32BE(value, at);
  return copy;
}

/** A change to the header of an encoded frame: magic, opcode, flags, stream, length or reserved bytes. */
export function mutateHeader(frame: Buffer, prng: Prng): Buffer {
  const copy = Buffer.from(frame);
  if (copy.length < 16) return mutateBytes(copy, prng);
  switch (prng.below(8)) {
    case 0:
      copy[0] = prng.below(256);
      break;
    case 1:
      copy[1] = prng.chance(0.5) ? prng.between(1, 0x17) : prng.below(256);
      break;
    case 2:
      copy.writeUInt16BE(prng.pick([0, 1, 2, 3, 0x100, 0x8000, 0xffff]), 2);
      break;
    case 3:
    case 4:
      copy.writeUInt32BE(prng.chance(0.7) ? prng.below(12) : prng.pick(WIDE_EDGES), 4);
      break;
    case 5:
      copy.writeUInt32BE(prng.pick(WIDE_EDGES), 8);
      break;
    case 6:
      copy.writeUInt32BE((copy.readUInt32BE(8) + prng.between(-3, 3)) >>> 0, 8);
      break;
    default:
      copy.writeUInt32BE(prng.pick([1, 0x8000_0000, 0xffff_ffff]), 12);
  }
  return copy;
}
