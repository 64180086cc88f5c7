/** Messages for a token's name that is not here: who may leave them, who gets them, and what outlasts which fault. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { Client } from "../../lib/client/client.ts";
import type { ClientOptions } from "../../lib/client/client-options.ts";
import { collectKept, hasMailbox } from "../../lib/client/kept-messages.ts";
import { MAILBOX_CAPABILITY } from "../../lib/protocol/constants.ts";
import type { MessageParams } from "../../lib/protocol/methods.ts";
import type { Token } from "../../lib/protocol/token.ts";
import { KEPT_PER_SECOND } from "../../lib/server/mail/mail.ts";
import { Mailbox, type MailboxLimits } from "../../lib/server/mail/mailbox.ts";
import { systemClock } from "../../lib/session/clock.ts";
import { ScramClient } from "../../lib/session/scram-client.ts";
import { AccessServer, prove } from "../support/access-server.ts";
import { codeOf, faultOf } from "../support/fault.ts";
import { frame } from "../support/frames.ts";
import { withoutCapability } from "../support/older-client.ts";
import { addressOf } from "../support/peer-address.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { until } from "../support/until.ts";

const LIMITS: MailboxLimits = { messages: 40, bytes: 4_000_000, ms: 86_400_000 };

let folder: TempFolder;
let site: AccessServer;
let alice: Token;
let bob: Token;

beforeEach(() => {
  folder = new TempFolder();
  site = serve();
  [alice, bob] = [site.issue("alice"), site.issue("bob")];
});
afterEach(async () => {
  await site[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

function serve(limits: Partial<MailboxLimits> = {}): AccessServer {
  const mailbox = Mailbox.open(folder.join("mailbox.sqlite"), { ...LIMITS, ...limits });
  return new AccessServer({ open: true, maxClients: 20, mailbox });
}

/** Replace the server of the test. */
async function serveAgain(limits: Partial<MailboxLimits>): Promise<void> {
  await site[Symbol.asyncDispose]();
  site = serve(limits);
  [alice, bob] = [site.issue("alice"), site.issue("bob")];
}

const join = (token?: Token, options: Partial<ClientOptions> = {}) =>
  site.client(token, { onMessage() {}, ...options });

/** A client that collects what is kept for it, and what it got. */
async function collector(
  token: Token,
  onMessage: (message: MessageParams) => unknown = () => {},
): Promise<{ client: Client; got: MessageParams[]; collect(): Promise<{ messages: number; left: number }> }> {
  const got: MessageParams[] = [];
  const client = await join(token, {
    onMessage(message) {
      got.push(message);
      return onMessage(message);
    },
  });
  return { client, got, collect: () => collectKept(client) };
}

/** What is kept for a token. */
async function gotOf(token: Token): Promise<readonly MessageParams[]> {
  const { got, collect } = await collector(token);
  await collect();
  return got;
}

const textsOf = (got: readonly MessageParams[]) => got.map(({ text }) => text);
const eventsOf = (...names: string[]) => site.events.filter(({ event }) => names.includes(event));

