import type { AuthOffer } from "../protocol/messages.ts";

/** The proof of who a client is, in four messages: one in HELLO, three in AUTH. Source: PROTOCOL.md, "Proof". */
export interface Prover {
  readonly mechanism: AuthOffer["mechanism"];
  /** The first message. */
  readonly first: string;
  /** @throws CommError; ProtocolError BAD_PAYLOAD when the challenge is invalid */
  answer(challenge: string): Promise<Proof>;
}

/** The client's last message. */
export interface Proof {
  readonly message: string;
  /** Check the server's own proof. @throws CommError WRONG_IDENTITY; ProtocolError BAD_PAYLOAD */
  check(answer: string): void;
}
