import fs from "node:fs";
import type { Socket } from "bun";

/** The descriptor of a socket, which is missing in Bun's types. */
export function fdOf(socket: Socket<unknown>): number {
  return (socket as unknown as { readonly fd: number }).fd;
}

/** `length` bytes of a file, filled up with zeros after its end. */
export function readPiece(fd: number, offset: number, length: number): Uint8Array {
  const piece = new Uint8Array(length);
  try {
    for (let filled = 0; filled < length; ) {
      const bytes = fs.readSync(fd, piece, filled, length - filled, offset + filled);
      if (bytes === 0) break;
      filled += bytes;
    }
  } catch {
    // The digest shows the other side that something could not be read.
  }
  return piece;
}
