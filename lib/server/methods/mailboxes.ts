import { Nothing } from "../../protocol/methods.ts";
import { encodeRecord } from "../../protocol/records.ts";
import { requireMail } from "../mail/require-mail.ts";
import { type Call, defineMethod } from "../method.ts";

/** How many messages are kept for which names. */
export const mailboxes = defineMethod({
  name: "mailboxes",
  role: "operator",
  params: Nothing,
  async handle({ stream, server }: Call<typeof Nothing, "mail">) {
    const counts = requireMail(server.mail).counts();
    stream.accept({});
    for (const count of counts) await stream.write(encodeRecord(count));
    await stream.end();
  },
});
