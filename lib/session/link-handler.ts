import type { CommError, TransportError } from "../errors.ts";
import type { Header } from "../protocol/header.ts";

/** Takes the frames of a link: the handshake first, then the session. */
export interface LinkHandler {
  onFrame(header: Header, payload: Uint8Array): void;
  onData(streamId: number, piece: Uint8Array): void;
  /** The peer broke the protocol or fell silent, and nothing more is decoded: say why and close. */
  onFault(error: CommError): void;
  /** An interval of the heartbeat is over. */
  onInterval?(): void;
  /** The peer is gone. Called once; `error` is set when the transport was lost. */
  onClosed(error: TransportError | undefined): void;
}
