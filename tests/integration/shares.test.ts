/** Files that one client gives another by a code: their sessions see the share and nothing else, and it ends. */
import { describe, expect, test } from "bun:test";
import { Client } from "../../lib/client/client.ts";
import { awaitShare, endShare, offerShare, openShare } from "../../lib/client/sharing.ts";
import { CodeProver } from "../../lib/codes/code-prover.ts";
import { type CommError, type ErrorCode, toCommError } from "../../lib/errors.ts";
import { formatInvite } from "../../lib/protocol/invite.ts";
import type { Role } from "../../lib/protocol/messages.ts";
import { Nothing } from "../../lib/protocol/methods.ts";
import { parseCode } from "../../lib/protocol/one-time-code.ts";
import { parseToken, type Token } from "../../lib/protocol/token.ts";
import { MAX_SHARES, MAX_SHARES_PER_TOKEN } from "../../lib/server/shares/shares.ts";
import { systemClock } from "../../lib/session/clock.ts";
import { MemoryStorage } from "../../lib/storage/memory-storage.ts";
import { AccessServer } from "../support/access-server.ts";
import { until } from "../support/until.ts";

const HOUR = 3_600_000;
const CLIENT = { clock: systemClock, agent: "test-client", wait: false, timeoutMs: 5_000 };
const invite = (token: Token) => formatInvite({ label: "lab", addresses: ["192.0.2.1:5050"], identity: null, token });

class Site implements AsyncDisposable {
  readonly storages = new Map<string, MemoryStorage>();
  readonly server: AccessServer;

  constructor(options: ConstructorParameters<typeof AccessServer>[0] = {}) {
    const shareArea = {
      open: async (id: string) => {
        const storage = new MemoryStorage();
        this.storages.set(id, storage);
        return storage;
      },
      remove: async (id: string) => void this.storages.delete(id),
    };
    this.server = new AccessServer({ invite, shareArea, maxClients: 100, ...options });
    this.server.test.storage.set("secret.txt", Buffer.from("of the repository"));
  }

  /** A session that puts the files of a share, with one there. */
  async sharer(name = "anna", lifeMs = HOUR): Promise<{ client: Client; id: string }> {
    const token = this.server.tokens.find(name) === undefined ? this.server.issue(name, "write") : undefined;
    if (token !== undefined) this.tokens.set(name, token);
    const owner = await this.server.client(this.tokens.get(name));
    const opened = parseToken((await openShare(owner, lifeMs)).token);
    await owner.close();
    this.storages.get(opened.name)?.set("report.txt", Buffer.from("for bob"));
    return { client: await this.server.client(opened), id: opened.name };
  }

  readonly tokens = new Map<string, Token>();

  async fetcher(code: string): Promise<{ client: Client; token: Token }> {
    const transport = await this.server.transport();
    const prover = new CodeProver(parseCode(code), { binding: undefined, onOffered: async () => {} });
    const client = await Client.connect({ transport, prover, ...CLIENT });
    return { client, token: prover.invite?.token as Token };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.server[Symbol.asyncDispose]();
  }
}

const faultOf = (attempt: Promise<unknown>): Promise<CommError> =>
  attempt.then(
    () => Promise.reject(new Error("it worked")),
    (thrown) => toCommError(thrown),
  );
const listOf = async (client: Client) => (await Array.fromAsync(client.list())).map(({ path }) => path);
const wrongOf = (code: string) => {
  const { plate, secret } = parseCode(code);
  return { plate, secret: String((Number(secret) + 1) % 1_000_000).padStart(6, "0") };
};

test("a share is fetched once, and then gone; the one who shared learns it", async () => {
  await using site = new Site();
  const { client: sharer, id } = await site.sharer();
  const { code } = await offerShare(sharer);
  const outcome = awaitShare(sharer);
  const { client, token } = await site.fetcher(code);
  expect(client.role).toBe("read");
  expect(await listOf(client)).toEqual(["report.txt"]);
  await endShare(client);
  expect(await outcome).toMatchObject({ outcome: "fetched", address: expect.stringContaining("198.51.100.7") });
  expect((await client.ended).code).toBe("ACCESS_DENIED");
  expect(site.storages.has(id)).toBe(false);
  expect((await faultOf(site.fetcher(code))).code).toBe("NO_SUCH_CODE");
  expect((await faultOf(site.server.client(token))).code).toBe("ACCESS_DENIED");
  expect(await awaitShare(sharer)).toMatchObject({ outcome: "fetched" });
  await sharer.close();
});

