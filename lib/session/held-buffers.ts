/** Smaller buffers are left to the collector. */
const MIN_BYTES = 16 * 1024;

/** How many still need what is in a buffer. */
const holds = new WeakMap<ArrayBuffer, number>();

/**
 * Bytes that arrive come in a buffer of their own each time, half a megabyte of it when they come fast. The collector would
 * let hundreds of them pile up. So code that needs `bytes`, or another view of the same buffer, holds them. When all have let go,
 * the memory is free at once, and views that are left are empty. A holder that never lets go leaves it to the collector.
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

/** Only the caller has `bytes` and the buffer below them, and needs them no more: the memory is free at once. */
export function discard({ buffer }: Uint8Array): void {
  if (buffer.byteLength >= MIN_BYTES && buffer instanceof ArrayBuffer) buffer.transfer(0);
}
