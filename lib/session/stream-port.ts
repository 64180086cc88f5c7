import type { Opcode } from "../protocol/opcode.ts";
import type { BodyReceiverPort } from "./body-receiver.ts";
import type { BodySenderPort } from "./body-sender.ts";
import type { Link } from "./link.ts";
import type { FrameSource } from "./send-queue.ts";

/** What a stream sees of its session. One object serves all streams of the session. */
export interface StreamPort extends BodySenderPort, BodyReceiverPort {
  /** The payload is copied. */
  send(opcode: Opcode, streamId: number, payload: Uint8Array, flags?: number, onSent?: () => void): void;
  /** The stream is over, though answers on it may still wait. */
  disown(streamId: number): void;
  removeSource(source: FrameSource): void;
  canSendFiles(): boolean;
  /** The stream has ended both ways, or was reset. */
  onStreamClosed(streamId: number): void;
}

/** The port of all streams of the session over `link`. */
export function portOver(link: Link, session: Pick<StreamPort, "onBodySent" | "onStreamClosed">): StreamPort {
  return {
    send: (...frame) => link.send(...frame),
    sendCredit: (...grant) => link.sendCredit(...grant),
    disown: (stream) => link.disownStream(stream),
    addSource: (source) => link.addSource(source),
    removeSource: (source) => link.removeSource(source),
    canSendFiles: () => link.canSendFiles,
    ...session,
  };
}

export interface StreamOptions {
  readonly id: number;
  readonly port: StreamPort;
  /** Bytes that may be sent before the first CREDIT. */
  readonly sendCredit: number;
  /** Bytes that the peer may have sent before they are consumed. */
  readonly receiveWindow: number;
  /** True on the side that sent OPEN. */
  readonly opener: boolean;
}
