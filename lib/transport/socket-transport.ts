import type { Socket } from "bun";
import { libc } from "../platform/libc.ts";
import { discard } from "../session/held-buffers.ts";
import type { FileBytes, PeerAddress, Transport, TransportHandler } from "../session/transport.ts";
import { fdOf } from "./file-bytes.ts";
import { type Paused, pausedSockets } from "./paused-sockets.ts";
import { SocketOutput } from "./socket-output.ts";
import { type Agreed, agreedOn } from "./tls.ts";

/** How long a closing end waits until the peer closes or reads on, before it gives up. */
export const LINGER_MS = 2_000;

/** Whether bytes may pass: during the TLS handshake, a socket is "shaking". */
type Security = "plain" | "shaking" | "secure";

/**
 * A transport over a Bun socket (TCP, with TLS or without, or Unix): its life cycle, and its input. The socket must
 * have been opened with `allowHalfOpen`.
 */
export class SocketTransport implements Transport, Paused {
  readonly #socket: Socket<SocketTransport>;
  readonly peer: string;
  readonly peerAddress: PeerAddress;
  #security: Security;
  readonly #withHttp: boolean;
  #agreed: Agreed | undefined;
  #handler: TransportHandler | undefined;
  /** Bytes that arrived before start(), or while paused. */
  #inbox: Uint8Array[] = [];
  #paused = false;
  /** The number of pieces at the end of #inbox that arrived since. */
  #late = 0;
  #peerEnded = false;
  /** The last byte of the peer has arrived: the bytes before it are bounded, and read without a pause. */
  #readsToEnd = false;
  #delivering = false;
  readonly #output: SocketOutput;
  #closing = false;
  #closed = false;
  #closeTold = false;
  #closeError: Error | undefined;
  #linger: ReturnType<typeof setTimeout> | undefined;

  /** `tls`: set if a TLS handshake comes first; whether it may agree on HTTP. */
  constructor(
    socket: Socket<SocketTransport>,
    peer: { name: string; address: PeerAddress },
    tls: { withHttp: boolean } | undefined,
  ) {
    this.#socket = socket;
    this.#output = new SocketOutput(socket);
    this.peer = peer.name;
    this.peerAddress = peer.address;
    this.#security = tls !== undefined ? "shaking" : "plain";
    this.#withHttp = tls?.withHttp === true;
    // Small frames are joined before they are written, so the kernel need not wait for more.
    socket.setNoDelay(true);
  }

  start(handler: TransportHandler): void {
    this.#handler = handler;
    this.#deliver();
  }

  get channelBinding(): Uint8Array | undefined {
    return this.#agreed?.binding;
  }

  /** The protocol that ALPN agreed on, "" without ALPN; undefined without encryption, or before the handshake ends. */
  get applicationProtocol(): string | undefined {
    return this.#agreed?.protocol;
  }

