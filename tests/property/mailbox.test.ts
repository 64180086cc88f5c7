/** A mailbox against a list in memory, over any calls and restarts. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { toCommError } from "../../lib/errors.ts";
import { AUTHOR_BYTES, AUTHOR_MESSAGES, bytesOf, Mailbox, type MailboxLimits } from "../../lib/server/mail/mailbox.ts";
import { TempFolder } from "../support/temp-folder.ts";

const LIMITS: MailboxLimits = { messages: 4, bytes: 5_000, ms: 50 };

interface Kept {
  readonly owner: string;
  readonly madeAt: number;
  readonly author: string;
  readonly text: string;
  readonly sentAt: number;
  isPushed: boolean;
}

/** The rules of PROTOCOL.md, "Mailbox", read naively. */
class Model {
  kept: Kept[] = [];

  keep(mail: Kept): boolean {
    const sizeOf = ({ text }: Kept) => 256 + Buffer.byteLength(text);
    const sum = (list: readonly Kept[]) => list.reduce((total, each) => total + sizeOf(each), 0);
    const ofOwner = this.kept.filter(({ owner }) => owner === mail.owner);
    const ofAuthor = this.kept.filter(({ author }) => author === mail.author);
    const isRefused =
      ofOwner.length >= LIMITS.messages ||
      sum(this.kept) + sizeOf(mail) > LIMITS.bytes ||
      (mail.author !== "" &&
        (ofOwner.filter(({ author }) => author === mail.author).length >= LIMITS.messages * AUTHOR_MESSAGES ||
          sum(ofAuthor) + sizeOf(mail) > LIMITS.bytes * AUTHOR_BYTES));
    if (!isRefused) this.kept.push(mail);
    return !isRefused;
  }
}

const owner = fc.constantFrom("bob", "carol");
const madeAt = fc.constantFrom(1, 2);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("keep" as const),
      owner,
      madeAt,
      author: fc.constantFrom("alice", "dave", ""),
      text: fc.string({ minLength: 1, maxLength: 600, unit: "grapheme" }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("take" as const),
      owner,
      madeAt,
      limit: fc.integer({ min: 1, max: 5 }),
      acknowledged: fc.integer({ min: 0, max: 5 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("clear" as const, "disown" as const), owner, madeAt }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("restart" as const, "expire" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 60 }) }) },
);

test("a mailbox holds, gives and refuses what a list with its rules does", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      using folder = new TempFolder();
      const open = () => Mailbox.open(folder.join("mailbox.sqlite"), LIMITS);
      const model = new Model();
      let mailbox = open();
      let now = 1_000;
      for (const taken of steps) {
        switch (taken.do) {
          case "keep": {
            const { owner: name, madeAt: createdAt, author, text } = taken;
            const message = { from: "Client01", to: name, text };
            const isKept = attempt(() =>
              mailbox.keep({ owner: { name, createdAt }, author, message, sentAt: now, isPushed: false }),
            );
            expect(isKept).toBe(
              model.keep({ owner: name, madeAt: createdAt, author, text, sentAt: now, isPushed: false }),
            );
            break;
          }
          case "take": {
            const got = mailbox.take({ name: taken.owner, createdAt: taken.madeAt }, taken.limit, now);
            const due = model.kept
              .filter(
                (mail) => mail.owner === taken.owner && mail.madeAt === taken.madeAt && mail.sentAt > now - LIMITS.ms,
              )
              .slice(0, taken.limit);
            expect(got.map(({ message, sentAt, wasPushed }) => [message.text, sentAt, wasPushed])).toEqual(
              due.map(({ text, sentAt, isPushed }) => [text, sentAt, isPushed]),
            );
            for (const mail of due) mail.isPushed = true;
            const gone = due.slice(0, taken.acknowledged);
            mailbox.remove(got.slice(0, taken.acknowledged).map(({ id }) => id));
            model.kept = model.kept.filter((mail) => !gone.includes(mail));
            break;
          }
          case "clear":
            mailbox.clear(taken.owner);
            model.kept = model.kept.filter((mail) => mail.owner !== taken.owner);
            break;
          case "disown":
            mailbox.disown({ name: taken.owner, createdAt: taken.madeAt });
            model.kept = model.kept.filter((mail) => mail.owner !== taken.owner || mail.madeAt !== taken.madeAt);
            break;
          case "expire":
            mailbox.expire(now);
            model.kept = model.kept.filter(({ sentAt }) => sentAt > now - LIMITS.ms);
            break;
          case "restart":
            mailbox.close();
            mailbox = open();
            break;
          case "wait":
            now += taken.ms;
            break;
        }
        const bytes = model.kept.reduce((sum, { owner: to, text }) => sum + bytesOf({ from: "x", to, text }), 0);
        expect(mailbox.total).toEqual({ messages: model.kept.length, bytes });
      }
      mailbox.close();
    }),
    { numRuns: 30 },
  );
});

/** @returns whether it was kept */
function attempt(keep: () => void): boolean {
  try {
    keep();
    return true;
  } catch (thrown) {
    expect(toCommError(thrown).code).toBe("MAILBOX_FULL");
    return false;
  }
}
