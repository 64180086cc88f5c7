import * as v from "valibot";
import { count, name, text, tokenName } from "../shapes.ts";

/** `message`, both ways. Source: PROTOCOL.md, "Methods". */

/**
 * Client to server. `to` is a client's name, that of a token, `~` and a nick, "all", or absent for the server itself.
 */
export const SendParams = v.object({ to: v.optional(name), text });
export const SendResult = v.object({
  /** The server's answer in words: `<text> ACK`. */
  text: v.string(),
  /** Names that the message reached. */
  delivered: v.array(name),
  /** Names that it did not reach, with the reason. */
  failed: v.array(v.object({ name, message: v.string() })),
  /** The number of names that fit in neither list. */
  omitted: v.optional(count),
});
export type SendResult = v.InferOutput<typeof SendResult>;

/** Server to client: a message from a client or the operator. */
export const MessageParams = v.object({
  from: name,
  /** Of the sender: the name of its proven token, and the name that it gives itself. */
  token: v.optional(tokenName),
  nick: v.optional(tokenName),
  to: name,
  text,
});
export type MessageParams = v.InferOutput<typeof MessageParams>;