describe("a message for a token's name that is not here", () => {
  test("is kept, and delivered in order when its holder asks, with its time and who sent it", async () => {
    const sender = await join(alice, { nick: "al" });
    const sentAt = site.clock.wallTime();
    const { delivered, kept } = await sender.send("one", "BOB");
    expect([delivered, kept]).toEqual([[], { name: "bob", until: sentAt + LIMITS.ms }]);
    await site.clock.advance(1_000);
    await sender.send("two", "bob");
    await sender.close();
    const receiver = await collector(bob);
    expect(await receiver.collect()).toEqual({ messages: 2, left: 0 });
    const names = { from: "Client01", token: "alice", nick: "al" };
    expect(receiver.got).toEqual([
      { ...names, to: "BOB", text: "one", sentAt },
      { ...names, to: "bob", text: "two", sentAt: sentAt + 1_000 },
    ]);
    expect(await receiver.collect()).toEqual({ messages: 0, left: 0 });
    expect(eventsOf("kept", "collected")).toMatchObject([
      { event: "kept", from: "Client01", token: "alice", nick: "al", to: "bob" },
      { event: "kept" },
      { event: "collected", name: "Client02", token: "bob", messages: 2 },
    ]);
    expect((await receiver.client.status()).sessions[0]).toMatchObject({ name: "Client02", messagesOut: 2 });
  });

  test("is delivered at once when its holder is here, as ever", async () => {
    const sender = await join(alice);
    const receiver = await collector(bob);
    const sent = await sender.send("hi", "bob");
    expect([sent.delivered, sent.kept]).toEqual([["Client02"], undefined]);
    expect(receiver.got).toEqual([{ from: "Client01", token: "alice", to: "bob", text: "hi" }]);
    expect(await receiver.collect()).toEqual({ messages: 0, left: 0 });
  });

  test("is kept although a token of another case is here, which does not get it", async () => {
    const other = await collector(site.issue("Bob"));
    const sender = await join(alice);
    expect((await sender.send("for the small one", "bob")).kept?.name).toBe("bob");
    expect((await sender.send("for the large one", "Bob")).delivered).toEqual(["Client01"]);
    expect(textsOf(other.got)).toEqual(["for the large one"]);
  });

  test("is kept while a session of that token takes no messages, as those that complete words", async () => {
    const deaf = await site.client(bob);
    const sender = await join(alice);
    expect((await sender.send("x", "bob")).kept?.name).toBe("bob");
    await deaf.close();
    expect(textsOf([...(await gotOf(bob))])).toEqual(["x"]);
  });

  test("that nobody has is NO_SUCH_CLIENT, and so are a session's name and a nick that nobody has", async () => {
    const sender = await join(alice);
    const { code, message } = await faultOf(() => sender.send("x", "nobody"));
    expect([code, message]).toEqual(["NO_SUCH_CLIENT", 'Nobody has the name "nobody": no other client, and no token.']);
    site.issue("Client99");
    for (const name of ["Client99", "~bob", "local"]) {
      expect(await codeOf(() => sender.send("x", name))).toBe("NO_SUCH_CLIENT");
    }
    expect((await sender.send("x", "all")).kept).toBeUndefined();
  });

  test("is kept by operators, too, who may fill the mailbox, and for operators", async () => {
    const operator = await site.operator();
    const carol = site.issue("carol", "operator");
    expect((await operator.client.send("hi", "carol")).kept?.name).toBe("carol");
    const receiver = await collector(carol);
    expect(await receiver.collect()).toEqual({ messages: 1, left: 0 });
    expect(receiver.got).toMatchObject([{ from: "Server", text: "hi" }]);
  });

  test("may be for another session of the sender's own token", async () => {
    const sender = await join(alice);
    await sender.send("note", "alice");
    const receiver = await collector(alice);
    await receiver.collect();
    expect(textsOf(receiver.got)).toEqual(["note"]);
  });

  test("is not kept for a token that has expired", async () => {
    site.issue("late", "read", site.clock.wallTime() + 1_000);
    const sender = await join(alice);
    expect((await sender.send("x", "late")).kept?.name).toBe("late");
    await site.clock.advance(1_000);
    expect(await codeOf(() => sender.send("x", "late"))).toBe("NO_SUCH_CLIENT");
    expect(eventsOf("dropped")).toMatchObject([{ token: "late", messages: 1, reason: "revoked" }]);
  });

  test("is kept although sessions by HTTP have that token, which never get it", async () => {
    site.server.gateway.guests.enter({ role: "read", token: "bob" }, "192.0.2.9:1", addressOf("192.0.2.9:1"));
    const sender = await join(alice);
    expect((await sender.send("hi", "bob")).kept?.name).toBe("bob");
  });

  test("that its sessions do not take is kept, and marked", async () => {
    const sender = await join(alice);
    await site.client(bob);
    const { failed, kept } = await sender.send("hi", "bob");
    expect([failed.map(({ name }) => name), kept?.name]).toEqual([["Client02"], "bob"]);
    const receiver = await collector(bob);
    await receiver.collect();
    expect(receiver.got).toMatchObject([{ text: "hi", again: true }]);
  });
});

