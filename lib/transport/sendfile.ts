import { dlopen, ptr } from "bun:ffi";
import fs from "node:fs";
import type { Socket } from "bun";

/**
 * sendfile(2): bytes of a file to a socket without a copy through this process. It takes what the socket has room for;
 * 0 or less when that, or the file, is at its end. undefined on other systems than Linux.
 */
export function sendfile(): Sendfile | undefined {
  // Loaded when first asked for: a client, and who sits idle, need not pay for it.
  loaded ??= { sendfile: load() };
  return loaded.sendfile;
}

let loaded: { sendfile: Sendfile | undefined } | undefined;

type Sendfile = (socket: number, file: number, offset: number, length: number) => number;

function load(): Sendfile | undefined {
  if (process.platform !== "linux") return undefined;
  const arch = process.arch === "arm64" ? "aarch64" : "x86_64";
  for (const library of ["libc.so.6", `libc.musl-${arch}.so.1`]) {
    try {
      const { symbols } = dlopen(library, {
        sendfile: { args: ["i32", "i32", "ptr", "u64"], returns: "i64" },
      });
      const position = new BigInt64Array(1);
      const at = ptr(position);
      return (socket, file, offset, length) => {
        position[0] = BigInt(offset);
        return Number(symbols.sendfile(socket, file, at, length));
      };
    } catch {
      // the other libc, or none with this call
    }
  }
  return undefined;
}

/** The descriptor of a socket, which Bun has, but not in its types. */
export function fdOf(socket: Socket<unknown>): number {
  return (socket as unknown as { readonly fd: number }).fd;
}

/** `length` bytes of a file; zeros where it has none. */
export function readPiece(fd: number, offset: number, length: number): Uint8Array {
  const piece = new Uint8Array(length);
  try {
    for (let filled = 0; filled < length; ) {
      const bytes = fs.readSync(fd, piece, filled, length - filled, offset + filled);
      if (bytes === 0) break;
      filled += bytes;
    }
  } catch {
    // What can't be read is found by its digest on the other side.
  }
  return piece;
}
