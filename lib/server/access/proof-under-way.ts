import type { Account } from "./account.ts";

/** A client's proof under way, at the server. */
export interface ProofUnderWay {
  /** The challenge for the client. */
  readonly challenge: string;
  /**
   * Check the client's answer.
   *
   * @returns the client's account, and the server's own proof for it
   * @throws AccessError; ProtocolError BAD_PAYLOAD
   */
  finish(message: string): { account: Account; answer: string };
}
