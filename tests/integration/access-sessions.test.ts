import { describe, expect, test } from "bun:test";
import { copyFileSync } from "node:fs";
import { Client } from "../../lib/client/client.ts";
import { Operator } from "../../lib/client/operator.ts";
import { TokenStore } from "../../lib/server/access/token-store.ts";
import { systemClock } from "../../lib/session/clock.ts";
import { ScramClient } from "../../lib/session/scram-client.ts";
import { AccessServer, challengeOf, prove } from "../support/access-server.ts";
import { settle } from "../support/fake-clock.ts";
import { frame } from "../support/frames.ts";
import { admittedPeer } from "../support/limits.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { TestServer } from "../support/test-server.ts";
import { until } from "../support/until.ts";

const HOUR_MS = 3_600_000;

/** The reasons for which sessions ended, by name. */
function lefts(server: AccessServer): [unknown, unknown][] {
  return server.events.flatMap((event) => (event.event === "left" ? [[event.name, event.reason]] : []));
}

describe("revoking a token", () => {
  test("ends all sessions that came with it, and no others", async () => {
    await using server = new AccessServer({ maxClients: 5 });
    const [laptop, phone] = [server.issue("laptop"), server.issue("phone")];
    const [first, second] = [await server.client(laptop), await server.client(laptop)];
    const other = await server.client(phone);
    const operator = await server.operator();
    await operator.revokeToken("laptop");
    for (const { ended } of [first, second]) {
      expect(await ended).toMatchObject({
        by: "remote",
        code: "ACCESS_DENIED",
        message: 'The token "laptop" was revoked.',
      });
    }
    expect((await other.status()).self.name).toBe(other.name);
    expect(server.server.seats.taken).toBe(1);
    expect(lefts(server)).toEqual([
      [first.name, "revoked"],
      [second.name, "revoked"],
    ]);
  });

  test("by another file of tokens ends its sessions, though the file has a later token of that name", async () => {
    await using server = new AccessServer({ maxClients: 5 });
    const [laptop, phone] = [server.issue("laptop"), server.issue("phone")];
    const [former, other] = [await server.client(laptop), await server.client(phone)];
    const file = server.folder.join("tokens.json");
    using folder = new TempFolder();
    copyFileSync(file, folder.join("tokens.json"));
    const elsewhere = TokenStore.open(folder.join("tokens.json"));
    elsewhere.revoke("laptop");
    elsewhere.add({ name: "laptop", role: "read", createdAt: server.clock.wallTime() + 1, expiresAt: null });
    copyFileSync(folder.join("tokens.json"), file);
    expect(server.server.reloadTokens()).toBe(true);
    expect(await former.ended).toMatchObject({ code: "ACCESS_DENIED", message: 'The token "laptop" was revoked.' });
    expect((await other.status()).self.name).toBe(other.name);
  });

  test("ends who is away as well: its seat is free, and it can't come back", async () => {
    await using server = new AccessServer();
    const token = server.issue("laptop");
    const { resume } = await awayWith(server, token);
    expect(server.server.seats.taken).toBe(1);
    await (await server.operator()).revokeToken("laptop");
    expect(server.server.seats.taken).toBe(0);
    expect(lefts(server)).toEqual([["Client01", "revoked"]]);
    expect((await server.client(server.issue("laptop"), { resume })).name).toBe("Client02");
  });

  test("ends the operator's own session when it was made with that token, after the answer", async () => {
    await using server = new AccessServer();
    const operator = new Operator(await server.client(server.issue("boss", "operator")));
    await operator.revokeToken("boss");
    expect(await operator.client.ended).toMatchObject({ code: "ACCESS_DENIED" });
  });

  test("during the proof lets nobody in, even if another token gets the name", async () => {
    await using server = new AccessServer();
    const old = new ScramClient(server.issue("laptop", "operator"), undefined);
    const { peer } = await server.peer();
    const { message } = await old.answer(await challengeOf(peer, old));
    const operator = await server.operator();
    await operator.revokeToken("laptop");
    await operator.issueToken({ name: "laptop", role: "read" });
    await peer.send(frame("AUTH", { message }));
    expect(peer.last("WELCOME")).toBeUndefined();
    expect(peer.last("REFUSE")?.json.code).toBe(17);
  });

  test("refuses a client that waits for a seat with it", async () => {
    await using server = new AccessServer({ maxClients: 1 });
    const first = await server.client(server.issue("phone"));
    const { peer } = await server.peer();
    expect((await prove(peer, new ScramClient(server.issue("laptop"), undefined), { wait: true })).name).toBe("QUEUED");
    await (await server.operator()).revokeToken("laptop");
    await first.close();
    await settle();
    expect(peer.last("WELCOME")).toBeUndefined();
    expect(peer.last("REFUSE")?.json.code).toBe(17);
  });
});

/** A client with this token whose link was lost. */
async function awayWith(
  server: AccessServer,
  token: Parameters<AccessServer["client"]>[0],
): Promise<{ resume: string }> {
  const transport = await server.transport();
  const options = { clock: systemClock, agent: "test", wait: false, timeoutMs: 5_000, resume: "" };
  const client = await Client.connect({ ...options, token, transport });
  transport.abort();
  await until(() => server.events.some(({ event }) => event === "away"));
  return { resume: client.resume as string };
}