test("one who was cut off comes back with the token, until all of it was fetched", async () => {
  await using site = new Site();
  const { client: sharer } = await site.sharer();
  const { client, token } = await site.fetcher((await offerShare(sharer)).code);
  client.abandon();
  const again = await site.server.client(token);
  expect(await listOf(again)).toEqual(["report.txt"]);
  await endShare(again);
  await sharer.close();
});

describe("a session of a share", () => {
  test("sees nothing of the repository, and the repository nothing of it", async () => {
    await using site = new Site();
    const { client: sharer } = await site.sharer();
    const { client } = await site.fetcher((await offerShare(sharer)).code);
    for (const each of [sharer, client]) {
      expect(await listOf(each)).toEqual(["report.txt"]);
      expect((await faultOf(each.stat("secret.txt"))).code).toBe("NOT_FOUND");
    }
    const reader = await site.server.client(site.server.issue("reader"));
    expect(await listOf(reader)).toEqual(["secret.txt"]);
    await Promise.all([sharer.close(), client.close(), reader.close()]);
  });

  test.each<[string, Record<string, unknown>]>([
    ["status", {}],
    ["watch", {}],
    ["message", { text: "hi" }],
    ["collect", {}],
    ["remove", { path: "report.txt" }],
    ["rename", { from: "report.txt", to: "b" }],
    ["openShare", {}],
    ["events", {}],
    ["tokens", {}],
    ["issueToken", { name: "x", role: "read" }],
    ["issueCode", { name: "x", role: "read" }],
    ["kick", { name: "Client01" }],
    ["quit", {}],
  ])("can't call %s", async (method, params) => {
    await using site = new Site();
    const { client: sharer } = await site.sharer();
    const { client } = await site.fetcher((await offerShare(sharer)).code);
    for (const each of [sharer, client]) {
      expect((await faultOf(each.call(method, params, Nothing))).code).toBe("NOT_ALLOWED");
    }
    await Promise.all([sharer.close(), client.close()]);
  });

  test("that fetches can't put, offer or wait; one that shares can put nothing after the offer", async () => {
    await using site = new Site();
    const { client: sharer } = await site.sharer();
    const { client } = await site.fetcher((await offerShare(sharer)).code);
    for (const method of ["put", "offerShare", "awaitShare"]) {
      expect((await faultOf(client.call(method, {}, Nothing))).code).toBe("NOT_ALLOWED");
    }
    expect((await faultOf(sharer.call("put", {}, Nothing))).code).toBe("NOT_ALLOWED");
    expect((await faultOf(offerShare(sharer))).code).toBe("NOT_ALLOWED");
    await Promise.all([sharer.close(), client.close()]);
  });
});

describe("a share ends", () => {
  test("when the one who shares takes it back, with its code and its sessions", async () => {
    await using site = new Site();
    const { client: sharer, id } = await site.sharer();
    const { client } = await site.fetcher((await offerShare(sharer)).code);
    await endShare(sharer);
    expect((await client.ended).code).toBe("ACCESS_DENIED");
    expect(site.storages.has(id)).toBe(false);
    expect(await awaitShare(sharer)).toEqual({ outcome: "ended" });
    await sharer.close();
  });

  test("before the code was used: then the code is unknown", async () => {
    await using site = new Site();
    const { client: sharer } = await site.sharer();
    const { code } = await offerShare(sharer);
    await endShare(sharer);
    expect((await faultOf(site.fetcher(code))).code).toBe("NO_SUCH_CODE");
    await sharer.close();
  });

  test("with its time, whoever is connected", async () => {
    await using site = new Site();
    const { client: sharer, id } = await site.sharer();
    const { code } = await offerShare(sharer);
    const { client } = await site.fetcher(code);
    await site.server.clock.advance(HOUR);
    expect((await client.ended).code).toBe("ACCESS_DENIED");
    expect((await sharer.ended).code).toBe("ACCESS_DENIED");
    expect(site.storages.has(id)).toBe(false);
    expect(site.server.events).toContainEqual(expect.objectContaining({ event: "unshared", outcome: "expired" }));
  });

  test("with its time, although nobody is connected and it was never offered", async () => {
    await using site = new Site();
    const { client, id } = await site.sharer("anna", 60_000);
    await client.close();
    await site.server.clock.advance(60_000);
    await until(() => !site.storages.has(id));
  });

  test("when somebody tries its code wrongly, and the one who shared learns it", async () => {
    await using site = new Site();
    const { client: sharer, id } = await site.sharer();
    const { code } = await offerShare(sharer);
    const outcome = awaitShare(sharer);
    const transport = await site.server.transport();
    const prover = new CodeProver(wrongOf(code), { binding: undefined, onOffered: async () => {} });
    expect((await faultOf(Client.connect({ transport, prover, ...CLIENT }))).code).toBe("ACCESS_DENIED");
    expect(await outcome).toEqual({ outcome: "spoilt" });
    expect(site.storages.has(id)).toBe(false);
    await sharer.close();
  });
});

