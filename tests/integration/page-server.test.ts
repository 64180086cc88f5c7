/** The server of the page: who may use it, and what else it gives to anybody. */
import { describe, expect, test } from "bun:test";
import { PageKeys } from "../../lib/cli/gui/page-keys.ts";
import { PageServer } from "../../lib/cli/gui/page-server.ts";
import { AppSite } from "../support/app-site.ts";

const FILES = { "/": { type: "text/html; charset=utf-8", text: "<title>page</title>" } };

/** A page server over an application in memory. */
class PageSite extends AppSite {
  readonly pages = new PageServer({ app: this.app, keys: new PageKeys(), files: FILES, port: 0 });
  readonly link = new URL(this.pages.link());

  get key(): string {
    return this.link.hash.replace("#key=", "");
  }

  get origin(): string {
    return this.link.origin;
  }

  get(path: string, headers: Record<string, string> = {}, init: RequestInit = {}): Promise<Response> {
    return fetch(`${this.origin}${path}`, { ...init, headers: { Host: this.link.host, ...headers } });
  }

  admit(key: string, origin = this.origin): Promise<Response> {
    return this.get("/admission", { Origin: origin }, { method: "POST", body: key });
  }

  /** Open a socket, say something, and get the first answer, or the code that it is closed with. */
  async talk(first: unknown, then?: unknown, headers: Record<string, string> = { Origin: this.origin }): Promise<any> {
    const socket = new WebSocket(`${this.origin.replace("http", "ws")}/socket`, { headers } as never);
    return new Promise((resolve) => {
      socket.addEventListener("open", () => {
        for (const each of [first, then]) if (each !== undefined) socket.send(JSON.stringify(each));
      });
      socket.addEventListener("message", ({ data }) => {
        resolve(JSON.parse(String(data)));
        socket.close();
      });
      socket.addEventListener("close", ({ code }) => resolve(code));
    });
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.pages[Symbol.asyncDispose]();
    await super[Symbol.asyncDispose]();
  }
}

describe("the server of the page", () => {
  test("gives out its files, which may load nothing else and stand in no other page", async () => {
    await using site = new PageSite();
    const answer = await site.get("/");
    expect([answer.status, await answer.text()]).toEqual([200, "<title>page</title>"]);
    const policy = answer.headers.get("content-security-policy") ?? "";
    for (const rule of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "trusted-types 'none'"])
      expect(policy).toContain(rule);
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
    expect(answer.headers.get("referrer-policy")).toBe("no-referrer");
  });

  test.each([["/none"], ["/constructor"], ["/../page.ts"], ["/socket/x"]])("has nothing at %s", async (path) => {
    await using site = new PageSite();
    expect((await site.get(path)).status).toBe(404);
  });

  test("listens on the loopback address alone", async () => {
    await using site = new PageSite();
    expect(site.link.hostname).toBe("127.0.0.1");
  });

  test("answers under its own address only, so that no other name can be pointed at it", async () => {
    await using site = new PageSite();
    for (const host of ["evil.test", `evil.test:${site.link.port}`, "127.0.0.1", `localhost:${site.link.port}`])
      expect((await site.get("/", { Host: host })).status).toBe(403);
  });

  test("admits a browser once for each link, and only from its own page", async () => {
    await using site = new PageSite();
    expect((await site.admit(site.key, "http://evil.test")).status).toBe(403);
    expect((await site.get("/admission", {}, { method: "POST", body: site.key })).status).toBe(403);
    const admitted = await site.admit(site.key);
    expect(admitted.status).toBe(200);
    const secret = await admitted.text();
    expect(secret).not.toBe(site.key);
    expect((await site.admit(site.key)).status).toBe(403);
    expect((await site.admit("")).status).toBe(403);
    expect(await site.talk({ secret }, { id: 1, ask: "hello" })).toMatchObject({ id: 1, result: { jobs: [] } });
    // After a reload the browser comes back with its secret.
    expect(await site.talk({ secret }, { id: 1, ask: "hello" })).toMatchObject({ id: 1 });
  });

  test.each([[{ secret: "x" }], [{ secret: 7 }], [{}], [null], [{ id: 1, ask: "hello" }]])(
    "closes a page that says %j first",
    async (first) => {
      await using site = new PageSite();
      expect(await site.talk(first, { id: 1, ask: "hello" })).toBe(4401);
    },
  );

  test("takes no socket from another page, or from none", async () => {
    await using site = new PageSite();
    const secret = await (await site.admit(site.key)).text();
    for (const headers of [{ Origin: "http://evil.test" }, { Origin: "null" }, {}] as Record<string, string>[])
      expect(await site.talk({ secret }, { id: 1, ask: "hello" }, headers)).not.toHaveProperty("id");
  });

  test("refuses a question that is larger than any is", async () => {
    await using site = new PageSite();
    const secret = await (await site.admit(site.key)).text();
    expect(await site.talk({ secret }, { id: 1, ask: "say", text: "x".repeat(5_000_000) })).toBe(1009);
  });
});

describe("the keys of links", () => {
  test("are long, differ, and only the newest wait", () => {
    const keys = new PageKeys();
    const issued = Array.from({ length: 20 }, () => keys.issue());
    expect(new Set(issued).size).toBe(20);
    expect(issued[0]?.length).toBeGreaterThanOrEqual(32);
    expect(keys.admit(issued[0] as string)).toBeUndefined();
    expect(keys.admit(issued[19] as string)).toBeString();
    expect(keys.knows(issued[18] as string)).toBe(false);
  });
});