  write(bytes: Uint8Array): boolean {
    if (this.#closed || this.#closing) return true;
    if (this.#output.isEmpty && this.#security !== "shaking") return this.#output.write(bytes);
    this.#output.push(bytes);
    return false;
  }

  get canSendFiles(): boolean {
    return this.#security === "plain" && libc().sendfile !== undefined;
  }

  sendFile(bytes: FileBytes): boolean {
    if (this.#closed || this.#closing) {
      bytes.release();
      return true;
    }
    const isFirst = this.#output.isEmpty;
    this.#output.push(bytes);
    return isFirst && this.#output.send() !== "blocked";
  }

  get fd(): number {
    return fdOf(this.#socket);
  }

  pause(isBrief = false): void {
    if (this.#closing || this.#closed || this.#readsToEnd) return;
    if (!this.#paused) this.#late = 0;
    this.#paused = true;
    this.#socket.pause();
    if (!isBrief) pausedSockets.add(this);
  }

  onLastByte(): void {
    this.#readsToEnd = true;
    this.resume();
  }

  resume(): void {
    this.#paused = false;
    pausedSockets.delete(this);
    if (!this.#closed) this.#socket.resume();
    this.#deliver();
  }

  close(lingerMs = LINGER_MS): void {
    if (this.#closing) return;
    this.#closing = true;
    if (this.#closed) return this.#deliver(); // the end was not reported yet: it waited for paused bytes
    // Unread input would turn the close into a reset, and the peer would lose our last bytes.
    pausedSockets.delete(this);
    this.#socket.resume();
    this.#startLinger(lingerMs);
    if (this.#output.isEmpty && this.#security !== "shaking") this.#socket.shutdown();
  }

  abort(): void {
    this.#closing = true;
    pausedSockets.delete(this);
    if (this.#closed) this.#deliver();
    else this.#socket.terminate();
  }

  #startLinger(ms: number): void {
    clearTimeout(this.#linger);
    this.#linger = setTimeout(() => this.#socket.terminate(), ms);
  }

  /**
   * The TLS handshake has ended: waiting bytes can be sent.
   *
   * @throws TransportError TLS_FAILED, which the handler gets as well
   */
  handleHandshake(error: Error | null): void {
    if (this.#closed) return;
    try {
      this.#agreed = agreedOn(this.#socket, error, this.#withHttp);
    } catch (thrown) {
      this.handleDefect(thrown as Error);
      throw thrown;
    }
    this.#security = "secure";
    this.handleDrain();
  }

  handleData(bytes: Uint8Array): void {
    if (this.#closing) return discard(bytes); // a peer may still send megabytes
    // Not through the queue: an array keeps its capacity, and every idle session would keep one.
    if (this.#handler !== undefined && this.#inbox.length === 0 && !this.#paused) {
      this.#handler.onBytes(bytes);
      return;
    }
    this.#inbox.push(bytes);
    this.#late++;
    this.#deliver();
  }

  handleDrain(): void {
    if (this.#security === "shaking") return;
    const outcome = this.#output.send();
    if (outcome === "gone") return;
    if (outcome === "blocked") {
      // The peer is still reading, so it will get everything.
      if (this.#closing) this.#startLinger(LINGER_MS);
    } else if (this.#closing) this.#socket.shutdown();
    else this.#handler?.onDrain();
  }

  /** The peer has sent its last byte. Unless we closed first, it wants nothing more. */
  handleEnd(): void {
    this.#peerEnded = true;
    if (this.#handler === undefined) this.#socket.end();
    else this.#deliver();
  }

  handleDefect(error: Error): void {
    // Before the socket closes, since its close event has no reason.
    this.handleClose(error);
    this.#socket.terminate();
  }

  handleClose(error: Error | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#closeError = error;
    // After a reset, the system delivers all its bytes at once, paused or not: megabytes of a peer that is gone, which
    // nobody needs.
    if (error !== undefined && this.#paused) drop(this.#inbox.splice(this.#inbox.length - this.#late));
    // A pause slows nobody any more: all bytes are in memory. Report the end now, not at resume().
    this.#paused = false;
    pausedSockets.delete(this);
    clearTimeout(this.#linger);
    this.#output.drop();
    this.#deliver();
  }

  /** Deliver what has arrived, in order: bytes, then the end. Waits for start(), and while paused. */
  #deliver(): void {
    const handler = this.#handler;
    if (handler === undefined || this.#delivering) return;
    this.#delivering = true;
    try {
      while (this.#inbox.length > 0 && !this.#paused && !this.#closing) {
        handler.onBytes(this.#inbox.shift() as Uint8Array);
      }
    } finally {
      this.#delivering = false;
    }
    if (this.#closing) drop(this.#inbox.splice(0));
    if (this.#inbox.length > 0) return;
    if (this.#peerEnded && !this.#closed) {
      const isAsked = this.#closing;
      this.close();
      if (!isAsked) handler.onPeerEnd?.();
      if (this.#output.isEmpty) this.#socket.end();
    }
    if (this.#closed && !this.#closeTold) {
      this.#closeTold = true;
      this.#closing = true;
      handler.onClosed(this.#closeError);
    }
  }
}

/** Free their memory at once, without the garbage collector. */
function drop(pieces: readonly Uint8Array[]): void {
  for (const bytes of pieces) discard(bytes);
}