describe("to share", () => {
  test("takes a server that keeps shares", async () => {
    await using site = new Site({ shareArea: undefined });
    const client = await site.server.client(site.server.issue("anna", "write"));
    expect((await faultOf(openShare(client, HOUR))).code).toBe("NOT_ALLOWED");
    await client.close();
  });

  test.each<[Role, ErrorCode | undefined]>([
    ["read", "NOT_ALLOWED"],
    ["write", undefined],
    ["operator", undefined],
  ])("takes the role write: %s", async (role, code) => {
    await using site = new Site({ writable: false });
    const client = await site.server.client(site.server.issue("anna", role));
    const opened = openShare(client, HOUR);
    if (code === undefined) await opened;
    else expect((await faultOf(opened)).code).toBe(code);
    await client.close();
  });

  test("is not for a token that is limited to a folder", async () => {
    await using site = new Site({ within: () => new MemoryStorage() });
    const record = { name: "anna", role: "write", createdAt: 1, expiresAt: null, scope: { folder: "anna" } } as const;
    const client = await site.server.client(site.server.tokens.add(record));
    expect((await faultOf(openShare(client, HOUR))).code).toBe("NOT_ALLOWED");
    await client.close();
  });

  test("is no matter of sessions that see the repository", async () => {
    await using site = new Site();
    const client = await site.server.client(site.server.issue("anna", "write"));
    for (const call of [offerShare, awaitShare, endShare])
      expect((await faultOf(call(client))).code).toBe("NOT_ALLOWED");
    await client.close();
  });

  test.each([59_999, 86_400_001])("takes one minute to a day: %d ms are BAD_PARAMS", async (lifeMs) => {
    await using site = new Site();
    const client = await site.server.client(site.server.issue("anna", "write"));
    expect((await faultOf(openShare(client, lifeMs))).code).toBe("BAD_PARAMS");
    await client.close();
  });

  test(`more than ${MAX_SHARES_PER_TOKEN} at once is too much for a token, and ${MAX_SHARES} for a server`, async () => {
    await using site = new Site();
    const tokens = Array.from({ length: 5 }, (_, index) => site.server.issue(`n${index}`, "write"));
    const codes: string[] = [];
    for (const token of tokens) {
      const client = await site.server.client(token);
      for (let count = 0; count <= MAX_SHARES_PER_TOKEN; count++) {
        codes.push(
          await openShare(client, HOUR).then(
            () => "opened",
            ({ code }) => code,
          ),
        );
      }
      await client.close();
    }
    const round = [...Array<string>(MAX_SHARES_PER_TOKEN).fill("opened"), "OVERLOADED"];
    expect(codes).toEqual([...round, ...round, ...round, ...round, ...Array<string>(5).fill("OVERLOADED")]);
    await site.server.clock.advance(HOUR);
    const client = await site.server.client(tokens[0]);
    await openShare(client, HOUR);
    await client.close();
  });
});

test("the secrets of a share are in no event, and its tokens in no file", async () => {
  await using site = new Site();
  const { client: sharer } = await site.sharer();
  const { code } = await offerShare(sharer);
  const { client, token } = await site.fetcher(code);
  const told = JSON.stringify(site.server.events);
  for (const secret of [code, parseCode(code).secret, token.secret]) expect(told).not.toContain(secret);
  expect(site.server.tokens.list().map(({ name }) => name)).toEqual(["anna"]);
  await Promise.all([sharer.close(), client.close()]);
});
