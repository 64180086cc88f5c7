import { describe, expect, test } from "bun:test";
import { Operator } from "../../lib/client/operator.ts";
import { createVerifier } from "../../lib/server/access/verifier.ts";
import { ScramClient } from "../../lib/session/scram-client.ts";
import { AccessServer, prove, WRONG_SECRET } from "../support/access-server.ts";
import { frame, HELLO } from "../support/frames.ts";
import { MemoryPeer } from "../support/memory-peer.ts";

type Role = "read" | "write" | "operator";
const ORDER: Role[] = ["read", "write", "operator"];

/** Methods by the least role that may call them, with params and whether there is a body. */
const METHODS: [name: string, least: Role, params: object, hasBody: boolean][] = [
  ["status", "read", {}, false],
  ["list", "read", {}, false],
  ["stat", "read", { path: "a.txt" }, false],
  ["digest", "read", { path: "a.txt" }, false],
  ["message", "read", { text: "hi" }, false],
  ["watch", "read", {}, false],
  ["put", "write", {}, true],
  ["remove", "write", { path: "none", recursive: false }, false],
  ["rename", "write", { from: "none", to: "other", overwrite: false }, false],
  ["kick", "operator", { name: "Client99" }, false],
  ["drain", "operator", { on: false }, false],
  ["events", "operator", {}, false],
  ["tokens", "operator", {}, false],
  ["unfinished", "operator", {}, false],
  ["issueToken", "operator", { name: "made", role: "operator" }, false],
  ["issueCode", "operator", { name: "offered", role: "operator" }, false],
  ["revokeToken", "operator", { name: "none" }, false],
  ["issueLink", "operator", { path: "a.txt" }, false],
  ["links", "operator", {}, false],
  ["revokeLink", "operator", { name: "none" }, false],
  ["quit", "operator", {}, false],
];

/** The code of the refusal, or undefined when the call came to the method. */
async function codeOf(
  server: AccessServer,
  role: Role,
  method: { name: string; params: object; hasBody: boolean },
): Promise<number | undefined> {
  const { name, params, hasBody } = method;
  const transport = await server.transport();
  const peer = new MemoryPeer(transport);
  const token = server.issue(`t-${role}-${name}`, role);
  expect(await prove(peer, new ScramClient(token, undefined))).toMatchObject({ name: "WELCOME", json: { role } });
  await peer.send(frame("OPEN", { method: name, params }, 1, hasBody ? 0 : 1));
  await peer.send(frame("PING", Buffer.alloc(8)));
  const code = peer.last("RESET")?.json.code;
  transport.abort();
  return code === 37 ? 37 : undefined;
}

describe.each(ORDER)("who has the role %s", (role) => {
  test.each(METHODS)("and calls %s, which wants %s", async (name, least, params, hasBody) => {
    await using server = new AccessServer();
    server.test.storage.set("a.txt", Buffer.from("a"));
    const may = ORDER.indexOf(role) >= ORDER.indexOf(least);
    expect(await codeOf(server, role, { name, params, hasBody })).toBe(may ? undefined : 37);
    if (!may) {
      expect(server.test.stopRequested).toBe(false);
      expect(server.tokens.find("made")).toBeUndefined();
    }
  });
});

describe("a server without --writable", () => {
  test.each(["write", "operator"] as const)("changes nothing for the role %s", async (role) => {
    await using server = new AccessServer({ writable: false });
    server.test.storage.set("a.txt", Buffer.from("a"));
    const client = await server.client(server.issue("laptop", role));
    const refused = { code: "NOT_ALLOWED", message: expect.stringContaining("read-only") };
    await expect(client.remove("a.txt", false)).rejects.toMatchObject(refused);
    await expect(client.rename("a.txt", "b.txt", false)).rejects.toMatchObject(refused);
    await expect(client.openStream("put", {}, { body: true }).accepted).rejects.toMatchObject(refused);
    expect((await client.stat("a.txt")).kind).toBe("file");
  });
});