describe("only those may leave messages", () => {
  test("who have a token: a client without one learns no name", async () => {
    const stranger = await join(undefined);
    const faults = await Promise.all(["bob", "nobody"].map((name) => faultOf(() => stranger.send("x", name))));
    expect(faults.map(({ code }) => code)).toEqual(["NO_SUCH_CLIENT", "NO_SUCH_CLIENT"]);
    expect(new Set(faults.map(({ message }) => message.replaceAll(/"\w+"/g, "NAME"))).size).toBe(1);
    expect(site.server.mail?.total.messages).toBe(0);
  });

  test("who know what that is: for an older client all is as before", async () => {
    const transport = withoutCapability(await site.transport(), MAILBOX_CAPABILITY);
    const terms = { clock: systemClock, agent: "older", wait: false, timeoutMs: 5_000 };
    const older = await Client.connect({
      ...terms,
      token: alice,
      transport,
    });
    expect(hasMailbox(older)).toBe(false);
    const { code, message } = await faultOf(() => older.send("x", "bob"));
    expect([code, message]).toEqual(["NO_SUCH_CLIENT", 'No other client has the name "bob".']);
  });

  test("up to the bounds: then the answer is MAILBOX_FULL, and nothing else changes", async () => {
    const sender = await join(alice);
    const text = "x".repeat(8_000);
    await serveAgain({ messages: 4 });
    const other = await join(alice);
    for (let each = 0; each < 2; each++) await other.send(text, "bob");
    expect(await codeOf(() => other.send("x", "bob"))).toBe("MAILBOX_FULL");
    const operator = await site.operator();
    for (let each = 0; each < 2; each++) await operator.client.send("x", "bob");
    expect(await codeOf(() => operator.client.send("x", "bob"))).toBe("MAILBOX_FULL");
    expect((await other.send("x", "alice")).kept?.name).toBe("alice");
    const receiver = await collector(bob);
    expect(await receiver.collect()).toEqual({ messages: 4, left: 0 });
    await sender.close();
  });

  test("not faster than the disk should bear", async () => {
    const sender = await site.client(alice, { attempts: 0 });
    const operator = await site.operator();
    for (let each = 0; each < 2 * KEPT_PER_SECOND; each++) {
      expect(
        await sender.send("x", "bob").then(
          () => "kept",
          ({ code }) => code,
        ),
      ).toBe(each < 20 ? "kept" : "MAILBOX_FULL");
    }
    expect(await codeOf(() => sender.send("x", "bob"))).toBe("TOO_OFTEN");
    expect((await operator.client.send("x", "bob")).kept?.name).toBe("bob");
  });
});

describe("a sender", () => {
  test("has one rate in all its sessions, and each sender its own", async () => {
    const carol = site.issue("carol");
    const sessions = [await site.client(alice, { attempts: 0 }), await site.client(alice, { attempts: 0 })];
    const codes: string[] = [];
    for (let each = 0; each < 2 * KEPT_PER_SECOND; each++) {
      codes.push(
        await sessions[each % 2]?.send("x", "bob").then(
          () => "kept",
          ({ code }) => code,
        ),
      );
    }
    expect(codes).not.toContain("TOO_OFTEN");
    for (const session of sessions) expect(await codeOf(() => session.send("x", "bob"))).toBe("TOO_OFTEN");
    const again = await site.client(alice, { attempts: 0 });
    expect(await codeOf(() => again.send("x", "bob"))).toBe("TOO_OFTEN");
    expect((await (await join(carol)).send("x", "bob")).kept?.name).toBe("bob");
    await site.clock.advance(1_000);
    expect(await codeOf(() => again.send("x", "bob"))).toBe("MAILBOX_FULL");
  });

  test("is not refused for what is too old, before the server looks for it as well", async () => {
    await serveAgain({ messages: 2, ms: 60_000 });
    const sender = await join(alice);
    await sender.send("old", "bob");
    expect(await codeOf(() => sender.send("x", "bob"))).toBe("MAILBOX_FULL");
    await site.clock.advance(60_000);
    expect((await sender.send("new", "bob")).kept?.name).toBe("bob");
    expect(textsOf(await gotOf(bob))).toEqual(["new"]);
  });
});

