import { StreamError } from "../../errors.ts";
import { ClearMailboxParams } from "../../protocol/methods.ts";
import { quote } from "../../quote.ts";
import { requireMail } from "../mail/require-mail.ts";
import { defineMethod, type Question } from "../method.ts";

/** Remove the messages that are kept for a name. */
export const clearMailbox = defineMethod({
  name: "clearMailbox",
  role: "operator",
  params: ClearMailboxParams,
  async answer({ params, server }: Question<typeof ClearMailboxParams, "mail">) {
    const messages = requireMail(server.mail).clear(params.name);
    if (messages > 0) return { messages };
    throw new StreamError("NOT_FOUND", `No messages are kept for ${quote(params.name)}.`);
  },
});
