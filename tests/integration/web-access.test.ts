/** Who may read by HTTP, on whose seat, and what an operator sees and can do. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import type { Token } from "../../lib/protocol/token.ts";
import { WRONG_SECRET } from "../support/access-server.ts";
import { settle } from "../support/fake-clock.ts";
import { until } from "../support/until.ts";
import { basic, WebSite } from "../support/web-site.ts";

const NOBODY = { token: { name: "x", secret: "" }, headers: { authorization: "" } };

async function start(options: Parameters<typeof WebSite.start>[0] = {}): Promise<WebSite> {
  const site = await WebSite.start(options);
  mkdirSync(site.folder.join("sub"));
  writeFileSync(site.folder.join("a.txt"), "alpha");
  return site;
}

const large = (site: WebSite) => writeFileSync(site.folder.join("large"), Buffer.alloc(64 * 1024 * 1024));

/** Ask for the large file, and do not read it. */
async function hold(site: WebSite, token: Token = site.token) {
  const raw = site.raw();
  raw.pause();
  raw.send(`GET /files/large HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${basic(token).authorization}\r\n\r\n`);
  await until(() =>
    site.access.server.members.clients.some((member) => member.token === token.name && member.bytesOut > 9e5),
  );
  return raw;
}

describe("a token", () => {
  test("by Basic or Bearer opens the repository", async () => {
    await using site = await start();
    const { name, secret } = site.token;
    expect((await site.ask("/files/a.txt")).status).toBe(200);
    const bearer = { authorization: `Bearer ${name}:${secret}` };
    expect((await site.ask("/files/a.txt", { headers: bearer, tls: true })).status).toBe(200);
  });

  test("is asked for, and refused when it is none", async () => {
    await using site = await start();
    const raw = site.raw();
    raw.send("GET /files/a.txt HTTP/1.0\r\n\r\n");
    await until(() => raw.isEnded);
    const none = raw.text;
    expect(none).toStartWith("HTTP/1.1 401 ");
    expect(none).toMatch(/^www-authenticate: Basic realm="CommServer"/m);
    expect(none).toContain("TOKEN_REQUIRED");
    expect(none).not.toContain("alpha");
    // Most programs ask once without a token.
    expect(JSON.stringify(site.access.events)).not.toContain("TOKEN_REQUIRED");
    for (const authorization of ["Basic", "Basic !!!", "Digest x", "Bearer x", `Bearer reader:${WRONG_SECRET}`]) {
      expect((await site.ask("/files/a.txt", { headers: { authorization } })).status).toBe(401);
    }
    const unknown = basic({ name: "nobody", secret: site.token.secret });
    const wrong = basic({ name: "reader", secret: WRONG_SECRET });
    const [first, second] = [await site.ask("/", { headers: unknown }), await site.ask("/", { headers: wrong })];
    expect(first.body.toString()).toBe(second.body.toString());
    const told = JSON.stringify(site.access.events);
    expect(told).toContain("There is no such token.");
    expect(told).not.toContain(WRONG_SECRET);
    expect(told).not.toContain(site.token.secret);
  });

  test("that is wrong too often is answered with a wait, and keeps no right one out", async () => {
    await using site = await start();
    const wrong = basic({ name: "reader", secret: WRONG_SECRET });
    const statuses: number[] = [];
    for (let count = 0; count < 12; count++) statuses.push((await site.ask("/", { headers: wrong })).status);
    expect(statuses).toEqual([...Array(10).fill(401), 429, 429]);
    expect((await site.ask("/files/a.txt")).status).toBe(200);
  });

  test("is not taken over a way that others can read, nor asked for there", async () => {
    await using site = await start();
    const { authorization } = basic(site.token);
    const ask = (field: string) => site.askFrom("198.51.100.7:1", `GET /files/a.txt HTTP/1.0\r\n${field}\r\n`);
    for (const answer of [await ask(`Authorization: ${authorization}\r\n`), await ask("")]) {
      expect(answer).toStartWith("HTTP/1.1 403 ");
      expect(answer).not.toContain("authenticate");
    }
  });

  test("that is revoked ends what it has under way, and opens nothing more", async () => {
    await using site = await start();
    large(site);
    const raw = await hold(site);
    const operator = await site.access.operator();
    await operator.revokeToken("reader");
    raw.resume();
    await until(() => raw.isEnded);
    expect(raw.text.length).toBeLessThan(64 * 1024 * 1024);
    expect((await site.ask("/files/a.txt")).status).toBe(401);
  });
});