describe("kept messages are taken", () => {
  test("by those alone that ask for them", async () => {
    const sender = await join(alice);
    await sender.send("hi", "bob");
    const lister = await collector(bob);
    await Array.fromAsync(lister.client.list());
    await lister.client.status();
    await lister.client.close();
    expect(lister.got).toEqual([]);
    const another = await collector(alice);
    expect(await another.collect()).toEqual({ messages: 0, left: 0 });
    const stranger = await join(undefined, { nick: "bob" });
    expect(await collectKept(stranger)).toEqual({ messages: 0, left: 0 });
    const receiver = await collector(bob);
    expect(await receiver.collect()).toEqual({ messages: 1, left: 0 });
  });

  test("each by one of several sessions that ask at once", async () => {
    const sender = await join(alice);
    for (let each = 0; each < 20; each++) await sender.send(`${each}`, "bob");
    const receivers = await Promise.all([1, 2, 3].map(() => collector(bob)));
    const counts = await Promise.all(receivers.map(({ collect }) => collect()));
    expect(counts.reduce((sum, { messages }) => sum + messages, 0)).toBe(20);
    const all = receivers.flatMap(({ got }) => textsOf(got));
    expect(all.toSorted((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: 20 }, (_, each) => `${each}`));
    expect(receivers.flatMap(({ got }) => got).some(({ again }) => again)).toBe(false);
  });

  test("in order, however large they are and however slowly they are read", async () => {
    const sender = await join(alice);
    const texts = Array.from({ length: 20 }, (_, each) => `${each} ${"ü".repeat(8_000)}`);
    for (const text of texts) await sender.send(text, "bob");
    const receiver = await collector(bob, () => Bun.sleep(1));
    expect(await receiver.collect()).toEqual({ messages: 20, left: 0 });
    expect(textsOf(receiver.got)).toEqual(texts);
  });

  test("one at a time by a peer that allows one stream", async () => {
    const sender = await join(alice);
    for (const text of ["one", "two", "three"]) await sender.send(text, "bob");
    const { peer } = await site.peer();
    const scram = new ScramClient(bob, undefined);
    await prove(peer, scram, { capabilities: [MAILBOX_CAPABILITY], maxStreams: 1 });
    await peer.send(frame("OPEN", { method: "collect", params: {} }, 1, 1));
    const texts: string[] = [];
    for (let each = 0; each < 3; each++) {
      const push = await until(() => peer.frames.filter(({ name }) => name === "OPEN")[each]);
      texts.push(push.json.params.text);
      await peer.send(frame("ACCEPT", {}, push.stream, 1));
    }
    expect(texts).toEqual(["one", "two", "three"]);
    expect((await until(() => peer.last("ACCEPT"))).json).toEqual({ messages: 3, left: 0 });
  });

  test("again when the link is lost in between, with a mark, and none of those that were acknowledged", async () => {
    const sender = await join(alice);
    const texts = Array.from({ length: 20 }, (_, each) => `${each}`);
    for (const text of texts) await sender.send(text, "bob");
    const { peer } = await site.peer();
    await prove(peer, new ScramClient(bob, undefined), { capabilities: [MAILBOX_CAPABILITY] });
    await peer.send(frame("OPEN", { method: "collect", params: {} }, 1, 1));
    const pushes = await until(() => {
      const opened = peer.frames.filter(({ name }) => name === "OPEN");
      return opened.length >= 16 ? opened : undefined;
    });
    for (const { stream } of pushes.slice(0, 5)) await peer.send(frame("ACCEPT", {}, stream, 1));
    await peer.close();
    const receiver = await collector(bob);
    const { messages } = await receiver.collect();
    expect(messages).toBe(15);
    expect(textsOf(receiver.got)).toEqual(texts.slice(5));
    expect(receiver.got.map(({ again }) => again === true)).toEqual(texts.slice(5).map((text) => Number(text) < 16));
  });

  test("later when the receiver refuses one: it stays, and blocks none of the others", async () => {
    const sender = await join(alice);
    for (const text of ["one", "bad", "three"]) await sender.send(text, "bob");
    const refusing = await collector(bob, ({ text }) => {
      if (text === "bad") throw new Error("can't show it");
    });
    expect(await refusing.collect()).toEqual({ messages: 2, left: 1 });
    const receiver = await collector(bob);
    await receiver.collect();
    expect(receiver.got).toMatchObject([{ text: "bad", again: true }]);
  });

  test("by nobody any more once they are too old", async () => {
    const sender = await join(alice);
    await sender.send("old", "bob");
    await site.clock.advance(LIMITS.ms + 3_600_000);
    expect(eventsOf("dropped")).toMatchObject([{ token: "bob", messages: 1, reason: "expired" }]);
    const receiver = await collector(bob);
    expect(await receiver.collect()).toEqual({ messages: 0, left: 0 });
  });

  test("too old are not left, before the server looks for them as well", async () => {
    const sender = await join(alice);
    await sender.send("old", "bob");
    await site.clock.advance(LIMITS.ms + 1);
    const receiver = await collector(bob);
    expect(await receiver.collect()).toEqual({ messages: 0, left: 0 });
  });

  test("by nobody once the token is revoked, nor by a later token of that name", async () => {
    const sender = await join(alice);
    await sender.send("for the first", "bob");
    await (await site.operator()).revokeToken("bob");
    expect(eventsOf("dropped")).toMatchObject([{ token: "bob", messages: 1, reason: "revoked" }]);
    const receiver = await collector(site.issue("bob"));
    expect(await receiver.collect()).toEqual({ messages: 0, left: 0 });
  });

  test("after the next start when the server stops meanwhile; nothing is lost", async () => {
    const sender = await join(alice);
    for (let each = 0; each < 20; each++) await sender.send(`${each}`, "bob");
    const held = Promise.withResolvers<void>();
    const receiver = await collector(bob, ({ text }) => (text === "3" ? held.promise : undefined));
    const outcome = receiver.collect().catch(() => undefined);
    await until(() => receiver.got.length >= 16);
    const stopped = site.server.shutdown(0);
    site.server.abort();
    await stopped;
    held.resolve();
    await outcome;
    const mailbox = Mailbox.open(folder.join("mailbox.sqlite"), LIMITS);
    const left = mailbox.take(
      { name: "bob", createdAt: site.tokens.find("bob")?.createdAt ?? 0 },
      100,
      site.clock.wallTime(),
    );
    mailbox.close();
    const texts = left.map(({ message }) => message.text);
    expect(texts).toContain("3");
    expect(texts.slice(-4)).toEqual(["16", "17", "18", "19"]);
    expect(left.filter(({ wasPushed }) => !wasPushed)).toHaveLength(4);
  });
});

