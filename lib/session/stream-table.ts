import { CommError, ProtocolError } from "../errors.ts";
import { MAX_STREAM_ID } from "../protocol/constants.ts";
import type { Stream } from "./stream.ts";

/**
 * The open streams of a session, and which ids were used. "The client opens streams with odd ids, from 1 on; the server
 * opens them with even ids, from 2 on. Each side's ids MUST rise, and no id is ever used twice." (PROTOCOL.md,
 * "Streams")
 *
 * Invariant: every open stream has an id below #nextId if it is ours, up to #lastPeerId if it is the peer's;
 * #peerStreams counts the latter.
 */
export class StreamTable {
  readonly #streams = new Map<number, Stream>();
  /** Our ids modulo 2. */
  readonly #ownParity: number;
  #nextId: number;
  #lastPeerId = 0;
  #peerStreams = 0;

  constructor(side: "client" | "server") {
    this.#ownParity = side === "client" ? 1 : 0;
    this.#nextId = side === "client" ? 1 : 2;
  }

  get size(): number {
    return this.#streams.size;
  }

  /** Open streams of the peer. */
  get peerStreams(): number {
    return this.#peerStreams;
  }

  /** Open streams of ours. */
  get ownStreams(): number {
    return this.#streams.size - this.#peerStreams;
  }

  values(): IterableIterator<Stream> {
    return this.#streams.values();
  }

  isOurs(id: number): boolean {
    return id % 2 === this.#ownParity;
  }

  /** The id of our next stream. @throws CommError TOO_MANY_STREAMS when all were used */
  get nextId(): number {
    if (this.#nextId <= MAX_STREAM_ID) return this.#nextId;
    throw new CommError("TOO_MANY_STREAMS", "The session has used all stream ids: connect again.");
  }

  /** Add a stream of ours, whose id is nextId. */
  addOwn(stream: Stream): void {
    this.#nextId = stream.id + 2;
    this.#streams.set(stream.id, stream);
  }

  /**
   * "An OPEN with an id of the other side, or with one that is not above all ids that its side used before, is
   * BAD_STREAM." (PROTOCOL.md, "Streams")
   *
   * @throws ProtocolError BAD_STREAM
   */
  checkPeerId(id: number): void {
    if (this.isOurs(id)) throw new ProtocolError("BAD_STREAM", `Stream id ${id} belongs to the other side.`);
    if (id <= this.#lastPeerId) throw new ProtocolError("BAD_STREAM", `Stream id ${id} was used before.`);
  }

  /** The peer has used this id, whether its stream is served or not. */
  notePeerId(id: number): void {
    this.#lastPeerId = id;
  }

  addPeers(stream: Stream): void {
    this.#streams.set(stream.id, stream);
    this.#peerStreams++;
  }

  /** @returns false when the stream is not in the table */
  remove(id: number): boolean {
    if (!this.#streams.delete(id)) return false;
    if (!this.isOurs(id)) this.#peerStreams--;
    return true;
  }

  /**
   * The open stream, or undefined when it is closed: "A receiver MUST ignore a frame for a closed stream, whatever its
   * payload: it may have crossed with RESET or END." (PROTOCOL.md, "Streams")
   *
   * @throws ProtocolError BAD_STREAM for one that was never opened
   */
  find(id: number): Stream | undefined {
    const stream = this.#streams.get(id);
    if (stream !== undefined) return stream;
    const wasOpened = this.isOurs(id) ? id < this.#nextId : id <= this.#lastPeerId;
    // "A frame other than OPEN for a stream that was never opened is BAD_STREAM." (PROTOCOL.md, "Streams")
    if (!wasOpened) throw new ProtocolError("BAD_STREAM", `Stream ${id} was never opened.`);
    return undefined;
  }
}
