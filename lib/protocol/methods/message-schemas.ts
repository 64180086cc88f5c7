import * as v from "valibot";
import { count, name, text, timestamp, tokenName } from "../shapes.ts";

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
  /** The token's name that the message is kept for, and until when, in milliseconds since 1970. */
  kept: v.optional(v.object({ name: tokenName, until: timestamp })),
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
  /** Of a message that was kept: when it was sent, and whether it was pushed before. */
  sentAt: v.optional(timestamp),
  again: v.optional(v.boolean()),
});
export type MessageParams = v.InferOutput<typeof MessageParams>;

/** `collect`: how many kept messages were delivered, and how many are kept still. */
export const CollectResult = v.object({ messages: count, left: count });
export type CollectResult = v.InferOutput<typeof CollectResult>;

/** A record of the body of `mailboxes`: what is kept for a token's name. */
export const MailRecord = v.object({ name: tokenName, messages: count, bytes: count, oldestAt: timestamp });
export type MailRecord = v.InferOutput<typeof MailRecord>;

export const ClearMailboxParams = v.object({ name: tokenName });
export const ClearMailboxResult = v.object({ messages: count });
