import { Opcode } from "../../lib/protocol/opcode.ts";
import type { FrameSource, StreamFrame } from "../../lib/session/send-queue.ts";

/** A source of these payloads as DATA, which records which of them were reported as free again. */
export class ListSource implements FrameSource {
  readonly #streamId: number;
  readonly #payloads: Uint8Array[];
  /** How often it was asked for a frame. */
  asked = 0;
  readonly sent: Uint8Array[] = [];

  constructor(streamId: number, payloads: readonly Uint8Array[]) {
    this.#streamId = streamId;
    this.#payloads = [...payloads];
  }

  push(payload: Uint8Array): void {
    this.#payloads.push(payload);
  }

  takeFrame(): StreamFrame | undefined {
    this.asked++;
    const payload = this.#payloads.shift();
    if (payload === undefined) return undefined;
    return { opcode: Opcode.DATA, streamId: this.#streamId, payload, onSent: () => this.sent.push(payload) };
  }
}
