/** The store of kept messages: its bounds, its order, and what outlasts a crash. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { statSync } from "node:fs";
import type { MessageParams } from "../../../lib/protocol/methods.ts";
import { bytesOf, Mailbox, type MailboxLimits, type NewMail, type Owner } from "../../../lib/server/mail/mailbox.ts";
import { codeOf, faultOf } from "../../support/fault.ts";
import { TempFolder } from "../../support/temp-folder.ts";

const LIMITS: MailboxLimits = { messages: 10, bytes: 1_000_000, ms: 1_000 };
const BOB: Owner = { name: "bob", createdAt: 1 };

let folder: TempFolder;
let mailbox: Mailbox;

beforeEach(() => {
  folder = new TempFolder();
  mailbox = open();
});
afterEach(() => {
  mailbox.close();
  folder[Symbol.dispose]();
});

function open(limits: Partial<MailboxLimits> = {}): Mailbox {
  return Mailbox.open(folder.join("mailbox.sqlite"), { ...LIMITS, ...limits });
}

/** Open it again, with other limits. */
function reopen(limits?: Partial<MailboxLimits>): void {
  mailbox.close();
  mailbox = open(limits);
}

const textOf = (text: string): MessageParams => ({ from: "Client01", token: "alice", to: "bob", text });

function mail(text: string, options: Partial<NewMail> = {}): NewMail {
  return { owner: BOB, author: "alice", message: textOf(text), sentAt: 100, isPushed: false, ...options };
}

/** The texts that `owner` would get, without an acknowledgement. */
const textsFor = (owner: Owner, now = 200) => mailbox.take(owner, 100, now).map(({ message }) => message.text);

describe("what is kept", () => {
  test("is given to its owner alone, oldest first, with its time and all names", () => {
    mailbox.keep(mail("one", { sentAt: 100 }));
    mailbox.keep(mail("for carol", { owner: { name: "carol", createdAt: 2 } }));
    // A clock that was set back does not change the order.
    mailbox.keep(mail("two", { sentAt: 50 }));
    expect(mailbox.take(BOB, 10, 200)).toMatchObject([
      { message: textOf("one"), sentAt: 100, wasPushed: false },
      { message: textOf("two"), sentAt: 50, wasPushed: false },
    ]);
  });

  test("is there after the next start, and only what was not removed", () => {
    for (const text of ["one", "two", "three"]) mailbox.keep(mail(text));
    mailbox.remove(mailbox.take(BOB, 2, 200).map(({ id }) => id));
    reopen();
    expect(textsFor(BOB)).toEqual(["three"]);
    expect(mailbox.total).toEqual({ messages: 1, bytes: bytesOf(textOf("three")) });
  });

  test("says whether it was pushed before, also after the next start", () => {
    mailbox.keep(mail("new"));
    mailbox.keep(mail("not acknowledged", { isPushed: true }));
    const marks = () => mailbox.take(BOB, 10, 200).map(({ wasPushed }) => wasPushed);
    expect(marks()).toEqual([false, true]);
    reopen();
    expect(marks()).toEqual([true, true]);
  });

  test("is for one token, and not for another of the same name", () => {
    mailbox.keep(mail("for the first bob"));
    const second = { ...BOB, createdAt: 2 };
    expect(textsFor(second)).toEqual([]);
    mailbox.keep(mail("for the second", { owner: second }));
    expect(mailbox.disown(BOB)).toBe(1);
    expect(textsFor(second)).toEqual(["for the second"]);
  });

  test("is for its owner alone to read", () => {
    expect(statSync(folder.join("mailbox.sqlite")).mode & 0o777).toBe(0o600);
  });

  test("is text of any kind", () => {
    for (const text of ["Grüße, 你好 😀", "\u{1b}[31m'; DROP TABLE messages; --", '{"text":1}']) {
      mailbox.keep(mail(text, { author: "" }));
      expect(textsFor(BOB).at(-1)).toBe(text);
    }
  });
});

