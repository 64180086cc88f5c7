/** The compiled server with --web, and the programs that people have: what docs/http.md says of each of them. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { AccessSite } from "../support/access-site.ts";
import { type Finished, run } from "../support/processes.ts";
import { Random } from "../support/random.ts";

const hasTools = Bun.which("curl") !== null && Bun.which("wget") !== null;
if (!hasTools && Bun.env["CI"] !== "true")
  console.warn("curl or wget is missing: the tests of the HTTP door are skipped");

const NAMES = ["a b", "ü", "%41", "a?b", "a#b", "a&b;c", "co:lon", "+", "x~"];

describe.skipIf(!hasTools && Bun.env["CI"] !== "true")("a server with --web read", () => {
  let site: AccessSite;
  const content = Buffer.from(new Random("web clients").bytes(5 * 1024 * 1024 + 3));

  beforeAll(async () => {
    site = await AccessSite.start("--web", "read");
    writeFileSync(site.folder.join("files", "large"), content);
    mkdirSync(site.folder.join("files", "odd", "deep"), { recursive: true });
    for (const name of NAMES) writeFileSync(site.folder.join("files", "odd", name), `content of ${name}`);
    writeFileSync(site.folder.join("files", "odd", "deep", "x"), "deep");
  });

  afterAll(() => site[Symbol.asyncDispose]());

  const url = (path: string) => `https://localhost:${site.server.port}/files/${path}`;
  const pin = () => site.server.events[0]?.["pin"] as string;
  const program = (name: string, ...args: string[]): Promise<Finished> =>
    // Without a locale of UTF-8, wget asks for other names than the page has.
    run([Bun.which(name) as string, ...args], { cwd: site.folder.path, env: { LC_ALL: "C.UTF-8" } });
  const curl = (...args: string[]) =>
    program("curl", "-sS", "--insecure", "--pinnedpubkey", pin(), "--user", site.token, ...args);
  const wget = (...args: string[]) => {
    const [user = "", secret = ""] = site.token.split(":");
    return program("wget", "-q", "--no-check-certificate", `--user=${user}`, `--password=${secret}`, ...args);
  };
  const isSame = (name: string) => readFileSync(site.folder.join(name)).equals(content);

  test("says so at its start, and who it is for curl", () => {
    expect(site.server.events[0]).toMatchObject({ event: "listening", web: "read" });
    expect(pin()).toMatch(/^sha256\/\/[A-Za-z0-9+/]{43}=$/);
  });

  test("serves curl, which knows it by its pin", async () => {
    expect(await curl("-o", "by-curl", url("large"))).toMatchObject({ exitCode: 0 });
    expect(isSame("by-curl")).toBe(true);
    const wrong = await program(
      "curl",
      "-sS",
      "--insecure",
      "--pinnedpubkey",
      `sha256//${"A".repeat(43)}=`,
      url("large"),
    );
    expect(wrong.exitCode).toBe(90);
  });

  test("lets curl and wget go on with what they have", async () => {
    for (const [name, command] of [
      ["part-of-curl", () => curl("-C", "-", "-o", "part-of-curl", url("large"))],
      ["part-of-wget", () => wget("-c", "-O", "part-of-wget", url("large"))],
    ] as const) {
      writeFileSync(site.folder.join(name), content);
      truncateSync(site.folder.join(name), 1_234_567);
      expect(await command()).toMatchObject({ exitCode: 0 });
      expect([name, isSame(name)]).toEqual([name, true]);
    }
  });

  test("tells them by ?etag= that a file has changed, before they mix it", async () => {
    writeFileSync(site.folder.join("files", "changes"), "one");
    const { stdout } = await curl("-I", url("changes"));
    const [, etag = ""] = /^etag: "(.*)"/im.exec(stdout) ?? [];
    writeFileSync(site.folder.join("files", "changes"), "another");
    const late = await curl("-f", "-C", "2", "-o", "mixed", url(`changes?etag=${etag}`));
    expect(late.exitCode).toBe(22);
  });

  test("gives curl the name of the file", async () => {
    expect(await curl("-OJ", "--output-dir", "files", url("odd/x~"))).toMatchObject({ exitCode: 0 });
    expect(readFileSync(site.folder.join("files", "x~"), "utf8")).toBe("content of x~");
  });

  test("lets wget take a folder with all below it", async () => {
    const args = ["-r", "-np", "-nH", "--cut-dirs=1", "-R", "index.html*", "-P", "tree"];
    expect(await wget(...args, url("odd/"))).toMatchObject({ exitCode: 0 });
    // wget itself decodes a name twice, and saves this one as "A".
    for (const name of NAMES.filter((name) => name !== "%41")) {
      expect(readFileSync(site.folder.join("tree", "odd", name), "utf8")).toBe(`content of ${name}`);
    }
    expect(readFileSync(site.folder.join("tree", "odd", "deep", "x"), "utf8")).toBe("deep");
  });

  test("refuses an invalid token, and requests that would write, before a byte of the body", async () => {
    const none = await program("curl", "-sS", "--insecure", "-w", "%{http_code}", "-o", "answer", url("large"));
    expect(none.stdout).toBe("401");
    expect(readFileSync(site.folder.join("answer"), "utf8")).toStartWith("TOKEN_REQUIRED: ");
    writeFileSync(site.folder.join("sent"), "content");
    const put = await curl(
      "-T",
      "sent",
      "-H",
      "Expect: 100-continue",
      "-w",
      "%{http_code} %{size_upload}",
      "-o",
      "answer",
      url("x"),
    );
    expect(put.stdout).toBe("405 0");
  });

  test("serves its own clients at the same port", async () => {
    const { server } = site;
    const listed = await site.client(["list", "odd", "--server", server.address], {
      env: { COMMSERVER_INVITE: site.invite },
    });
    expect(listed).toMatchObject({ exitCode: 0 });
    expect(listed.stdout).toContain("co:lon");
  });
});

test("a server without --web speaks no HTTP, whatever curl says", async () => {
  await using site = await AccessSite.start();
  expect(site.server.events[0]).toMatchObject({ web: "off" });
  const answer = fetch(`https://localhost:${site.server.port}/files/`, { tls: { rejectUnauthorized: false } });
  await expect(answer).rejects.toThrow();
});
