/** WebDAV, class 1: what PROPFIND tells, and what it does not take. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { SaxesParser } from "saxes";
import { MAX_DAV_BYTES } from "../../lib/gateway/dav-request.ts";
import { BoundedStorage } from "../../lib/storage/bounded.ts";
import { CountedBudget } from "../../lib/storage/counted-budget.ts";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { WebSite } from "../support/web-site.ts";

const NAMES = ["a b", "ü", "%41", "a?b", "a#b", "a&b;<c>", "co:lon", "]]>", "'\""];
const WANTED = ["resourcetype", "getcontentlength", "getetag", "getlastmodified"];

let site: WebSite;

beforeAll(async () => {
  site = await WebSite.start({ writable: true, mayWrite: true });
  mkdirSync(site.folder.join("dir", "sub"), { recursive: true });
  for (const name of NAMES) writeFileSync(site.folder.join("dir", name), `content of ${name}`);
  writeFileSync(site.folder.join("dir", "run"), "", { mode: 0o755 });
  utimesSync(site.folder.join("dir", "ü"), 1_500_000_000, 1_500_000_000);
});

afterAll(() => site[Symbol.asyncDispose]());

const propfind = (names: readonly string[], more = "") =>
  `<?xml version="1.0"?><D:propfind xmlns:D="DAV:"><D:prop>${names.map((name) => `<D:${name}/>`).join("")}${more}</D:prop></D:propfind>`;

async function ask(path: string, body = "", depth: string | undefined = "1") {
  const headers = { ...(depth !== undefined && { depth }), "content-length": `${Buffer.byteLength(body)}` };
  const { status, headers: told, body: answer } = await site.ask(path, { method: "PROPFIND", headers, body });
  return {
    status,
    type: told["content-type"],
    text: answer.toString(),
    responses: status === 207 ? parse(answer.toString()) : [],
  };
}

/** The text of each element of each response, by its local name; folders of names are joined by "/". */
function parse(text: string): Record<string, string>[] {
  const parser = new SaxesParser({ xmlns: true });
  const responses: Record<string, string>[] = [];
  const open: string[] = [];
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("opentag", ({ local }) => {
    if (local === "response") responses.push({});
    open.push(local);
    const last = responses.at(-1);
    if (last !== undefined) last[local] ??= "";
  });
  parser.on("text", (piece) => {
    const last = responses.at(-1);
    const name = open.at(-1) ?? "";
    if (last !== undefined) last[name] = (last[name] ?? "") + piece;
  });
  parser.on("closetag", () => open.pop());
  parser.write(text).close();
  return responses;
}

