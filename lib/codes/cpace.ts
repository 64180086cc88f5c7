import { ristretto255, ristretto255_hasher } from "@noble/curves/ed25519.js";
import { bytesToNumberLE, concatBytes } from "@noble/curves/utils.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha512 } from "@noble/hashes/sha2.js";

/**
 * CPace, a password-authenticated key exchange: both sides get the same key if they know the same password, and
 * whoever takes part learns whether one guess was right, and nothing else.
 *
 * Source: draft-irtf-cfrg-cpace, suite CPACE-RISTR255-SHA512, initiator and responder. Names are those of the draft.
 * No package for CPace, SPAKE2 or OPAQUE was maintained and fit to be compiled into one file, so the group and the
 * hash are those of noble, which are audited and maintained, and the rest is here, held to the vectors of the draft.
 */

type Point = InstanceType<typeof ristretto255.Point>;

const DSI = ascii("CPaceRistretto255");
const DSI_ISK = ascii("CPaceRistretto255_ISK");
/** The block of SHA-512 (`s_in_bytes`). */
const HASH_BLOCK_BYTES = 128;
const SCALAR_BYTES = 32;
/** The element derivation function of RFC 9496, section 4.3.4, which every version of the hasher has. */
const deriveElement = ristretto255_hasher.deriveToCurve as NonNullable<typeof ristretto255_hasher.deriveToCurve>;
const EMPTY = new Uint8Array(0);

/** What both sides must know to agree. */
export interface CpaceInput {
  /** PRS: the password. */
  readonly password: Uint8Array;
  /** CI: the channel. */
  readonly channel: Uint8Array;
  /** sid: empty where the channel, or the password, is used only once. */
  readonly session?: Uint8Array;
}

/** A side's message: its share, and data that it adds. */
export interface CpaceMessage {
  readonly share: Uint8Array;
  readonly data: Uint8Array;
}

/** G.calculate_generator() */
export function generatorOf({ password, channel, session = EMPTY }: CpaceInput): Point {
  const used = withLength(password).length + withLength(DSI).length + 1;
  const padding = new Uint8Array(Math.max(0, HASH_BLOCK_BYTES - used));
  return deriveElement(sha512(cat(DSI, password, padding, channel, session))) as Point;
}

/** G.sample_scalar(): 252 random bits, which are below the order of the group. */
export function randomScalar(): bigint {
  const bytes = crypto.getRandomValues(new Uint8Array(SCALAR_BYTES));
  bytes[SCALAR_BYTES - 1] = (bytes[SCALAR_BYTES - 1] as number) & 0x0f;
  return bytesToNumberLE(bytes) || randomScalar();
}

/** G.scalar_mult() */
export function shareOf(generator: Point, scalar: bigint): Uint8Array {
  return generator.multiply(scalar).toBytes();
}

/** G.scalar_mult_vfy(); undefined in place of the neutral element, for which the exchange must end. */
export function secretPointOf(scalar: bigint, share: Uint8Array): Uint8Array | undefined {
  const point = decode(share);
  if (point === undefined || point.equals(ristretto255.Point.ZERO)) return undefined;
  return point.multiply(scalar).toBytes();
}

/** The key that both sides share (ISK), from the secret point and both messages: the initiator's first. */
export function sessionKeyOf(
  secretPoint: Uint8Array,
  initiator: CpaceMessage,
  responder: CpaceMessage,
  session = EMPTY,
): Uint8Array {
  return sha512(concatBytes(cat(DSI_ISK, session, secretPoint), encode(initiator), encode(responder)));
}

/** The tag by which the sender of `message` confirms that it has the key. */
export function confirmationOf(key: Uint8Array, message: CpaceMessage, session = EMPTY): Uint8Array {
  return hmac(sha512, sha512(concatBytes(ascii("CPaceMac"), session, key)), encode(message));
}

export function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** lv_cat(): each part with its length before it, so that no other parts give the same bytes. */
export function cat(...parts: readonly Uint8Array[]): Uint8Array {
  return concatBytes(...parts.map(withLength));
}

function encode({ share, data }: CpaceMessage): Uint8Array {
  return cat(share, data);
}

function decode(share: Uint8Array): Point | undefined {
  try {
    return ristretto255.Point.fromBytes(share) as Point;
  } catch {
    return undefined;
  }
}

/** prepend_len(): the length in LEB128. */
function withLength(bytes: Uint8Array): Uint8Array {
  const prefix: number[] = [];
  let left = bytes.length;
  do {
    prefix.push(left < 128 ? left : (left & 0x7f) | 0x80);
    left >>= 7;
  } while (left > 0);
  return concatBytes(Uint8Array.from(prefix), bytes);
}
