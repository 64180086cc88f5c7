import { CommError, StreamError, toCommError } from "../../errors.ts";
import { type MessageParams, SendParams, type SendResult } from "../../protocol/methods.ts";
import { quote } from "../../quote.ts";
import type { Clock } from "../../session/clock.ts";
import { GuestSession } from "../guest-session.ts";
import type { Member } from "../member.ts";
import type { Members } from "../members.ts";
import { type Call, defineMethod } from "../method.ts";

/** The most names in an answer, and the longest reason: with these it always fits a frame. */
const MAX_DELIVERED = 1_000;
const MAX_FAILED = 100;
const MAX_REASON = 200;

/** How long a client may take to acknowledge a message. */
const DELIVERY_MS = 10_000;

/** The most text of one session that others have not acknowledged yet, in UTF-16 units: it is kept until then. */
const MAX_UNDER_WAY = 256 * 1024;

/** The original's answer to any text. */
const acknowledge = (text: string) => `${text} ACK`;

/** A text for the server, one client or all; answered after its delivery. */
export const message = defineMethod({
  name: "message",
  role: "read",
  kind: "messages",
  params: SendParams,
  async handle({ params, stream, member, server }: Call<typeof SendParams, "members" | "events" | "clock">) {
    const { text } = params;
    const from = member.role === "operator" ? "Server" : member.name;
    const { to, recipients } = recipientsOf(params.to ?? "server", member, server.members);
    member.messagesIn++;
    const names = member.role === "operator" ? {} : member.names;
    server.events.emit({ event: "message", from, ...names, to, text });

    const failed: SendResult["failed"] = [];
    const delivered: string[] = [];
    if (to === "server") delivered.push("Server");
    else {
      const outcomes = await deliverAll(recipients, { from, ...names, to, text }, member, server.clock);
      for (const [index, outcome] of outcomes.entries()) {
        const name = (recipients[index] as Member).name;
        if (outcome.status === "fulfilled") delivered.push(name);
        else failed.push({ name, message: toCommError(outcome.reason).message.slice(0, MAX_REASON).toWellFormed() });
      }
      if (delivered.length === 0 && failed.length > 0 && to !== "all") {
        throw new CommError("NOT_DELIVERED", `The message did not reach ${failed[0]?.name}: ${failed[0]?.message}`);
      }
    }
    stream.accept(answerTo(text, delivered, failed), { end: true });
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

/** The recipients of a message (none for the server), and their name. @throws CommError NO_SUCH_CLIENT */
function recipientsOf(to: string, sender: Member, members: Members): { to: string; recipients: Member[] } {
  switch (to.toLowerCase()) {
    case "server":
      return { to: "server", recipients: [] };
    case "all":
      return {
        to: "all",
        recipients: members.clients.filter((member) => member !== sender && !(member.session instanceof GuestSession)),
      };
    default: {
      const one = members.find(to);
      if (one !== undefined) return { to: one.name, recipients: [one] };
      // `Client07` is a session's name, and never that of a token.
      if (SESSION_NAME.test(to)) throw new CommError("NO_SUCH_CLIENT", `No client ${quote(to)} is connected.`);
      const named = namedSessions(to, sender, members);
      if (named.length > 0) return { to, recipients: named };
      throw new CommError("NO_SUCH_CLIENT", `No other client has the name ${quote(to)}.`);
    }
  }
}

const SESSION_NAME = /^client\d+$/i;

/**
 * The sessions that have proven the token of that name, or that give themselves a nick: `~NICK`. A nick proves nothing,
 * so it never stands for a token.
 */
function namedSessions(to: string, sender: Member, members: Members): Member[] {
  const wanted = to.toLowerCase();
  const isWanted = ({ token, nick }: Member) =>
    wanted.startsWith("~") ? nick?.toLowerCase() === wanted.slice(1) : token?.toLowerCase() === wanted;
  const found = members.clients.filter((member) => member !== sender && isWanted(member));
  // Where somebody reads messages, sessions by HTTP need none.
  const reading = found.filter(({ session }) => !(session instanceof GuestSession));
  return reading.length > 0 ? reading : found;
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

/** Push a message, and wait for its acknowledgement. @throws CommError NOT_DELIVERED, or why its session ended */
async function deliver(target: Member, params: MessageParams, clock: Clock): Promise<void> {
  if (target.session.congested) throw new CommError("NOT_DELIVERED", "It does not read what it is sent.");
  if (!target.session.canOpen) throw new CommError("NOT_DELIVERED", "It does not acknowledge what it is sent.");
  const push = target.session.open({ method: "message", params }, { end: true });
  const cancel = clock.after(DELIVERY_MS, () =>
    push.reset("CANCELLED", `It did not acknowledge within ${DELIVERY_MS / 1000} s.`),
  );
  try {
    await push.accepted;
    push.reset("CANCELLED", "No body was expected.");
    target.messagesOut++;
  } finally {
    cancel();
  }
}
