/** What a page asks of the application behind it, over a server in memory. */
import { describe, expect, test } from "bun:test";
import { CommError, TransportError } from "../../lib/errors.ts";
import { AppSite } from "../support/app-site.ts";
import { until } from "../support/until.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

async function connected(): Promise<AppSite> {
  const site = new AppSite();
  await until(() => site.app.link.facts.state === "up");
  return site;
}

const names = (parts: { name: string }[]) => parts.map(({ name }) => name).sort();

describe("a page", () => {
  test("learns at its start who and where it is, and what has happened", async () => {
    await using site = await connected();
    const { result } = await site.page().ask({ ask: "hello" });
    expect(result).toMatchObject({
      names: { server: "lab", here: "laptop" },
      link: { state: "up", name: "Client01", role: "write" },
      jobs: [],
      messages: [],
    });
  });

  test("sees one folder at a time, on both sides", async () => {
    await using site = await connected();
    for (const path of ["a.txt", "docs/b.txt", "docs/deep/c.txt", "[x]/d.txt"])
      site.server.storage.set(path, bytes(path));
    site.here.set("mine", bytes("mine"));
    const page = site.page();
    const root = await page.ask({ ask: "list", side: "there", path: "" });
    expect(names(root.parts)).toEqual(["[x]", "a.txt", "docs"]);
    expect(root.result).toEqual({ path: "", entries: 3, leftOut: 0 });
    const docs = await page.ask({ ask: "list", side: "there", path: "docs" });
    expect(docs.parts).toMatchObject([
      { name: "b.txt", kind: "file", size: 10 },
      { name: "deep", kind: "folder" },
    ]);
    expect(docs.result).toEqual({ path: "docs", parent: "", entries: 2, leftOut: 0 });
    // A name that is a pattern is a name all the same.
    expect(names((await page.ask({ ask: "list", side: "there", path: "[x]" })).parts)).toEqual(["d.txt"]);
    expect(names((await page.ask({ ask: "list", side: "here", path: "" })).parts)).toEqual(["mine"]);
  });

  test.each([
    [{ ask: "list", side: "there", path: "none" }, "NOT_FOUND"],
    [{ ask: "list", side: "there", path: "a.txt" }, "NOT_A_FILE"],
    [{ ask: "list", side: "there", path: "../up" }, "BAD_PATH"],
    [{ ask: "makeFolder", side: "there", path: "a.txt" }, "EXISTS"],
    [{ ask: "rename", side: "there", from: "a.txt", to: "b.txt" }, "EXISTS"],
    [{ ask: "remove", side: "there", paths: ["none"] }, "NOT_FOUND"],
    [{ ask: "digest", side: "there", path: "none" }, "NOT_FOUND"],
    [{ ask: "pause", job: 7 }, "USAGE"],
    [{ ask: "format", side: "here" }, "BAD_PARAMS"],
    [{ ask: "list", side: "elsewhere", path: "" }, "BAD_PARAMS"],
    [{ ask: "transfer", from: "there", paths: [], into: "", exists: "ask" }, "BAD_PARAMS"],
  ])("is told why %j can't be", async (question, code) => {
    await using site = await connected();
    for (const path of ["a.txt", "b.txt"]) site.server.storage.set(path, bytes(path));
    await expect(site.page().ask(question)).rejects.toMatchObject({ code });
  });

  test.each([[null], ["text"], [[]], [{ ask: "hello" }], [{ id: -1, ask: "hello" }]])(
    "that sends %j is not answered, and can go on",
    async (message) => {
      await using site = await connected();
      const page = site.page();
      await page.port.take(message);
      expect(page.told.filter((told) => "id" in told && told.id !== -1)).toEqual([]);
      expect((await page.ask({ ask: "hello" })).result).toMatchObject({ jobs: [] });
    },
  );

  test("makes folders, renames and removes", async () => {
    await using site = await connected();
    const page = site.page();
    await page.ask({ ask: "makeFolder", side: "there", path: "new" });
    await page.ask({ ask: "rename", side: "there", from: "new", to: "old" });
    expect(names((await page.ask({ ask: "list", side: "there", path: "" })).parts)).toEqual(["old"]);
    await page.ask({ ask: "remove", side: "there", paths: ["old"] });
    expect((await page.ask({ ask: "list", side: "there", path: "" })).parts).toEqual([]);
  });

  test("finds files by a part of their names, whatever the case", async () => {
    await using site = await connected();
    for (const path of ["Report.pdf", "docs/annual report/x.txt", "docs/y.txt"])
      site.server.storage.set(path, bytes(path));
    const { parts, result } = await site.page().ask({ ask: "search", side: "there", path: "", text: "REPORT" });
    expect(names(parts)).toEqual(["Report.pdf", "docs/annual report"]);
    expect(result).toMatchObject({ entries: 2, isCut: false });
  });

  test("gets a thousand finds at most, and is told that there are more", async () => {
    await using site = await connected();
    for (let count = 0; count < 1_200; count++) site.server.storage.set(`f${count}`, bytes("x"));
    const { parts, result } = await site.page().ask({ ask: "search", side: "there", path: "", text: "f" });
    expect(parts).toHaveLength(1_000);
    expect(result).toMatchObject({ entries: 1_000, isCut: true });
  });

  test("moves files, and every page is told", async () => {
    await using site = await connected();
    site.server.storage.set("a.txt", bytes("content"));
    const [page, other] = [site.page(), site.page()];
    const { result } = await page.ask({ ask: "transfer", from: "there", paths: ["a.txt"], into: "", exists: "ask" });
    expect(result).toBe(1);
    for (const each of [page, other]) await until(() => each.events("job").some(({ job }) => job.state === "done"));
    expect((await site.here.load("a.txt", 100))?.bytes).toEqual(bytes("content"));
    expect(other.events("job").at(-1)).toMatchObject({ job: { id: 1, files: { done: 1 }, bytes: { done: 7 } } });
  });

  test.each([
    ["overwrite", "theirs", ["a.txt"]],
    ["rename", "mine", ["a (2).txt", "a.txt"]],
    ["skip", "mine", ["a.txt"]],
  ])("answers %s for a file that exists", async (answer, content, present) => {
    await using site = await connected();
    site.server.storage.set("a.txt", bytes("theirs"));
    site.here.set("a.txt", bytes("mine"));
    const page = site.page();
    await page.ask({ ask: "transfer", from: "there", paths: ["a.txt"], into: "", exists: "ask" });
    await until(() => page.events("job").some(({ job }) => job.state === "asking"));
    await page.ask({ ask: "resolve", job: 1, with: answer });
    await until(() => page.events("job").some(({ job }) => job.state === "done"));
    expect((await site.here.load("a.txt", 100))?.bytes).toEqual(bytes(content));
    expect(names((await page.ask({ ask: "list", side: "here", path: "" })).parts)).toEqual(present);
  });

  test("is told when a folder that it follows changes, until it follows another", async () => {
    await using site = await connected();
    const page = site.page();
    await page.ask({ ask: "follow", side: "there", path: "" });
    await until(() => {
      site.server.storage.set("new", bytes("x"));
      return page.events("changed").length > 0;
    });
    expect(page.events("changed")[0]).toEqual({ event: "changed", side: "there", path: "" });
  });

  test("that is closed is told nothing more", async () => {
    await using site = await connected();
    const page = site.page();
    page.port.close();
    const before = page.told.length;
    await site.app.conversation.send({ send: async () => ({ text: "", delivered: [], failed: [] }) }, "hi", undefined);
    expect(page.told.length).toBe(before);
  });

  test("talks to others, who learn when no page could show their words", async () => {
    await using site = await connected();
    await using other = new AppSite(undefined, site.server);
    await until(() => other.app.link.facts.state === "up");
    const page = site.page();
    await page.ask({ ask: "say", text: "hello", to: "Client02" }).catch(() => {});
    expect(page.events("message").at(-1)).toMatchObject({ message: { delivery: "failed" } });
    const theirs = other.page();
    await page.ask({ ask: "say", text: "hello again", to: "Client02" });
    expect(theirs.events("message").at(-1)).toMatchObject({ message: { from: "Client01", text: "hello again" } });
    expect(page.events("message").at(-1)).toMatchObject({ message: { delivery: "delivered", to: "Client02" } });
  });
});

