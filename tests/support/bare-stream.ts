import { Opcode } from "../../lib/protocol/opcode.ts";
import type { FrameSource, StreamFrame } from "../../lib/session/send-queue.ts";
import { Stream } from "../../lib/session/stream.ts";
import type { StreamPort } from "../../lib/session/stream-port.ts";

type BytesFrame = StreamFrame & { readonly payload: Uint8Array };

/** A stream without a session: its frames are kept here, and leave when the test takes them. */
export class BareStream implements StreamPort {
  readonly stream: Stream;
  readonly control: { opcode: Opcode; streamId: number; payload: Buffer; flags: number }[] = [];
  /** The sources that wait for their turn. */
  readonly round = new Set<FrameSource>();
  readonly #waiting: (() => void)[] = [];
  closed = 0;

  constructor(options: { opener: boolean; sendCredit?: number; receiveWindow?: number }) {
    const { opener, sendCredit = 1_000_000, receiveWindow = 1_000_000 } = options;
    this.stream = new Stream({ id: 7, opener, port: this, sendCredit, receiveWindow });
  }

  send(opcode: Opcode, streamId: number, payload: Uint8Array, flags = 0, onSent?: () => void): void {
    this.control.push({ opcode, streamId, payload: Buffer.from(payload), flags });
    if (onSent !== undefined) this.#waiting.push(onSent);
  }

  sendCredit(streamId: number, bytes: number): void {
    const payload = Buffer.alloc(4);
    payload.writeUInt32BE(bytes);
    this.send(Opcode.CREDIT, streamId, payload);
  }

  /** Report that the control frames have left. */
  controlLeaves(): void {
    for (const onSent of this.#waiting.splice(0)) onSent();
  }

  disown(): void {}

  addSource(source: FrameSource): void {
    this.round.add(source);
  }

  removeSource(source: FrameSource): void {
    this.round.delete(source);
  }

  canSendFiles(): boolean {
    return false;
  }

  onBodySent(): void {
    this.stream.onBodySent();
  }

  onStreamClosed(): void {
    this.closed++;
  }

  /** Take the next frame that is ready, as a send queue does; undefined when there is none. */
  takeOne(): BytesFrame | undefined {
    for (const source of this.round) {
      this.round.delete(source);
      const frame = source.takeFrame(Number.POSITIVE_INFINITY);
      if (frame === undefined) continue;
      this.round.add(source);
      const { payload } = frame;
      if (!(payload instanceof Uint8Array)) throw new Error("Nobody has sent a file.");
      return { ...frame, payload };
    }
    return undefined;
  }

  /** Take the frames that are ready, and report that they have left. */
  takeAll(): BytesFrame[] {
    const frames: BytesFrame[] = [];
    for (let frame = this.takeOne(); frame !== undefined; frame = this.takeOne()) {
      frames.push(frame);
      frame.onSent?.();
    }
    return frames;
  }

  /** Names of the control frames that were sent. */
  get names(): string[] {
    return this.control.map(({ opcode }) => Object.entries(Opcode).find(([, value]) => value === opcode)?.[0] ?? "?");
  }

  /** The grants that were sent. */
  get grants(): number[] {
    return this.control.filter(({ opcode }) => opcode === Opcode.CREDIT).map(({ payload }) => payload.readUInt32BE());
  }
}