describe("PROPFIND", () => {
  test("tells of a folder and what is in it, under names that lead back to it", async () => {
    const { status, type, responses } = await ask("/files/dir/", propfind(WANTED));
    expect([status, type]).toEqual([207, "application/xml; charset=utf-8"]);
    expect(responses[0]).toMatchObject({ href: "/files/dir/", collection: "" });
    expect(responses).toHaveLength(NAMES.length + 3);
    for (const response of responses.slice(1)) {
      const { href = "", getcontentlength, getetag } = response;
      if ("collection" in response) continue;
      const { headers, body } = await site.ask(href);
      expect(`${body.length}`).toBe(getcontentlength as string);
      expect(headers["etag"]).toBe(getetag as string);
      expect(headers["last-modified"]).toBe(response["getlastmodified"] as string);
    }
    const names = responses
      .slice(1)
      .map(({ href = "" }) => decodeURIComponent(href.replace(/\/$/, "").split("/").at(-1) ?? ""));
    expect(names.sort()).toEqual([...NAMES, "run", "sub"].sort());
  });

  test("tells of a file, a folder without its slash, and the repository", async () => {
    const file = await ask("/files/dir/%C3%BC", "", "0");
    expect(file.responses).toMatchObject([
      { displayname: "ü", getlastmodified: "Fri, 14 Jul 2017 02:40:00 GMT", executable: "F" },
    ]);
    expect(
      (await ask("/files/dir/run", propfind([], '<executable xmlns="http://apache.org/dav/props/"/>'), "0"))
        .responses[0],
    ).toMatchObject({ executable: "T" });
    expect((await ask("/files/dir", propfind(WANTED), "0")).responses).toMatchObject([
      { href: "/files/dir/", collection: "" },
    ]);
    expect((await ask("/files/", propfind(WANTED))).responses.map(({ href }) => href)).toEqual([
      "/files/",
      "/files/dir/",
    ]);
    expect((await ask("/files/none")).status).toBe(404);
  });

  test("says of what it has not that it is not there", async () => {
    const { text } = await ask(
      "/files/dir/run",
      propfind(["getetag", "lockdiscovery"], '<x xmlns="urn:&lt;&quot;"/><y xmlns=""/>'),
      "0",
    );
    expect(text).toContain("HTTP/1.1 200 OK");
    expect(text).toContain(
      '<D:prop><D:lockdiscovery/><p:x xmlns:p="urn:&#60;&#34;"/><y xmlns=""/></D:prop><D:status>HTTP/1.1 404 Not Found',
    );
  });

  test("tells names alone", async () => {
    const body = '<propfind xmlns="DAV:"><propname/></propfind>';
    expect((await ask("/files/dir/run", body, "0")).text).toContain("<D:getetag/>");
  });

  test("tells the room that a quota leaves", async () => {
    using folder = new TempFolder();
    const limits = { quotaBytes: 1_000, keepFreeBytes: 0 };
    const inner = await LocalStorage.at(folder.path);
    const storage = new BoundedStorage(inner, new CountedBudget(inner, limits, () => 0));
    await using bounded = await WebSite.start({ storage });
    const body = propfind(["quota-available-bytes"]);
    const headers = { depth: "0", "content-length": `${body.length}` };
    const answer = await bounded.ask("/files/", { method: "PROPFIND", headers, body });
    expect(answer.body.toString()).toContain("<D:quota-available-bytes>1000</D:quota-available-bytes>");
  });

  test("takes neither all depths, nor bodies that are too long or no XML", async () => {
    for (const depth of ["infinity", "2", "", undefined]) {
      const headers = depth === undefined ? {} : { depth };
      expect((await site.ask("/files/", { method: "PROPFIND", headers })).status).toBe(403);
    }
    expect((await ask("/files/", " ".repeat(MAX_DAV_BYTES + 1))).status).toBe(413);
    expect((await ask("/files/", "<a")).status).toBe(400);
    expect((await ask("/files/", '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>')).status).toBe(400);
    const headers = { depth: "0", "content-length": "1" };
    expect((await site.ask("/files/", { method: "PROPFIND", headers, body: new Uint8Array([0xff]) })).status).toBe(400);
  });

  test("needs a token, and OPTIONS says what there is", async () => {
    const headers = { depth: "0", authorization: "Basic eDp5" };
    expect((await site.ask("/files/", { method: "PROPFIND", headers })).status).toBe(401);
    expect((await site.ask("/files/", { method: "OPTIONS" })).headers["dav"]).toBe("1");
  });
});

test("PROPPATCH says that nothing can be set", async () => {
  const body = '<propertyupdate xmlns="DAV:"><set><prop><getetag>x</getetag></prop></set></propertyupdate>';
  const headers = { "content-length": `${body.length}` };
  const answer = await site.change("PROPPATCH", "/files/dir/run", { headers, body });
  expect([answer.status, answer.body.toString()]).toEqual([207, expect.stringContaining("403 Forbidden")]);
  expect((await site.ask("/files/dir/run", { method: "PROPPATCH", headers, body })).status).toBe(403);
});

test("locks are none of it", async () => {
  expect((await site.change("LOCK", "/files/dir/run")).status).toBe(405);
});
