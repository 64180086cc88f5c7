import { libc } from "../platform/libc.ts";

/** How often to check whether the peer of a paused socket is gone. */
export const LOOK_MS = 1_000;

/** A socket that is not being read. */
export interface Paused {
  /** Its descriptor. */
  readonly fd: number;
  /** The peer's last byte has arrived, after unread ones; or the socket is broken. */
  onLastByte(): void;
}

/**
 * Notices when the peer of a paused socket has sent its last byte. Bun 1.4.5 reports a reset at once, but an end only
 * after all bytes before it were read. A paused socket is not read, so its session would live on until the heartbeat
 * fails. Where the system can't be asked (other systems than Linux, or without bun:ffi), it does. An end after more
 * bytes than the system buffers has not arrived, and is not noticed.
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
   * Runs even if the socket was resumed meanwhile: pauses are short and frequent, and one check costs less than a timer
   * for each.
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

/** Shared by the process: one system call checks all paused sockets. */
export const pausedSockets = new PausedSockets();