describe("an operator", () => {
  test("sees how much is kept for whom, and can remove it; others can't", async () => {
    const sender = await join(alice);
    await sender.send("hi", "bob");
    await sender.send("hi", "bob");
    const operator = await site.operator();
    const record = { name: "bob", messages: 2, bytes: 516, oldestAt: site.clock.wallTime() };
    expect(await Array.fromAsync(operator.mailboxes())).toEqual([record]);
    const { mailbox } = await operator.client.status();
    expect(mailbox).toEqual({ messages: 2, bytes: 516, maxBytes: LIMITS.bytes });
    expect((await sender.status()).mailbox).toBeUndefined();
    expect(await codeOf(() => sender.call("clearMailbox", { name: "bob" }, {} as never))).toBe("NOT_ALLOWED");
    expect(await operator.clearMailbox("bob")).toBe(2);
    expect(await codeOf(() => operator.clearMailbox("bob"))).toBe("NOT_FOUND");
    expect(eventsOf("dropped")).toMatchObject([{ token: "bob", messages: 2, reason: "cleared" }]);
  });
});

describe("a server without a mailbox", () => {
  test("names no such capability, and answers as before", async () => {
    await using plain = new AccessServer({ open: true, maxClients: 5 });
    const sender = await plain.client(plain.issue("alice"));
    plain.issue("bob");
    expect(hasMailbox(sender)).toBe(false);
    const { code, message } = await faultOf(() => sender.send("x", "bob"));
    expect([code, message]).toEqual(["NO_SUCH_CLIENT", 'No other client has the name "bob".']);
    expect(await codeOf(() => collectKept(sender))).toBe("NOT_ALLOWED");
    const operator = await plain.operator();
    expect((await operator.client.status()).mailbox).toBeUndefined();
    expect(await codeOf(() => Array.fromAsync(operator.mailboxes()))).toBe("NOT_ALLOWED");
  });
});
