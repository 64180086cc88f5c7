import { equalBytes } from "@noble/curves/utils.js";
import { CommError, ProtocolError } from "../errors.ts";
import * as messages from "../protocol/code-messages.ts";
import { type Invite, parseInvite } from "../protocol/invite.ts";
import type { OneTimeCode } from "../protocol/one-time-code.ts";
import type { Proof, Prover } from "../session/prover.ts";
import { type Agreement, CodeExchange } from "./code-exchange.ts";

export interface CodeProverOptions {
  /** That of the transport, undefined where nothing is encrypted. */
  readonly binding: Uint8Array | undefined;
  /**
   * The server has a code with this plate. The proof goes on when the promise resolves.
   *
   * @throws CommError to end it: that costs no code
   */
  onOffered(): Promise<void>;
  /** For tests. */
  readonly scalar?: bigint;
}

/** The client's side of the proof of a code, by which it gets an invite. Source: PROTOCOL.md, "Codes". */
export class CodeProver implements Prover {
  readonly mechanism = messages.CODE_MECHANISM;
  readonly first: string;
  readonly #exchange: CodeExchange;
  readonly #options: CodeProverOptions;
  #invite: Invite | undefined;

  constructor(code: OneTimeCode, options: CodeProverOptions) {
    this.#options = options;
    this.#exchange = new CodeExchange("client", code, options.binding, options.scalar);
    this.first = messages.formatClientFirst(code.plate, this.#exchange.share);
  }

  /** What the server has handed over, once it has proven that it knows the code. */
  get invite(): Invite | undefined {
    return this.#invite;
  }

  async answer(challenge: string): Promise<Proof> {
    const agreement = this.#exchange.agree(messages.parseServerFirst(challenge));
    await this.#options.onOffered();
    return {
      message: messages.formatClientFinal(agreement.tags.client),
      check: (answer) => this.#take(answer, agreement),
    };
  }

  #take(answer: string, { tags, open }: Agreement): void {
    const { tag, sealed } = messages.parseServerFinal(answer);
    if (!equalBytes(tag, tags.server)) {
      throw new CommError("WRONG_IDENTITY", "The server can't prove that it knows this code.");
    }
    try {
      this.#invite = parseInvite(open(sealed));
    } catch (cause) {
      throw new ProtocolError("BAD_PAYLOAD", "What the server hands over for the code is damaged.", { cause });
    }
  }
}