describe("a token that expires", () => {
  test("ends its sessions at the time", async () => {
    await using server = new AccessServer();
    const client = await server.client(server.issue("laptop", "read", server.clock.wallTime() + 60_000));
    await server.clock.advance(59_999);
    expect(lefts(server)).toEqual([]);
    await server.clock.advance(1);
    expect(await client.ended).toMatchObject({ code: "ACCESS_DENIED", message: 'The token "laptop" has expired.' });
    expect(lefts(server)).toEqual([[client.name, "revoked"]]);
  });

  test("each at its own time, also after hours", async () => {
    await using server = new AccessServer();
    const now = server.clock.wallTime();
    const names = ["a", "b", "c"];
    const hours = [2, 5, 7];
    for (const [index, name] of names.entries()) {
      await server.client(server.issue(name, "read", now + (hours[index] as number) * HOUR_MS));
    }
    const gone: number[] = [];
    for (const hour of hours) {
      const ms = now + hour * HOUR_MS - server.clock.wallTime();
      await server.clock.advance(ms);
      gone.push(names.filter((name) => server.server.members.clients.every(({ token }) => token !== name)).length);
    }
    expect(gone).toEqual([1, 2, 3]);
  });

  test("when the calendar is set forward, within the hour", async () => {
    await using server = new AccessServer();
    const client = await server.client(server.issue("laptop", "read", server.clock.wallTime() + 24 * HOUR_MS));
    server.clock.skewMs = 25 * HOUR_MS;
    await server.clock.advance(HOUR_MS);
    expect(await client.ended).toMatchObject({ code: "ACCESS_DENIED" });
  });

  test("when the calendar is set forward and another token is made before it is noticed", async () => {
    await using server = new AccessServer();
    const client = await server.client(server.issue("laptop", "read", server.clock.wallTime() + 24 * HOUR_MS));
    server.clock.skewMs = 25 * HOUR_MS;
    await (await server.operator()).issueToken({ name: "other", role: "read" });
    await server.clock.advance(HOUR_MS);
    expect(server.server.members.clients.map(({ name }) => name)).not.toContain(client.name);
  });

  test("not before its time when the calendar is set back", async () => {
    await using server = new AccessServer();
    const token = server.issue("laptop", "read", server.clock.wallTime() + 60_000);
    const client = await server.client(token);
    server.clock.skewMs = -HOUR_MS;
    await server.clock.advance(60_000);
    expect((await client.status()).self.name).toBe(client.name);
    await server.clock.advance(HOUR_MS);
    expect(await client.ended).toMatchObject({ code: "ACCESS_DENIED" });
  });

  test("ends a client that waits for a seat with it", async () => {
    await using server = new AccessServer({ maxClients: 1 });
    const first = await server.client(server.issue("phone"));
    const token = server.issue("laptop", "read", server.clock.wallTime() + 5_000);
    const { peer } = await server.peer();
    await prove(peer, new ScramClient(token, undefined), { wait: true });
    await server.clock.advance(5_000);
    await first.close();
    await settle();
    expect(peer.last("WELCOME")).toBeUndefined();
  });
});

describe("coming back", () => {
  test("needs the same access token", async () => {
    await using server = new AccessServer();
    const [laptop, phone] = [server.issue("laptop", "write"), server.issue("phone")];
    const { resume } = await awayWith(server, laptop);
    const other = await server.client(phone, { resume });
    expect({ name: other.name, role: other.role }).toEqual({ name: "Client02", role: "read" });
    const same = await server.client(laptop, { resume });
    expect({ name: same.name, role: same.role, resume: same.resume }).toEqual({
      name: "Client01",
      role: "write",
      resume,
    });
  });

  test("does not end a live session of another token either", async () => {
    await using server = new AccessServer();
    const [laptop, phone] = [server.issue("laptop"), server.issue("phone")];
    const live = await server.client(laptop, { resume: "" });
    const other = await server.client(phone, { resume: live.resume as string });
    expect(other.name).toBe("Client02");
    expect((await live.status()).self.name).toBe("Client01");
  });

  test("of who came without a token needs none, and none is another than one", async () => {
    await using server = new AccessServer({ open: true });
    const { resume } = await awayWith(server, undefined);
    expect((await server.client(server.issue("laptop"), { resume })).name).toBe("Client02");
    expect((await server.client(undefined, { resume })).name).toBe("Client01");
  });
});

describe("an operator", () => {
  test("with a token is given nothing to come back with, and comes back as if it had never been there", async () => {
    await using server = new AccessServer();
    const [operator, laptop] = [server.issue("console", "operator"), server.issue("laptop")];
    const client = await server.client(laptop, { resume: "" });
    for (const resume of ["", client.resume as string]) {
      const { peer } = await server.peer();
      const { name, json } = await prove(peer, new ScramClient(operator, undefined), { resume });
      expect({ name, role: json.role, as: json.name }).toEqual({ name: "WELCOME", role: "operator", as: "Operator" });
      expect(json).not.toHaveProperty("resume");
    }
    expect((await client.send("still here")).text).toBe("still here ACK");
    expect(server.server.seats.taken).toBe(1);
  });

  test("by the socket in the state folder neither", async () => {
    await using server = new TestServer();
    const peer = await admittedPeer(server, { from: "unix", role: "operator" }, { resume: "" });
    expect(peer.last("WELCOME")?.json).not.toHaveProperty("resume");
  });
});
