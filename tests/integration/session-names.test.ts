/** Names beside the session's own: of the proven token, and those that clients give themselves. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { Client } from "../../lib/client/client.ts";
import type { ClientOptions } from "../../lib/client/client-options.ts";
import type { MessageParams } from "../../lib/protocol/methods.ts";
import type { Token } from "../../lib/protocol/token.ts";
import { AccessServer } from "../support/access-server.ts";
import { codeOf, faultOf } from "../support/fault.ts";

let site: AccessServer;
let got: { who: string; message: MessageParams }[];

beforeEach(() => {
  site = new AccessServer({ open: true, maxClients: 20 });
  got = [];
});
afterEach(() => site[Symbol.asyncDispose]());

/** A client that keeps what it is told. */
function join(who: string, token?: Token, options: Partial<ClientOptions> = {}): Promise<Client> {
  return site.client(token, { ...options, onMessage: (message) => void got.push({ who, message }) });
}

describe("a message for a token's name", () => {
  test("reaches all sessions of that token but the sender, in any case of letters, and says from whom", async () => {
    const [bob, alice] = [site.issue("bob"), site.issue("alice")];
    const sender = await join("alice", alice);
    const first = await join("bob 1", bob);
    await join("bob 2", bob);
    expect((await sender.send("hi", "BOB")).delivered).toEqual(["Client02", "Client03"]);
    expect(got.map(({ who }) => who).sort()).toEqual(["bob 1", "bob 2"]);
    expect(got[0]?.message).toEqual({ from: "Client01", token: "alice", to: "BOB", text: "hi" });
    expect((await first.send("to my other one", "bob")).delivered).toEqual(["Client03"]);
  });

  test("never reaches a session that only calls itself so", async () => {
    site.issue("bob");
    const sender = await join("sender");
    await join("thief", undefined, { nick: "bob" });
    expect(await codeOf(() => sender.send("secret", "bob"))).toBe("NO_SUCH_CLIENT");
    expect(got).toEqual([]);
    expect((await sender.send("hi", "~Bob")).delivered).toEqual(["Client02"]);
    expect(got.map(({ who }) => who)).toEqual(["thief"]);
  });

  test("is not for a token that is called like a session, all, or the server", async () => {
    const sender = await join("sender");
    for (const name of ["Client99", "all", "server"]) await join(name, site.issue(name));
    expect(await codeOf(() => sender.send("x", "Client99"))).toBe("NO_SUCH_CLIENT");
    expect((await sender.send("x", "server")).delivered).toEqual(["Server"]);
    expect((await sender.send("x", "all")).delivered).toEqual(["Client02", "Client03", "Client04"]);
  });

  test("that nobody has is told apart from one that was not delivered", async () => {
    const bob = site.issue("bob");
    const sender = await join("sender");
    const { code, message } = await faultOf(() => sender.send("x", "bob"));
    expect([code, message]).toEqual(["NO_SUCH_CLIENT", 'No other client has the name "bob".']);
    await site.client(bob);
    expect(await codeOf(() => sender.send("x", "bob"))).toBe("NOT_DELIVERED");
  });
});

test("WELCOME, status and the operator's events have the names", async () => {
  const bob = await join("bob", site.issue("bob"), { nick: "bobby" });
  const stranger = await join("stranger", undefined, { nick: "bob" });
  expect([bob.token, stranger.token]).toEqual(["bob", undefined]);
  const { self, here, sessions } = await stranger.status({ here: true });
  expect(self).toMatchObject({ name: "Client02", nick: "bob" });
  expect(self.token).toBeUndefined();
  expect(sessions).toEqual([]);
  expect(here).toMatchObject([
    { name: "Client01", token: "bob", nick: "bobby", doing: [] },
    { name: "Client02", nick: "bob", doing: ["status"] },
  ]);
  expect((await stranger.status()).here).toBeUndefined();
  await stranger.send("x");
  const events = site.events.filter(({ event }) => event === "joined" || event === "message");
  expect(events).toMatchObject([
    { event: "joined", name: "Client01", token: "bob", nick: "bobby" },
    { event: "joined", name: "Client02", nick: "bob" },
    { event: "message", from: "Client02", nick: "bob", to: "server" },
  ]);
});

test("status says what a session does", async () => {
  const watcher = await join("watcher");
  const changes = watcher.watch();
  void changes.next().catch(() => {}); // ends with the session
  const other = await join("other");
  const { here } = await other.status({ here: true });
  expect(here?.[0]).toMatchObject({ name: "Client01", doing: ["watch"] });
  await watcher.close(0);
});

test.each(["", "a b", "~x", "-x", "x".repeat(65), "Client\u001b"])("a client can't call itself %j", async (nick) => {
  expect(await codeOf(() => join("x", undefined, { nick }))).toBe("BAD_PAYLOAD");
});
