/** Files on disks whose times have whole seconds: two states within one second never have one tag that anything matches. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import { DISKS } from "../support/disks.ts";
import { isSkipped, namedWhy } from "../support/launched.ts";
import { type WebAnswer, WebSite } from "../support/web-site.ts";

const words = ({ status, body }: WebAnswer) => `${status} ${body}`;

/** The file "docs/a" in a state of this second, in place of the one before. */
function write(site: WebSite, content: string): void {
  mkdirSync(site.folder.join("docs"), { recursive: true });
  const second = Math.floor(site.access.clock.wallTime() / 1_000);
  writeFileSync(site.folder.join("docs", "a"), content);
  utimesSync(site.folder.join("docs", "a"), second, second);
}

const start = () => WebSite.start({ writable: true, mayWrite: true });
const tagOf = ({ headers }: WebAnswer) => headers["etag"] ?? "";

describe("a file of this second, whose time has whole seconds,", () => {
  test("is never taken for the state before, by any condition", async () => {
    await using site = await start();
    write(site, "one");
    const old = tagOf(await site.ask("/files/docs/a"));
    write(site, "two");
    const ask = (headers: Record<string, string>) => site.ask("/files/docs/a", { headers });
    expect(words(await ask({ "if-range": old, range: "bytes=1-" }))).toBe("200 two");
    expect(words(await ask({ "if-none-match": old }))).toBe("200 two");
    expect((await ask({ "if-match": old })).status).toBe(412);
    expect((await site.ask(`/files/docs/a?etag=${encodeURIComponent(old.replace(/^(W\/)?"|"$/g, ""))}`)).status).toBe(
      412,
    );
    const put = await site.change("PUT", "/files/docs/a", { headers: { "if-match": old }, body: "lost" });
    expect(put.status).toBe(412);
    expect(words(await site.ask("/files/docs/a"))).toBe("200 two");
  });

  test("has a weak tag in the answers of PUT, in lists and in PROPFIND", async () => {
    await using site = await start();
    const now = `${Math.floor(site.access.clock.wallTime() / 1_000)}`;
    const put = await site.change("PUT", "/files/docs/a", { headers: { "x-oc-mtime": now }, body: "one" });
    expect([put.status, tagOf(put)]).toEqual([201, expect.stringMatching(/^W\/"/)]);
    const list = await site.ask("/files/docs/?format=json");
    expect(JSON.parse(`${list.body}`).entries[0].etag).toStartWith('W/"');
    const found = await site.ask("/files/docs/", { method: "PROPFIND", headers: { depth: "1" } });
    expect(`${found.body}`).toContain("<D:getetag>W/&#34;");
  });

  test("makes the tag of an archive weak, too", async () => {
    await using site = await start();
    write(site, "one");
    const old = tagOf(await site.ask("/files/docs/?archive=tar"));
    write(site, "two");
    const headers = { "if-range": old, range: "bytes=600-" };
    expect((await site.ask("/files/docs/?archive=tar", { headers })).status).toBe(200);
  });

  test("has a strong tag two seconds later", async () => {
    await using site = await start();
    write(site, "one");
    await site.access.clock.advance(2_000);
    const tag = tagOf(await site.ask("/files/docs/a"));
    expect(tag).toStartWith('"');
    expect((await site.ask("/files/docs/a", { headers: { "if-none-match": tag } })).status).toBe(304);
    expect(words(await site.ask("/files/docs/a", { headers: { "if-range": tag, range: "bytes=1-" } }))).toBe("206 ne");
    const put = await site.change("PUT", "/files/docs/a", { headers: { "if-match": tag }, body: "two" });
    expect(put.status).toBe(204);
  });
});

test("a file of any other time has a strong tag from the first moment", async () => {
  await using site = await start();
  const put = await site.change("PUT", "/files/a", { headers: { "x-oc-mtime": "1500000000" }, body: "one" });
  expect(tagOf(put)).toStartWith('"');
});

const [coarse] = DISKS.filter(({ timeStep }) => timeStep === 1_000);
test.skipIf(coarse === undefined || isSkipped(coarse.missing))(
  namedWhy(
    "states that come by PUT within one second, on a disk of whole seconds, have tags of their own",
    coarse?.missing,
  ),
  async () => {
    if (coarse === undefined) return;
    await using disk = await coarse.open();
    const storage = await LocalStorage.at(disk.path);
    await using site = await WebSite.start({ writable: true, mayWrite: true, storage });
    const { clock } = site.access;
    const tags = new Set<string>();
    for (let state = 0; state < 10; state++) {
      clock.skewMs += Date.now() - clock.wallTime();
      tags.add(tagOf(await site.change("PUT", "/files/a", { body: `state ${state}` })));
    }
    expect(tags.size).toBe(10);
  },
);