describe("an operator with a token", () => {
  test("takes no seat, also of a full server, and is named so", async () => {
    await using server = new AccessServer({ maxClients: 1, maxWaiting: 0 });
    const seated = await server.client(server.issue("laptop"));
    const boss = new Operator(await server.client(server.issue("boss", "operator")));
    expect({ name: boss.client.name, seats: server.server.seats.taken }).toEqual({ name: "Operator", seats: 1 });
    await boss.kick(seated.name);
    expect(await seated.ended).toMatchObject({ code: "KICKED" });
  });

  test("makes tokens that work, lists them without secrets, and takes them back", async () => {
    await using server = new AccessServer();
    const boss = new Operator(await server.client(server.issue("boss", "operator")));
    const { token, invite } = await boss.issueToken({ name: "phone", role: "write" });
    const [name, secret] = token.split(":") as [string, string];
    expect(invite).toBe("invite of phone");
    expect((await server.client({ name, secret })).role).toBe("write");
    const records = await Array.fromAsync(boss.tokens());
    expect(records.map((record) => Object.keys(record).sort())).toEqual(
      Array(2).fill(["createdAt", "expiresAt", "name", "role"]),
    );
    await boss.revokeToken("phone");
    await expect(server.client({ name, secret })).rejects.toMatchObject({ code: "ACCESS_DENIED" });
    expect(server.events.filter(({ event }) => event === "issued" || event === "revoked")).toMatchObject([
      { event: "issued", name: "Operator", token: "phone", role: "write" },
      { event: "revoked", name: "Operator", token: "phone" },
    ]);
    expect(JSON.stringify([server.events, records])).not.toContain(secret);
  });

  test.each([
    ["boss", "TOKEN_EXISTS"],
    ["local", "BAD_PARAMS"],
    ["a b", "BAD_PARAMS"],
  ])("can't make one named %j", async (name, code) => {
    await using server = new AccessServer();
    const boss = new Operator(await server.client(server.issue("boss", "operator")));
    await expect(boss.issueToken({ name, role: "read" })).rejects.toMatchObject({ code });
  });
});

describe("a server that is open", () => {
  test("lets anyone read, and gives a token's role to who has one", async () => {
    await using server = new AccessServer({ open: true });
    expect((await server.client()).role).toBe("read");
    expect((await server.client(server.issue("laptop", "write"))).role).toBe("write");
  });

  test("refuses a wrong token, even where none is needed", async () => {
    await using server = new AccessServer({ open: true });
    await expect(server.client({ name: "laptop", secret: WRONG_SECRET })).rejects.toMatchObject({
      code: "ACCESS_DENIED",
    });
  });
});

describe("who comes by the socket in the state folder", () => {
  test("needs no token", async () => {
    await using server = new AccessServer();
    expect((await server.operator()).client.role).toBe("operator");
  });

  test("has its role with a lesser token too, and a wrong one is refused", async () => {
    await using server = new AccessServer();
    const token = server.issue("laptop");
    expect((await server.test.client({ token }, "operator")).role).toBe("operator");
    await expect(server.test.client({ token: { ...token, secret: WRONG_SECRET } }, "operator")).rejects.toMatchObject({
      code: "ACCESS_DENIED",
    });
  });
});

describe("the token of one run", () => {
  const local = {
    name: "local",
    role: "write",
    createdAt: 0,
    expiresAt: null,
    verifier: createVerifier(WRONG_SECRET, Buffer.alloc(16)),
  } as const;
  const token = { name: "local", secret: WRONG_SECRET };

  test.each(["127.0.0.1:1", "[::1]:1"])("is taken from this machine: %s", async (from) => {
    await using server = new AccessServer({ local });
    expect((await server.client(token, { from })).role).toBe("write");
  });

  test.each(["198.51.100.7:1", "[2001:db8::1]:1", "unix", "127.0.0.1"])(
    "is not taken from elsewhere: %s",
    async (from) => {
      await using server = new AccessServer({ local });
      await expect(server.client(token, { from })).rejects.toMatchObject({ code: "ACCESS_DENIED" });
    },
  );

  test("is in no list and can't be revoked", async () => {
    await using server = new AccessServer({ local });
    const operator = await server.operator();
    expect(await Array.fromAsync(operator.tokens())).toEqual([]);
    await expect(operator.revokeToken("local")).rejects.toMatchObject({ code: "NO_SUCH_TOKEN" });
  });
});

test("without a token, only a refusal is sent, and no method is called", async () => {
  await using server = new AccessServer();
  const { peer } = await server.peer();
  await peer.send(frame("HELLO", HELLO), frame("OPEN", { method: "status" }, 1, 1));
  expect(peer.names).toEqual(["REFUSE"]);
  expect(peer.last("REFUSE")?.json).toEqual({ code: 16, message: "This server requires a token." });
});
