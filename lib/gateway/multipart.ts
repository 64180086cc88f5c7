import { type ByteRange, contentRange } from "./byte-ranges.ts";

/** A body of several parts, of exact length. Source: RFC 9110, section 14.6; RFC 2046, section 5.1. */
export interface Multipart {
  /** Content-Type of the whole body. */
  readonly type: string;
  readonly length: number;
  /** The heads of the parts and, after each, the part itself. */
  readonly pieces: readonly (Uint8Array | ByteRange)[];
}

/** `ranges` of a representation of `size` bytes whose own Content-Type is `type`. */
export function multipartOf(
  ranges: readonly ByteRange[],
  { size, type }: { size: number; type: string },
  // No file contains it: its 122 random bits are newer than the file.
  boundary = `commserver-${crypto.randomUUID()}`,
): Multipart {
  const encoder = new TextEncoder();
  const pieces: (Uint8Array | ByteRange)[] = [];
  for (const range of ranges) {
    const head = `\r\n--${boundary}\r\nContent-Type: ${type}\r\nContent-Range: ${contentRange(range, size)}\r\n\r\n`;
    pieces.push(encoder.encode(head), range);
  }
  pieces.push(encoder.encode(`\r\n--${boundary}--\r\n`));
  const length = pieces.reduce(
    (sum, piece) => sum + (piece instanceof Uint8Array ? piece.length : piece[1] - piece[0]),
    0,
  );
  return { type: `multipart/byteranges; boundary=${boundary}`, length, pieces };
}
