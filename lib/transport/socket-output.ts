import type { Socket } from "bun";
import { libc } from "../platform/libc.ts";
import type { FileBytes } from "../session/transport.ts";
import { fdOf, readPiece } from "./file-bytes.ts";

/** The bytes of a file that an ordinary write sends when the kernel takes no more from the file directly. */
const PIECE_BYTES = 4 * 1024;

/** The bytes that a socket has not taken yet, in order: Bun's write() drops bytes that the kernel does not take. */
export class SocketOutput {
  readonly #socket: Socket<unknown>;
  /** The first piece is unsent from #offset on. */
  #unsent: (Uint8Array | FileBytes)[] = [];
  #offset = 0;

  constructor(socket: Socket<unknown>) {
    this.#socket = socket;
  }

  get isEmpty(): boolean {
    return this.#unsent.length === 0;
  }

  /** Send `bytes` now; call it only while nothing waits. @returns false when a part of them waits */
  write(bytes: Uint8Array): boolean {
    const taken = this.#socket.write(bytes);
    // -1: closed meanwhile, which handleClose() reports.
    if (taken < 0 || taken === bytes.length) return true;
    this.#unsent.push(bytes);
    this.#offset = taken;
    return false;
  }

  /** Send `piece` after everything before it. */
  push(piece: Uint8Array | FileBytes): void {
    this.#unsent.push(piece);
  }

  /** Send as much of the waiting bytes as the kernel takes; "gone" when the socket was closed. */
  send(): "sent" | "blocked" | "gone" {
    for (let head = this.#unsent[0]; head !== undefined; head = this.#unsent[0]) {
      const taken = head instanceof Uint8Array ? this.#sendBytes(head) : this.#sendFileBytes(head);
      // Closed meanwhile, which handleClose() reports.
      if (taken < 0) return "gone";
      this.#offset += taken;
      if (this.#offset < head.length) return "blocked";
      this.#unsent.shift();
      this.#offset = 0;
      if (!(head instanceof Uint8Array)) head.release();
    }
    return "sent";
  }

  /** Drop everything that waits. */
  drop(): void {
    this.#offset = 0;
    for (const bytes of this.#unsent.splice(0)) if (!(bytes instanceof Uint8Array)) bytes.release();
  }

  #sendBytes(head: Uint8Array): number {
    return this.#socket.write(this.#offset === 0 ? head : head.subarray(this.#offset));
  }

  /** @returns bytes taken, -1 when closed */
  #sendFileBytes({ fd, offset, length }: FileBytes): number {
    let sent = this.#offset;
    while (sent < length) {
      const taken = libc().sendfile?.(fdOf(this.#socket), fd, offset + sent, length - sent) ?? 0;
      if (taken > 0) {
        sent += taken;
        continue;
      }
      // Either the kernel takes no more, or the file has no more bytes. A small write either falls short, which arms
      // onDrain, or makes progress.
      const piece = readPiece(fd, offset + sent, Math.min(PIECE_BYTES, length - sent));
      const written = this.#socket.write(piece);
      if (written < 0) return -1;
      sent += written;
      if (written < piece.length) break;
    }
    return sent - this.#offset;
  }
}
