import type { FrameSink } from "../../lib/protocol/frame-decoder.ts";
import { FrameDecoder } from "../../lib/protocol/frame-decoder.ts";
import type { Header } from "../../lib/protocol/header.ts";
import { OPCODES, type RawFrame } from "./frames.ts";

/** Collects copies of everything that a decoder passes on. */
export class FrameLog implements FrameSink {
  readonly frames: { header: Header; payload: Buffer }[] = [];
  readonly pieces: { streamId: number; piece: Buffer }[] = [];
  readonly #lines: string[] = [];
  #lastData: number | undefined;

  onFrame(header: Header, payload: Uint8Array): void {
    this.frames.push({ header, payload: Buffer.from(payload) });
    const name = Object.entries(OPCODES).find(([, opcode]) => opcode === header.opcode)?.[0];
    this.#lines.push(`${name} ${header.streamId} ${header.flags} ${Buffer.from(payload).toString("hex")}`);
    this.#lastData = undefined;
  }

  onData(streamId: number, piece: Uint8Array): void {
    this.pieces.push({ streamId, piece: Buffer.from(piece) });
    const hex = Buffer.from(piece).toString("hex");
    if (this.#lastData === streamId) this.#lines.push(`${this.#lines.pop()}${hex}`);
    else this.#lines.push(`DATA ${streamId} 0 ${hex}`);
    this.#lastData = streamId;
  }

  /** One line per frame; consecutive DATA of one stream is one line, because its frames can't be told apart. */
  get lines(): readonly string[] {
    return this.#lines;
  }
}

/** The lines of a FrameLog, from frames that the naive codec has read. */
export function linesOf(frames: readonly RawFrame[]): string[] {
  const log = new FrameLog();
  for (const { name, flags, stream, payload } of frames) {
    if (name === "DATA") log.onData(stream, payload);
    else log.onFrame({ opcode: OPCODES[name as keyof typeof OPCODES], flags, streamId: stream, length: 0 }, payload);
  }
  return [...log.lines];
}

/** Decode `parts` as they come. */
export function decodeAll(parts: readonly Uint8Array[], maxControlBytes = 65_536): FrameLog {
  const log = new FrameLog();
  const decoder = new FrameDecoder(log);
  decoder.maxControlBytes = maxControlBytes;
  for (const part of parts) decoder.push(part);
  return log;
}
