import { CommError, StreamError, toCommError } from "../../errors.ts";
import { type MessageParams, SendParams, type SendResult } from "../../protocol/methods.ts";
import { quote } from "../../quote.ts";
import type { Clock } from "../../session/clock.ts";
import { deliver } from "../delivery.ts";
import { GuestSession } from "../guest-session.ts";
import type { Owner } from "../mail/mailbox.ts";
import type { Member } from "../member.ts";
import { type Call, defineMethod } from "../method.ts";
import type { ServerParts } from "../parts.ts";

/** The most names in an answer, and the longest reason: with these it always fits a frame. */
const MAX_DELIVERED = 1_000;
const MAX_FAILED = 100;
const MAX_REASON = 200;

/** The most text of one session that others have not acknowledged yet, in UTF-16 units: it is kept until then. */
const MAX_UNDER_WAY = 256 * 1024;

/** The original's answer to any text. */
const acknowledge = (text: string) => `${text} ACK`;

type Uses = Pick<ServerParts, "members" | "mail">;

/** A text for the server, one client or all; answered when it is delivered, or kept. */
export const message = defineMethod({
  name: "message",
  role: "read",
  kind: "messages",
  forDrop: true,
  params: SendParams,
  async handle({ params, stream, member, server }: Call<typeof SendParams, "members" | "mail" | "events" | "clock">) {
    const { text } = params;
    const from = member.role === "operator" ? "Server" : member.name;
    const { to, recipients, owner } = recipientsOf(params.to ?? "server", member, server);
    member.messagesIn++;
    const names = member.role === "operator" ? {} : member.names;
    server.events.emit({ event: "message", from, ...names, to, text });

    const failed: SendResult["failed"] = [];
    const delivered: string[] = [];
    let kept: SendResult["kept"];
    if (to === "server") delivered.push("Server");
    else {
      const pushed: MessageParams = { from, ...names, to, text };
      const outcomes = await deliverAll(recipients, pushed, member, server.clock);
      for (const [index, outcome] of outcomes.entries()) {
        const name = (recipients[index] as Member).name;
        if (outcome.status === "fulfilled") delivered.push(name);
        else failed.push({ name, message: toCommError(outcome.reason).message.slice(0, MAX_REASON).toWellFormed() });
      }
      if (delivered.length === 0 && owner !== undefined) {
        kept = server.mail?.keep(owner, pushed, member, failed.length > 0);
      } else if (delivered.length === 0 && failed.length > 0 && to !== "all") {
        throw new CommError("NOT_DELIVERED", `The message did not reach ${failed[0]?.name}: ${failed[0]?.message}`);
      }
    }
    stream.accept({ ...answerTo(text, delivered, failed), ...(kept && { kept }) }, { end: true });
  },
});

function answerTo(text: string, delivered: string[], failed: SendResult["failed"]): SendResult {
  const answer: SendResult = {
    text: acknowledge(text),
    delivered: delivered.slice(0, MAX_DELIVERED),
    failed: failed.slice(0, MAX_FAILED),
  };
  const omitted = delivered.length + failed.length - answer.delivered.length - answer.failed.length;
  return omitted > 0 ? { ...answer, omitted } : answer;
}

/** Whom a message is for. */
interface Addressee {
  readonly to: string;
  /** None for the server. */
  readonly recipients: Member[];
  /** The token that it is kept for if it reaches none of them. */
  readonly owner?: Owner | undefined;
}

/** @throws CommError NO_SUCH_CLIENT */
function recipientsOf(to: string, sender: Member, { members, mail }: Uses): Addressee {
  switch (to.toLowerCase()) {
    case "server":
      return { to: "server", recipients: [] };
    case "all":
      return {
        to: "all",
        recipients: members.clients.filter(
          (member) => member !== sender && hearsAll(member, sender) && !(member.session instanceof GuestSession),
        ),
      };
    default: {
      const one = members.find(to);
      if (one !== undefined) return { to: one.name, recipients: [one] };
      // `Client07` is a session's name, and never that of a token.
      if (SESSION_NAME.test(to)) throw new CommError("NO_SUCH_CLIENT", `No client ${quote(to)} is connected.`);
      const keeper = mail?.keepsFor(sender) === true ? mail : undefined;
      const owner = keeper?.ownerOf(to);
      const named = namedSessions(to, sender, members.clients);
      // Tokens may differ only in case: the one that is written like `to` is meant.
      const meant = owner === undefined ? named : named.filter(({ token }) => token === owner.name);
      const reading = meant.filter(({ session }) => !(session instanceof GuestSession));
      // Where somebody reads messages, or will, sessions by HTTP need none.
      if (reading.length > 0 || owner !== undefined) return { to, recipients: reading, owner };
      if (named.length > 0) return { to, recipients: named };
      const nobody =
        keeper === undefined
          ? `No other client has the name ${quote(to)}.`
          : `Nobody has the name ${quote(to)}: no other client, and no token.`;
      throw new CommError("NO_SUCH_CLIENT", nobody);
    }
  }
}

/** What people say to all is not for holders of limited tokens, who may not even know that the others are here. */
function hearsAll({ account, token }: Member, sender: Member): boolean {
  const isLimited = account.scope !== undefined || account.share !== undefined;
  return !isLimited || sender.role === "operator" || sender.token === token;
}

const SESSION_NAME = /^client\d+$/i;

/**
 * The sessions that have proven the token of that name, or that give themselves a nick: `~NICK`. A nick proves nothing,
 * so it never stands for a token.
 */
function namedSessions(to: string, sender: Member, clients: readonly Member[]): Member[] {
  const wanted = to.toLowerCase();
  const isWanted = ({ token, nick }: Member) =>
    wanted.startsWith("~") ? nick?.toLowerCase() === wanted.slice(1) : token?.toLowerCase() === wanted;
  return clients.filter((member) => member !== sender && isWanted(member));
}

/** @throws StreamError TOO_OFTEN while too much earlier text of this session is unacknowledged */
async function deliverAll(
  recipients: readonly Member[],
  params: MessageParams,
  sender: Member,
  clock: Clock,
): Promise<PromiseSettledResult<void>[]> {
  const { length } = params.text;
  if (sender.textUnderWay + length > MAX_UNDER_WAY) {
    throw new StreamError("TOO_OFTEN", "The messages before it have not been acknowledged yet.");
  }
  sender.textUnderWay += length;
  try {
    return await Promise.allSettled(recipients.map((target) => deliver(target, params, clock)));
  } finally {
    sender.textUnderWay -= length;
  }
}
