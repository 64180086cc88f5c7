/** Smaller buffers are left to the collector. */
const MIN_BYTES = 16 * 1024;

/** The number of holders of each buffer. */
const holds = new WeakMap<ArrayBuffer, number>();

/**
 * Each arrival of bytes has a buffer of its own, up to half a megabyte when they come fast, and the garbage collector
 * would let hundreds of them pile up. So code that needs `bytes`, or another view of the same buffer, holds them. When
 * every holder has let go, the memory is freed at once, and remaining views become empty. A buffer whose holder never
 * lets go is left to the collector.
 */
export function hold(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (buffer.byteLength < MIN_BYTES || !(buffer instanceof ArrayBuffer)) return;
  holds.set(buffer, (holds.get(buffer) ?? 0) + 1);
}

/** Call as often as hold(). The caller must not look at the bytes again. */
export function letGo(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (buffer.byteLength < MIN_BYTES || !(buffer instanceof ArrayBuffer)) return;
  const left = (holds.get(buffer) ?? 0) - 1;
  if (left > 0) holds.set(buffer, left);
  else if (left === 0) {
    holds.delete(buffer);
    buffer.transfer(0);
  }
}

/** Free the memory at once. Only the caller has `bytes` and their buffer, and no longer needs them. */
export function discard({ buffer }: Uint8Array): void {
  if (buffer.byteLength >= MIN_BYTES && buffer instanceof ArrayBuffer) buffer.transfer(0);
}
