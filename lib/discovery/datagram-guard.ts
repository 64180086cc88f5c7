import dgram from "node:dgram";
import packet from "dns-packet";
import { Bucket } from "../bucket.ts";

/** Source: RFC 6762, section 17. */
export const MAX_BYTES = 9_000;
/** Records and questions of a datagram. */
export const MAX_RECORDS = 256;
/** Where the header counts questions, answers, authorities and additional records. */
const COUNTS_AT = [4, 6, 8, 10];
const HEADER_BYTES = 12;

/** What datagrams may take at once after a rest, in milliseconds. */
const AT_ONCE_MS = 500;

/**
 * Anyone on the network can send datagrams, and the libraries that read them bound neither their work nor a name in
 * them: one of 64 KiB can take a minute. The guard lets through only what is read quickly, and drops the others while
 * those before have taken more than their share of the processor.
 */
export class DatagramGuard {
  readonly #work: Bucket;
  readonly #now: () => number;

  /** `share`: of one processor, from 0 to 1. */
  constructor({ share, now = () => performance.now() }: { readonly share: number; readonly now?: () => number }) {
    this.#now = now;
    this.#work = new Bucket(1_000 * share, AT_ONCE_MS, now());
  }

  /** Calls `take` for a datagram that may pass. @returns whether it did */
  pass(datagram: Buffer, take: () => void): boolean {
    const startedAt = this.#now();
    if (this.#work.waitMs(startedAt) > 0) return false;
    const isGood = isWellFormed(datagram);
    if (isGood) take();
    const endedAt = this.#now();
    this.#work.spend(endedAt - startedAt, endedAt);
    return isGood;
  }
}

/** True for a DNS message of reasonable size whose names are no longer than RFC 1035 allows. */
export function isWellFormed(datagram: Buffer): boolean {
  if (datagram.length < HEADER_BYTES || datagram.length > MAX_BYTES) return false;
  const records = COUNTS_AT.reduce((sum, at) => sum + datagram.readUInt16BE(at), 0);
  if (records > MAX_RECORDS) return false;
  try {
    packet.decode(datagram);
    return true;
  } catch {
    return false;
  }
}

/** A socket whose listeners get only the datagrams that the guard lets through. */
export function guardedSocket(options: dgram.SocketOptions, guard: DatagramGuard): dgram.Socket {
  const socket = createSocket(options);
  const emit = socket.emit.bind(socket) as (event: string, ...args: unknown[]) => boolean;
  socket.emit = (event: string, ...args: unknown[]) => {
    if (event !== "message") return emit(event, ...args);
    return guard.pass(args[0] as Buffer, () => emit(event, ...args));
  };
  return socket;
}

const createSocket = dgram.createSocket;

/**
 * From now on, all sockets of this process for datagrams are guarded: for a library that makes its own. `onError` gets
 * their faults, which it does not tell.
 */
export function guardAllSockets(guard: DatagramGuard, onError: (error: Error) => void): void {
  dgram.createSocket = (options: dgram.SocketOptions | dgram.SocketType) => {
    const socket = guardedSocket(typeof options === "string" ? { type: options } : options, guard);
    return socket.on("error", onError);
  };
}
