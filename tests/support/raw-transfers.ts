import { frame } from "./frames.ts";
import { parseChunks, type RawChunk, record } from "./raw-chunks.ts";
import type { RawPeer } from "./raw-peer.ts";
import { until } from "./until.ts";

const FRAME_BYTES = 500_000;

/** Bodies of `get` and `put` by hand, over a RawPeer with enough credit. */
export class RawTransfers {
  readonly peer: RawPeer;
  #nextStream = 1;

  constructor(peer: RawPeer) {
    this.peer = peer;
  }

  /** Open a stream; returns its id. With `end` it has no body of ours. */
  open(method: string, params: object = {}, end = false): number {
    const stream = this.#nextStream;
    this.#nextStream += 2;
    this.peer.send(frame("OPEN", { method, params }, stream, end ? 1 : 0));
    return stream;
  }

  /** Send these bytes in frames of an allowed size. */
  send(stream: number, ...pieces: Uint8Array[]): void {
    for (const piece of pieces) {
      for (let at = 0; at < piece.length; at += FRAME_BYTES) {
        this.peer.send(frame("DATA", piece.subarray(at, at + FRAME_BYTES), stream));
      }
    }
  }

  end(stream: number): void {
    this.peer.send(frame("END", undefined, stream));
  }

  /** The frames of this name on the stream. */
  frames(stream: number, name: string) {
    return this.peer.frames.filter((each) => each.stream === stream && each.name === name);
  }

  body(stream: number): Buffer {
    return Buffer.concat(this.frames(stream, "DATA").map(({ payload }) => payload));
  }

  /** The code of the RESET, or "ended" when the server's body has. */
  outcome(stream: number): Promise<number | "ended"> {
    return until(() => {
      const reset = this.frames(stream, "RESET")[0];
      if (reset !== undefined) return reset.json.code as number;
      return this.frames(stream, "END").length > 0 ? "ended" : undefined;
    });
  }

  chunks(stream: number): RawChunk[] {
    return parseChunks(this.body(stream)).chunks;
  }

  records(stream: number): any[] {
    return this.body(stream)
      .toString()
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  }

  /** The `count`th answer for a file of a put. */
  answer(stream: number, id: number, count = 1): Promise<any> {
    return until(() => this.records(stream).filter((each) => each.id === id)[count - 1]);
  }

  /** Request these files or parts in one stream, and read it to its end; returns the chunks. */
  async get(...requests: object[]): Promise<RawChunk[]> {
    const stream = this.open("get");
    this.send(stream, Buffer.concat(requests.map(record)));
    this.end(stream);
    await this.outcome(stream);
    return this.chunks(stream);
  }

  /** One call without bodies: its result, or the code of its RESET. */
  async call(method: string, params: object = {}): Promise<any> {
    const stream = this.open(method, params, true);
    return until(() => {
      const [accept] = this.frames(stream, "ACCEPT");
      const [reset] = this.frames(stream, "RESET");
      return reset === undefined ? accept?.json : reset.json.code;
    });
  }
}