describe("the bounds of a mailbox", () => {
  test("are a number of messages for a name; other names have their own", () => {
    for (let each = 0; each < 5; each++) {
      mailbox.keep(mail("x", { author: "alice" }));
      mailbox.keep(mail("x", { author: "dave" }));
    }
    for (const author of ["eve", ""])
      expect(refusal(mail("x", { author }))).toStartWith('The mailbox of "bob" is full: 10');
    mailbox.keep(mail("x", { owner: { name: "carol", createdAt: 2 } }));
    expect(mailbox.countOf("bob")).toBe(10);
  });

  test("leave half of it to others than one author, but not than the operators", () => {
    for (let each = 0; each < 5; each++) mailbox.keep(mail("x"));
    expect(refusal(mail("x"))).toStartWith('5 of your messages wait for "bob"');
    for (let each = 0; each < 5; each++) mailbox.keep(mail("x", { author: "" }));
    mailbox.clear("bob");
    for (let each = 0; each < 10; each++) mailbox.keep(mail("x", { author: "" }));
  });

  test("are bytes of all messages, a quarter of them for one author", () => {
    const text = "ü".repeat(5_000);
    const each = bytesOf(textOf(text));
    expect(each).toBeGreaterThan(10_000);
    reopen({ messages: 10_000, bytes: 8 * each });
    const keepAs = (author: string) => mailbox.keep(mail(text, { author }));
    for (let sent = 0; sent < 2; sent++) keepAs("alice");
    expect(refusal(mail(text, { owner: { name: "carol", createdAt: 1 } }))).toStartWith("Your messages that wait here");
    for (let sent = 0; sent < 6; sent++) keepAs("");
    expect(refusal(mail("short", { author: "dave" }))).toStartWith("All mailboxes");
    mailbox.remove([mailbox.take(BOB, 1, 200)[0]?.id as number]);
    keepAs("dave");
  });

  test.each([
    ["control characters", "\u0001".repeat(8_192)],
    ["letters of three bytes", "\u3042".repeat(8_192)],
    ["quotes", '"'.repeat(1_000)],
    ["nothing, with long names", "x"],
  ])("bound the file, also with texts of %s, however often they are taken and left again", (_, text) => {
    const bytes = 1_000_000;
    reopen({ messages: 100_000, bytes });
    const longest = "n".repeat(64);
    const owner = { name: longest, createdAt: 1 };
    const message: MessageParams = { from: "Client01", token: longest, nick: longest, to: longest, text };
    const sizes = () => ["", "-wal"].map((suffix) => statSync(folder.join(`mailbox.sqlite${suffix}`)).size);
    let peak = 0;
    for (let round = 0; round < 3; round++) {
      for (let sent = 0; ; sent++) {
        const author = `${longest.slice(4)}${sent % 8}`;
        if (sent % 8 === 0) peak = Math.max(peak, sizes()[0] as number);
        if (refusal(mail(text, { owner, author, message })) !== "") break;
      }
      const taken = mailbox.take(owner, 100_000, 200);
      // Every second one, in the order of a later day the others.
      mailbox.remove(taken.filter((_, index) => index % 2 === 0).map(({ id }) => id));
    }
    peak = Math.max(peak, sizes()[0] as number);
    expect(peak).toBeLessThan(1.5 * bytes + 200_000);
    expect(sizes()[1]).toBeLessThan(8 * 1024 * 1024);
    expect(mailbox.total.bytes).toBeGreaterThan(bytes / 4);
  });

  test("count what was there at the start", () => {
    for (let each = 0; each < 5; each++) mailbox.keep(mail("x"));
    reopen({ bytes: 6 * bytesOf(textOf("x")) - 1 });
    expect(refusal(mail("x", { author: "" }))).toStartWith("All mailboxes");
  });

  test("count nothing for what was refused", () => {
    for (let each = 0; each < 5; each++) mailbox.keep(mail("x"));
    const before = mailbox.total;
    for (let each = 0; each < 5; each++) refusal(mail("x"));
    expect(mailbox.total).toEqual(before);
  });

  test("are days: what is older is not delivered, and is removed", () => {
    mailbox.keep(mail("old", { sentAt: 100 }));
    mailbox.keep(mail("young", { sentAt: 101 }));
    expect(textsFor(BOB, 1_100)).toEqual(["young"]);
    expect([...mailbox.expire(1_100)]).toEqual([["bob", 1]]);
    expect(mailbox.total.messages).toBe(1);
    expect([...mailbox.expire(1_100)]).toEqual([]);
  });

  function refusal(message: NewMail): string {
    try {
      mailbox.keep(message);
    } catch (thrown) {
      expect(thrown).toMatchObject({ code: "MAILBOX_FULL" });
      return (thrown as Error).message;
    }
    return "";
  }
});

test("clearing a name leaves the others, and says how many there were", () => {
  for (let each = 0; each < 3; each++) mailbox.keep(mail("x"));
  mailbox.keep(mail("x", { owner: { name: "carol", createdAt: 2 } }));
  expect([mailbox.clear("bob"), mailbox.clear("bob"), mailbox.clear("nobody")]).toEqual([3, 0, 0]);
  expect(mailbox.counts()).toEqual([
    { owner: { name: "carol", createdAt: 2 }, messages: 1, bytes: bytesOf(textOf("x")), oldestAt: 100 },
  ]);
});

test("a mailbox that is open, damaged, or of a newer program is refused", async () => {
  const { code, message } = await faultOf(() => open());
  expect([code, message]).toEqual(["STATE_IN_USE", expect.stringContaining("Another server uses the mailbox")]);
  await Bun.write(folder.join("damaged"), "no database".repeat(1_000));
  expect(await codeOf(() => Mailbox.open(folder.join("damaged"), LIMITS))).toBe("DISK_FAILED");
  const { Database } = await import("bun:sqlite");
  const newer = new Database(folder.join("newer"), { create: true });
  newer.run("PRAGMA user_version = 2");
  newer.close();
  expect(await codeOf(() => Mailbox.open(folder.join("newer"), LIMITS))).toBe("NEWER_STATE");
});
