const encoder = new TextEncoder();

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** `length` bytes in which every position differs from its neighbours, different for each `seed`. */
export function pattern(length: number, seed = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (at * 31 + (at >>> 8) * 17 + seed * 101) & 0xff);
}

/** `bytes` in pieces of `size`; each has its own buffer, as pieces from a transport have. */
export function pieces(bytes: Uint8Array, size: number): Uint8Array[] {
  return splitAt(
    bytes,
    Array.from({ length: Math.floor((bytes.length - 1) / size) }, (_, at) => (at + 1) * size),
  );
}

/** `bytes` cut at the positions of `cuts`, in rising order; no piece is empty. */
export function splitAt(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const at = [...new Set([0, ...cuts.filter((cut) => cut > 0 && cut < bytes.length), bytes.length])];
  at.sort((a, b) => a - b);
  // Not bytes.slice(): that of a Buffer is a view.
  return at.slice(1).map((end, index) => new Uint8Array(bytes.subarray(at[index], end)));
}

/** A whole body, copied piece by piece, since a piece becomes invalid with the next read. */
export async function wholeOf(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of body) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}
