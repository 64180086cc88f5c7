import { type CollectResult, Nothing } from "../../protocol/methods.ts";
import { requireMail } from "../mail/require-mail.ts";
import { type Call, defineMethod } from "../method.ts";

/** Push the messages that are kept for the caller's token; answered when it has acknowledged them. */
export const collect = defineMethod({
  name: "collect",
  role: "read",
  kind: "lists",
  forDrop: true,
  params: Nothing,
  async handle({ stream, member, server }: Call<typeof Nothing, "mail">) {
    const result: CollectResult = await requireMail(server.mail).collect(member, stream.signal);
    stream.accept(result, { end: true });
  },
});
