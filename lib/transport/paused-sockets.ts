import { libc } from "../platform/libc.ts";

/** How often it is looked whether a peer that is not read from is gone. */
const LOOK_MS = 1_000;

/** A socket that is not read from. */
export interface Paused {
  /** Its descriptor. */
  readonly fd: number;
  /** The last byte of the peer is here, behind what was not read yet; or the socket is broken. */
  onLastByte(): void;
}

/**
 * Tells paused sockets that their peer has sent its last byte. Bun 1.4.5 tells of a reset at once, but of an end only when
 * all before it has been read, and nothing is read from a paused socket: its session would live on until the heartbeat
 * misses it. Where the system can't be asked (no Linux, no bun:ffi) that is how it stays. An end behind more than the
 * system takes in unread is not here yet, and not seen.
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

  /** Also for one that is forgotten meanwhile: pauses are short and many, and one look costs less than a timer for each. */
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

/** Of this process: one call to the system asks for all of them. */
export const pausedSockets = new PausedSockets();
