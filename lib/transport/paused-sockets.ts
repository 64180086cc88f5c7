import { libc } from "../platform/libc.ts";

/** How often to look whether the peer of a paused socket is gone. */
export const LOOK_MS = 1_000;

/** A socket that is not read from. */
export interface Paused {
  /** Its descriptor. */
  readonly fd: number;
  /** The last byte of the peer has arrived, after all that was not read yet; or the socket is broken. */
  onLastByte(): void;
}

/**
 * Notices when the peer of a paused socket has sent its last byte. Bun 1.4.5 reports a reset at once, but an end only
 * when all before it has been read. Nothing is read from a paused socket: its session would live on until the heartbeat
 * fails. Where the system can't be asked (other than Linux, or without bun:ffi) it does. An end after more bytes than
 * the system buffers has not arrived, and is not seen.
 */
class PausedSockets {
  readonly #sockets = new Set<Paused>();
  #isLooking = false;

  add(socket: Paused): void {
    this.#sockets.add(socket);
    this.#lookLater();
  }

  delete(socket: Paused): void {
    this.#sockets.delete(socket);
  }

  /**
   * Also when the socket was resumed meanwhile: pauses are short and many, and one look costs less than a timer for
   * each.
   */
  #lookLater(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    setTimeout(() => this.#look(), LOOK_MS).unref();
  }

  #look(): void {
    this.#isLooking = false;
    const sockets = [...this.#sockets];
    if (sockets.length === 0) return;
    const ended = libc().endedSockets?.(sockets.map((socket) => socket.fd)) ?? [];
    for (const index of ended) sockets[index]?.onLastByte();
    this.#lookLater();
  }
}

/** One for the process: one call to the system asks about all of them. */
export const pausedSockets = new PausedSockets();
