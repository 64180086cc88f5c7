/** Links: the address of one file in one state, for people without a token. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import type { Operator } from "../../lib/client/operator.ts";
import { until } from "../support/until.ts";
import { type WebAnswer, WebSite } from "../support/web-site.ts";

const HOUR = 3_600_000;
const MIB = 1024 * 1024;

class LinkSite implements AsyncDisposable {
  readonly site: WebSite;
  readonly operator: Operator;

  private constructor(site: WebSite, operator: Operator) {
    this.site = site;
    this.operator = operator;
  }

  static async start(options: Parameters<typeof WebSite.start>[0] = {}): Promise<LinkSite> {
    const site = await WebSite.start(options);
    mkdirSync(site.folder.join("secret docs"));
    writeFileSync(site.folder.join("secret docs", "a b.txt"), "alpha");
    return new LinkSite(site, await site.access.operator());
  }

  get file(): string {
    return this.site.folder.join("secret docs", "a b.txt");
  }

  async link(path = "secret docs/a b.txt", expiresAt?: number) {
    const link = await this.operator.issueLink({ path, ...(expiresAt !== undefined && { expiresAt }) });
    return { ...link, target: new URL(link.url).pathname };
  }

  /** As somebody who has nothing but the address. */
  visit(target: string, asked: Parameters<WebSite["ask"]>[1] = {}): Promise<WebAnswer> {
    return this.site.ask(target, { ...asked, headers: { authorization: "", ...asked.headers } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.site[Symbol.asyncDispose]();
  }
}

const words = ({ status, body }: WebAnswer) => `${status} ${body}`;

describe("a link", () => {
  test("gives its file to clients without a token: whole, in parts, and conditionally", async () => {
    await using links = await LinkSite.start();
    const { target, url } = await links.link();
    expect(url).toMatch(/^http:\/\/server\.test\/link\/[\w-]{43}\/a%20b\.txt$/);
    const whole = await links.visit(target);
    expect(words(whole)).toBe("200 alpha");
    expect(whole.headers).toMatchObject({
      "content-type": "text/plain; charset=utf-8",
      "content-security-policy": expect.stringContaining("sandbox"),
      "referrer-policy": "no-referrer",
    });
    expect(words(await links.visit(target, { headers: { range: "bytes=1-2" } }))).toBe("206 lp");
    const { etag = "" } = whole.headers;
    expect((await links.visit(target, { headers: { "if-none-match": etag } })).status).toBe(304);
    expect((await links.visit(target, { headers: { "if-match": '"other"' } })).status).toBe(412);
    expect(words(await links.visit(target, { method: "HEAD" }))).toBe("200 ");
  });

  test("opens nothing else, lists no folder and changes nothing", async () => {
    await using links = await LinkSite.start({ mayWrite: true });
    writeFileSync(links.site.folder.join("secret docs", "other"), "other");
    const { target } = await links.link();
    const [, , secret] = target.split("/");
    const others = ["other", "", "..", "secret%20docs", "a%20b.txt/"].map((name) => `/link/${secret}/${name}`);
    for (const other of [
      ...others,
      `/link/${secret}`,
      `/link/${secret}/`,
      "/link/",
      "/files/",
      "/files/secret%20docs/",
    ]) {
      expect([401, 404]).toContain((await links.visit(other)).status);
    }
    for (const query of ["?archive=tar", "?format=json", "?metalink", "?etag=x"]) {
      expect(words(await links.visit(`${target}${query}`))).toBe("200 alpha");
    }
    for (const method of ["PUT", "DELETE", "MKCOL", "PROPFIND", "POST", "MOVE", "COPY"]) {
      const refused = await links.visit(target, { method });
      expect(refused).toMatchObject({ status: 405, headers: { allow: "GET, HEAD" } });
    }
    await expect(links.link("secret docs")).rejects.toMatchObject({ code: "NOT_A_FILE" });
    await expect(links.link("")).rejects.toMatchObject({ code: "BAD_PATH" });
    await expect(links.link("none")).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  test("leads to one state of the file: 410 says that it has changed, moved or gone", async () => {
    await using links = await LinkSite.start();
    const [changed, moved] = [await links.link(), await links.link()];
    writeFileSync(links.file, "other");
    utimesSync(links.file, 1_500_000_000, 1_500_000_000);
    const refused = await links.visit(changed.target);
    expect(refused.status).toBe(410);
    expect(refused.body.toString()).toBe(
      'CHANGED: "a b.txt" has changed since the link was made: it leads to no other state of the file.\n' +
        "Ask for another link.\n",
    );
    renameSync(links.file, `${links.file}.moved`);
    for (const make of [() => {}, () => mkdirSync(links.file), () => rmSync(links.file, { recursive: true })]) {
      make();
      const gone = await links.visit(moved.target, { headers: { accept: "application/json" } });
      expect(gone.status).toBe(410);
      expect(JSON.parse(gone.body.toString())).toEqual({
        error: {
          code: "NOT_FOUND",
          message: '"a b.txt" is not where it was when the link was made.',
          advice: "Ask for another link.",
        },
      });
    }
  });

  test("expires, after a week unless told otherwise", async () => {
    await using links = await LinkSite.start();
    const { clock } = links.site.access;
    const week = await links.link();
    expect(week.expiresAt).toBe(clock.wallTime() + 7 * 24 * HOUR);
    const hour = await links.link(undefined, clock.wallTime() + HOUR);
    clock.skewMs += HOUR;
    const refused = await links.visit(hour.target);
    expect(words(refused)).toBe("410 NOT_FOUND: The link has expired.\nAsk for another link.\n");
    expect(words(await links.visit(week.target))).toBe("200 alpha");
    expect((await Array.fromAsync(links.operator.links())).map(({ name }) => name)).toEqual([week.name]);
  });

  test("that expires or is revoked ends what is being fetched by it", async () => {
    await using links = await LinkSite.start();
    const { site, operator } = links;
    writeFileSync(site.folder.join("large"), Buffer.alloc(64 * MIB));
    const hold = async (target: string) => {
      const raw = site.raw();
      raw.pause();
      raw.send(`GET ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      await until(() => site.access.server.members.clients.some(({ bytesOut }) => bytesOut > 9e5));
      return raw;
    };
    const revoked = await links.link("large");
    const first = await hold(revoked.target);
    await operator.revokeLink(revoked.name);
    first.resume();
    await until(() => first.isEnded);
    expect(first.text.length).toBeLessThan(64 * MIB);
    expect(words(await links.visit(revoked.target))).toStartWith("410 NOT_FOUND: The link was revoked.");
    await until(() => site.access.server.members.clients.length === 0);
    const expiring = await links.link("large", site.access.clock.wallTime() + 30_000);
    const second = await hold(expiring.target);
    await site.access.clock.advance(30_000);
    second.resume();
    await until(() => second.isEnded);
    expect(second.text.length).toBeLessThan(64 * MIB);
  });

  test("takes one seat for all its users, and none when it no longer works", async () => {
    await using links = await LinkSite.start({ maxClients: 1 });
    const [one, other] = [await links.link(), await links.link()];
    await links.operator.revokeLink(other.name);
    expect((await links.visit(other.target)).status).toBe(410);
    expect(links.site.access.server.seats.taken).toBe(0);
    expect((await links.visit(one.target)).status).toBe(200);
    const answer = await links.site.askFrom(
      "198.51.100.7:1",
      `GET ${one.target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toStartWith("HTTP/1.1 200 ");
    expect(links.site.access.server.seats.taken).toBe(1);
    expect((await links.site.ask("/files/")).status).toBe(503);
    const third = await links.link();
    const full = await links.visit(third.target);
    expect(full).toMatchObject({ status: 503, headers: { "retry-after": "5" } });
  });

  test("is shown in events by its name; its secret is in none of them, whatever is requested", async () => {
    await using links = await LinkSite.start({ mayWrite: true, writable: true });
    const { target, name } = await links.link();
    const [, , secret = ""] = target.split("/");
    await links.visit(target);
    const oddities = [
      ...[`/link/${secret}`, `/link/${secret}/`, `${target}/more`, `/link/${secret}/%ff`, `/link/${secret}/a%2Fb`],
      ...[`/link/${secret}/x`, `/files/../link/${secret}`, `/files/link/${secret}/x`, `/files/%2e%2e/link/${secret}`],
      ...[`/%6cink/${secret}`, `//link/${secret}/a`, `/${secret}/a`, `/files/..%2Flink%2F${secret}`, `/LINK/${secret}`],
      ...[`http://localhost/files/../link/${secret}/a`, `http://localhost/x/${secret}`, `/files/?x=/link/${secret}`],
    ];
    const answers: string[] = [];
    for (const odd of oddities) {
      answers.push(words(await links.visit(odd)), words(await links.site.ask(odd)));
      const headers = { destination: odd };
      answers.push(words(await links.site.change("MOVE", "/files/secret%20docs/none", { headers })));
      answers.push(words(await links.site.change("COPY", "/files/secret%20docs/a%20b.txt", { headers })));
    }
    expect(answers.join("\n")).not.toContain(secret);
    await links.operator.revokeLink(name);
    await links.visit(target);
    const { events } = links.site.access;
    expect(events).toContainEqual(
      expect.objectContaining({ event: "linked", link: name, path: "secret docs/a b.txt" }),
    );
    expect(events).toContainEqual(expect.objectContaining({ event: "joined", role: "read", link: name }));
    expect(events).toContainEqual(
      expect.objectContaining({ event: "request", target: "/link/…/a b.txt", status: 200 }),
    );
    expect(events).toContainEqual(expect.objectContaining({ event: "unlinked", link: name }));
    expect(JSON.stringify(events)).not.toContain(secret);
  });

  test("that does not exist is 404, and guessing clients must wait", async () => {
    await using links = await LinkSite.start();
    const { target } = await links.link();
    const guess = `/link/${"x".repeat(43)}/a%20b.txt`;
    const statuses: number[] = [];
    for (let count = 0; count < 12; count++) statuses.push((await links.visit(guess)).status);
    expect(statuses).toEqual([...Array(10).fill(404), 429, 429]);
    expect(words(await links.visit(target))).toBe("200 alpha");
  });

  test("is not made where nobody could follow it", async () => {
    await using links = await LinkSite.start({ linkAddress: () => undefined });
    await expect(links.link()).rejects.toMatchObject({ code: "NOT_ALLOWED" });
    expect(await Array.fromAsync(links.operator.links())).toEqual([]);
  });
});