describe("an open server", () => {
  test("lets anybody read", async () => {
    await using site = await start({ open: true });
    expect(await site.askFrom("198.51.100.7:1", "GET /files/a.txt HTTP/1.0\r\n\r\n")).toEndWith("\r\n\r\nalpha");
  });

  test("does not answer under a name that is another's, which a page could have led here", async () => {
    await using site = await start({ open: true });
    const status = async (host: string) =>
      (
        await site.askFrom("198.51.100.7:1", `GET /files/a.txt HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
      ).slice(9, 12);
    for (const own of [
      "192.0.2.1:5050",
      "[2001:db8::1]",
      "localhost:1",
      "FILES.test",
      "files.test.",
      "files.test:80",
    ]) {
      expect([own, await status(own)]).toEqual([own, "200"]);
    }
    for (const other of ["evil.example", "files.test.evil.example", "1.2.3.4.evil.example"]) {
      expect([other, await status(other)]).toEqual([other, "403"]);
    }
  });
});

describe("a seat", () => {
  test("is one for all requests of a token, and is free a while after the last", async () => {
    await using site = await start({ maxClients: 1 });
    const other = site.access.issue("other");
    const answers = await Promise.all(Array.from({ length: 20 }, () => site.ask("/files/a.txt")));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(site.access.server.seats.taken).toBe(1);
    const full = await site.ask("/files/a.txt", { token: other });
    expect(full).toMatchObject({ status: 503, headers: { "retry-after": "5" } });
    expect(full.body.toString()).toContain("SERVER_FULL");
    await site.access.clock.advance(4_900);
    expect(site.access.server.seats.taken).toBe(1);
    await site.access.clock.advance(200);
    expect(site.access.server.seats.taken).toBe(0);
    expect((await site.ask("/files/a.txt", { token: other })).status).toBe(200);
  });

  test("is kept while a request runs, however long", async () => {
    await using site = await start({ maxClients: 1 });
    large(site);
    const raw = await hold(site);
    await site.access.clock.advance(60_000);
    expect(site.access.server.seats.taken).toBe(1);
    raw.end();
    await until(() => site.access.server.members.clients[0]?.session.idleSince !== undefined);
    await site.access.clock.advance(5_100);
    expect(site.access.server.seats.taken).toBe(0);
  });

  test("is in the ledger and in the status, with its token, and told when it is taken and left", async () => {
    await using site = await start();
    await site.ask("/files/a.txt");
    const operator = await site.access.test.client({}, "operator");
    const { sessions } = await operator.status();
    expect(sessions).toMatchObject([{ name: "Client01", endedAt: null }]);
    await site.access.clock.advance(5_100);
    await settle();
    const told = site.access.events.filter((event) => "name" in event && event.name === "Client01");
    expect(told).toMatchObject([
      { event: "joined", name: "Client01", role: "read", token: "reader" },
      { event: "request", name: "Client01", method: "GET", target: "/files/a.txt", status: 200, outcome: "whole" },
      { event: "left", name: "Client01", reason: "exit" },
    ]);
    const left = told.at(-1) as { bytesIn?: number; bytesOut?: number };
    expect(left.bytesIn).toBeGreaterThan(50);
    expect(left.bytesOut).toBeGreaterThan(200);
  });

  test("ends when its client is kicked, with what it has under way", async () => {
    await using site = await start();
    large(site);
    const raw = await hold(site);
    const operator = await site.access.operator();
    await operator.kick("Client01");
    raw.resume();
    await until(() => raw.isEnded);
    expect(site.access.server.seats.taken).toBe(0);
    await until(() => site.access.events.some(({ event }) => event === "request"));
    expect(site.access.events.find(({ event }) => event === "request")).toMatchObject({ outcome: "cut" });
  });

  test("gets no messages, and those to all pass it by", async () => {
    await using site = await start();
    await site.ask("/files/a.txt");
    const client = await site.access.client(site.access.issue("writer", "write"), { onMessage() {} });
    const operator = await site.access.test.client({}, "operator");
    const all = await operator.send("hello", "all");
    expect(all.delivered).toEqual(["Client02"]);
    expect(all.failed).toEqual([]);
    await expect(operator.send("hello", "Client01")).rejects.toThrow("came by HTTP");
    await client.close();
  });

  test("is given to nobody new while the server admits nobody", async () => {
    await using site = await start();
    const other = site.access.issue("other");
    await site.ask("/files/a.txt");
    site.access.server.setDraining(true);
    expect((await site.ask("/files/a.txt")).status).toBe(200);
    const refused = await site.ask("/files/a.txt", { token: other });
    expect(refused).toMatchObject({ status: 503, headers: { "retry-after": "10" } });
    site.access.server.setDraining(false);
    expect((await site.ask("/files/a.txt", { token: other })).status).toBe(200);
  });

  test("is not there after a stop, which lets requests end and nothing begin", async () => {
    await using site = await start();
    large(site);
    const idle = site.raw();
    idle.send(
      `HEAD /files/a.txt HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${basic(site.token).authorization}\r\n\r\n`,
    );
    await until(() => idle.statuses.length === 1);
    const raw = await hold(site);
    const stopped = site.access.server.shutdown(60_000);
    await until(() => idle.isEnded);
    raw.resume();
    await until(() => raw.isEnded);
    expect(raw.text.length - raw.text.indexOf("\r\n\r\n") - 4).toBe(64 * 1024 * 1024);
    await stopped;
  });
});

test("a rate is that of all requests of a token together", async () => {
  await using site = await start({ bandwidth: { perSession: 1024 * 1024, total: undefined } });
  writeFileSync(site.folder.join("b"), Buffer.alloc(512 * 1024));
  const asked = Promise.all([site.ask("/files/b"), site.ask("/files/b")]);
  let ms = 0;
  const done = asked.then(() => true);
  for (; !(await Promise.race([done, Bun.sleep(1).then(() => false)])); ms += 20) await site.access.clock.advance(20);
  // A quarter of a second's worth passes at once.
  expect(ms).toBeGreaterThan(400);
  expect((await asked).map(({ body }) => body.length)).toEqual([512 * 1024, 512 * 1024]);
});

test("nobody learns of the repository what needs a token by asking for names", async () => {
  await using site = await start();
  const answers = await Promise.all(
    ["/files/a.txt", "/files/none", "/files/sub", "/x"].map((target) => site.ask(target, NOBODY)),
  );
  expect(new Set(answers.map(({ status, body }) => `${status} ${body}`)).size).toBe(1);
});

test("a defect of the server's own costs one connection, and no other", async () => {
  await using site = await start();
  const unsubscribe = site.access.server.events.subscribe(({ event }) => {
    if (event === "request") throw new Error("a listener with a defect");
  });
  const raw = site.raw();
  const { authorization } = basic(site.token);
  raw.send(`GET /files/a.txt HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${authorization}\r\n\r\n`);
  await until(() => raw.isEnded);
  unsubscribe();
  expect((await site.ask("/files/a.txt")).status).toBe(200);
});

describe("connections", () => {
  test("that rest make room for others, and those with a request stay", async () => {
    await using site = await start({ maxConnections: 2 });
    large(site);
    const [busy, resting] = [await hold(site), site.raw()];
    resting.send("OPTIONS /files/ HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await until(() => resting.statuses.length === 1);
    expect((await site.ask("/files/a.txt")).status).toBe(200);
    await until(() => resting.isEnded);
    expect(busy.isEnded).toBe(false);
    const other = site.raw();
    other.send(`GET /files/large HTTP/1.1\r\nHost: x\r\nAuthorization: ${basic(site.token).authorization}\r\n\r\n`);
    await until(() => other.text !== "");
    other.pause();
    await expect(site.ask("/files/a.txt")).rejects.toThrow();
    busy.end();
    other.end();
  });
});

test("folders that are asked for faster than the rate of lists wait for their turn, and files do not", async () => {
  await using site = await start({ callRates: { messages: 1, lists: 2, pages: 1 } });
  const { clock } = site.access;
  const answers: string[] = [];
  const ask = async (method: string, target: string, headers = {}) => {
    const { status } = await site.ask(target, { method, headers });
    answers.push(`${method} ${status}`);
  };
  // Four come at once: twice the rate.
  await Promise.all(["/files/", "/files/sub/", "/files/?format=json"].map((target) => ask("GET", target)));
  await ask("PROPFIND", "/files/", { depth: "1" });
  const waiting = [ask("GET", "/files/"), ask("PROPFIND", "/files/", { depth: "1" })];
  for (let count = 0; count < 30; count++) await ask("HEAD", "/files/a.txt");
  expect(answers.filter((answer) => answer !== "HEAD 200")).toEqual(["GET 200", "GET 200", "GET 200", "PROPFIND 207"]);
  const isSettled = Promise.all(waiting);
  while (answers.length < 36) {
    await clock.advance(500);
    await settle();
  }
  await isSettled;
  expect(answers.slice(-2).toSorted()).toEqual(["GET 200", "PROPFIND 207"]);
});

test("a client that leaves while it waits for its turn leaves nothing", async () => {
  await using site = await start({ callRates: { messages: 1, lists: 1, pages: 1 } });
  for (let count = 0; count < 2; count++) expect((await site.ask("/files/")).status).toBe(200);
  const raw = site.raw();
  raw.send(`GET /files/ HTTP/1.1\r\nHost: x\r\nAuthorization: ${basic(site.token).authorization}\r\n\r\n`);
  const [guest] = site.access.server.members.clients;
  await until(() => guest?.session.idleSince === undefined);
  raw.end();
  await until(() => guest?.session.idleSince !== undefined);
  expect(raw.text).toBe("");
});