describe("the session behind a page", () => {
  test("waits for a server that is not there yet, and says so", async () => {
    const refusals = Array(3).fill(new TransportError("CANNOT_CONNECT", "Nobody listens there."));
    await using site = new AppSite(undefined, undefined, refusals);
    const page = site.page();
    await expect(page.ask({ ask: "list", side: "there", path: "" })).rejects.toMatchObject({ code: "CANNOT_CONNECT" });
    await until(() => site.app.link.facts.state === "up");
  });

  test("ends with the refusal of a server that will never let it in", async () => {
    await using site = new AppSite(undefined, undefined, [new CommError("ACCESS_DENIED", "The token is not valid.")]);
    expect(await site.running).toMatchObject({ code: "ACCESS_DENIED" });
    expect(site.app.link.facts).toMatchObject({ state: "over", error: { code: "ACCESS_DENIED" } });
  });

  test("comes back after its link was lost, under its name, and pages are told", async () => {
    await using site = await connected();
    const page = site.page();
    site.links[0]?.abort();
    await until(() => site.links.length === 2 && site.app.link.facts.state === "up");
    expect(page.events("link").map(({ link }) => link.state)).toContain("lost");
    expect(site.app.link.facts.name).toBe("Client01");
  });

  test("stays away when the operator has ended it", async () => {
    await using site = await connected();
    const { name } = site.app.link.connection.client;
    site.server.server.kick(name, "You have to go.");
    expect(await site.running).toMatchObject({ code: "KICKED" });
    expect(site.app.link.facts).toMatchObject({ state: "over", error: { code: "KICKED" } });
  });
});
