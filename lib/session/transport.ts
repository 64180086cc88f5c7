/**
 * The port between sessions and the outside: an ordered, reliable pipe of bytes. TCP, Unix sockets and
 * the in-memory pair implement it; the contract suite in tests/contract runs over each of them.
 */
export interface Transport {
  /** The other end, for people and the ledger, such as `192.0.2.7:50312` or `[2001:db8::1]:50312`. */
  readonly peer: string;

  /** Where the other end is, for limits per address and for what only this machine may do. */
  readonly peerAddress: PeerAddress;

  /**
   * `tls-exporter` of RFC 9266, the same at both ends and nowhere else; undefined where nothing is encrypted, or not
   * yet.
   */
  readonly channelBinding: Uint8Array | undefined;

  /** Attach the handler and begin to deliver. Called once; what came earlier is delivered first. */
  start(handler: TransportHandler): void;

  /**
   * Send `bytes`. All of them are taken, always; the buffer may not be changed until they have left, which
   * is at once when this returns true, else when onDrain() is called. Writing on between false and
   * onDrain() fills memory. After the end this does nothing and returns true.
   */
  write(bytes: Uint8Array): boolean;

  /** True when sendFile() can be used: the system, and what lies between, can do that. */
  readonly canSendFiles: boolean;

  /**
   * As write(), for bytes of an open file, which do not pass through this process. `bytes.release()` is called when
   * they have left, or never will. A file that ends early is filled up with zeros: the length was promised.
   */
  sendFile(bytes: FileBytes): boolean;

  /**
   * Stop delivering, until resume(): the peer is slowed by its own unread bytes, not by our memory. The end of the peer
   * is reported even then, if the system shows it; the bytes that it had sent are delivered first, paused or not.
   * `isBrief` says that resume() follows soon: the peer's end is found then, after its bytes. May be called again.
   */
  pause(isBrief?: boolean): void;
  resume(): void;

  /**
   * End cleanly: send all written bytes, announce the end, then throw away what the peer still sends until it ends too,
   * so that it gets our last bytes and no reset. If it has not ended after `lingerMs`: abort().
   */
  close(lingerMs?: number): void;

  /** End at once; unsent bytes are lost. */
  abort(): void;
}

/** Where a peer is. */
export interface PeerAddress {
  /** All addresses that one party may have are one group: an IPv4 address, or the first 64 bits of an IPv6 one. */
  readonly group: string;
  /** True only where the transport knows that the peer runs on this machine. */
  readonly isLoopback: boolean;
}

/**
 * Of a peer whose address can't be read: the strict case for each use. All such peers share one group's limits, and
 * none gets what is for this machine alone.
 */
export const UNKNOWN_ADDRESS: PeerAddress = { group: "unknown", isLoopback: false };

/** Bytes of an open file. */
export interface FileBytes {
  readonly fd: number;
  readonly offset: number;
  readonly length: number;
  /** The descriptor is not used any more. Once. */
  release(): void;
}

export interface TransportHandler {
  /**
   * Bytes arrived; their buffer, which holds nothing else, belongs to the handler. Never called after close(), abort()
   * or onClosed().
   */
  onBytes(bytes: Uint8Array): void;
  /** Everything written has left. */
  onDrain(): void;
  /**
   * The peer has sent its last byte, although this side has not closed: it is gone. The transport closes itself, as by
   * close(); only onClosed() follows, when the last written bytes were sent, or can't be.
   */
  onPeerEnd?(): void;
  /** The end, once, also after close() and abort(). `error` is set unless the end was clean. */
  onClosed(error: Error | undefined): void;
}
