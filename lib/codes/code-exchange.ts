import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { concatBytes } from "@noble/curves/utils.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { ProtocolError } from "../errors.ts";
import type { OneTimeCode } from "../protocol/one-time-code.ts";
import {
  ascii,
  type CpaceMessage,
  cat,
  confirmationOf,
  generatorOf,
  randomScalar,
  secretPointOf,
  sessionKeyOf,
  shareOf,
} from "./cpace.ts";

export type Side = "client" | "server";

/** What both sides have when they know the same code, over the same channel. */
export interface Agreement {
  /** The tags that prove it: the client sends its own first. */
  readonly tags: Readonly<Record<Side, Uint8Array>>;
  /** Encrypt what the server hands over. The key is used once. */
  seal(text: string): Uint8Array;
  /** @throws Error when it was not sealed by the other side */
  open(sealed: Uint8Array): string;
}

const CONTEXT = ascii("commserver/1 code");
const SEAL_CONTEXT = ascii("commserver/1 code seal");
const SEAL_KEY_BYTES = 32;
const SEAL_NONCE = new Uint8Array(12);

/** One side of the proof of a code. Source: PROTOCOL.md, "Codes". */
export class CodeExchange {
  readonly #side: Side;
  readonly #scalar: bigint;
  /** For the other side. */
  readonly share: Uint8Array;

  /** `binding`: the transport's, undefined where nothing is encrypted. `scalar` is for tests. */
  constructor(
    side: Side,
    { plate, secret }: OneTimeCode,
    binding: Uint8Array | undefined,
    scalar: bigint = randomScalar(),
  ) {
    // "the channel identifier (CI) is lv_cat(`commserver/1 code`, plate, binding)." (PROTOCOL.md, "Codes")
    const channel = cat(CONTEXT, ascii(plate), binding ?? new Uint8Array(0));
    this.#side = side;
    this.#scalar = scalar;
    this.share = shareOf(generatorOf({ password: ascii(secret), channel }), scalar);
  }

  /** @throws ProtocolError BAD_PAYLOAD when the other side's share is no group element, or the neutral one */
  agree(theirs: Uint8Array): Agreement {
    const point = secretPointOf(this.#scalar, theirs);
    // "A share that is not the encoding of a group element, or is that of the neutral element, is BAD_PAYLOAD."
    // (PROTOCOL.md, "Codes")
    if (point === undefined) throw new ProtocolError("BAD_PAYLOAD", "A share of the proof of a code is not valid.");
    const isClient = this.#side === "client";
    const client: CpaceMessage = { share: isClient ? this.share : theirs, data: ascii("client") };
    const server: CpaceMessage = { share: isClient ? theirs : this.share, data: ascii("server") };
    const key = sessionKeyOf(point, client, server);
    const cipher = () => chacha20poly1305(sha512(concatBytes(SEAL_CONTEXT, key)).slice(0, SEAL_KEY_BYTES), SEAL_NONCE);
    return {
      tags: { client: confirmationOf(key, client), server: confirmationOf(key, server) },
      seal: (text) => cipher().encrypt(new TextEncoder().encode(text)),
      open: (sealed) => new TextDecoder("utf-8", { fatal: true }).decode(cipher().decrypt(sealed)),
    };
  }
}
