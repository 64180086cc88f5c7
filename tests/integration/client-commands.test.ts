/** The client's commands against a server, all in this process. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Command } from "../../lib/cli/command.ts";
import type { ConsoleIo } from "../../lib/cli/console-io.ts";
import { EXIT } from "../../lib/cli/exit-codes.ts";
import { parseFlags } from "../../lib/cli/flags.ts";
import { consoleCommand } from "../../lib/cli/server/console.ts";
import { readSettings, SERVE_FLAGS } from "../../lib/cli/server/serve-flags.ts";
import { Daemon } from "../../lib/daemon/daemon.ts";
import { faultOf } from "../support/fault.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { TestIo } from "../support/test-io.ts";
import { wholeClient } from "../support/whole-programs.ts";

let folder: TempFolder;
let daemon: Daemon;
let before: string | undefined;

beforeAll(async () => {
  folder = new TempFolder();
  before = process.env["XDG_STATE_HOME"];
  process.env["XDG_STATE_HOME"] = folder.join("home");
  mkdirSync(folder.join("repository"));
  const argv = ["--repository", folder.join("repository"), "--state-dir", folder.join("state"), "--writable"];
  const settings = readSettings(parseFlags([...argv, "--host", "127.0.0.1", "--port", "0"], SERVE_FLAGS));
  const program = { agent: "test/1", trace: <T>(transport: T) => transport };
  daemon = await Daemon.start(settings, { ...program, canShowInvite: false, onStopRequest() {} });
}, 120_000);

afterAll(async () => {
  await daemon.stop();
  if (before === undefined) delete process.env["XDG_STATE_HOME"];
  else process.env["XDG_STATE_HOME"] = before;
  folder[Symbol.dispose]();
});

beforeEach(() => {
  for (const place of ["repository", "here"]) rmSync(folder.join(place), { recursive: true, force: true });
  for (const place of ["repository", "repository/docs", "here"]) mkdirSync(folder.join(place));
  writeFileSync(folder.join("repository/a.txt"), "alpha");
  writeFileSync(folder.join("repository/docs/b.txt"), "beta");
});

async function run(name: string, ...argv: string[]) {
  const command = wholeClient.commands[name] as Command;
  const io = new TestIo();
  const place = ["--server", `127.0.0.1:${daemon.serving.port}`, "--state-dir", folder.join("client")];
  // As that of a process: members that work by themselves.
  const own: ConsoleIo = {
    ...io,
    out: (text) => io.out(text),
    note: (line) => io.note(line),
    log: (lines) => io.log(lines),
    show: (lines, to) => io.show(lines, to),
    flush: () => io.flush(),
  };
  const exit = await command.run(parseFlags([...place, ...argv], command.args), own);
  return { exit, out: io.written.join(""), notes: io.notes };
}

async function operate(...argv: string[]) {
  const io = new TestIo();
  const place = ["--state-dir", folder.join("state")];
  const exit = await consoleCommand.run(parseFlags([...place, ...argv], consoleCommand.args), io);
  return { exit, out: io.written.join("") };
}

/** The records in an output, without those events that are a matter of time. */
const records = (text: string, without?: string) =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line))
    .filter(({ event }) => event === undefined || event !== without);
const here = (...names: string[]) => folder.join("here", ...names);
const there = (...names: string[]) => folder.join("repository", ...names);

describe("the commands that ask", () => {
  test("list shows the repository, or all of it as one JSON array", async () => {
    const shown = await run("list");
    expect([shown.exit, shown.notes]).toEqual([0, []]);
    expect(
      shown.out
        .trimEnd()
        .split("\n")
        .map((line) => line.split(/\s+/).at(-1)),
    ).toEqual(["a.txt", "docs/", "docs/b.txt"]);
    const entries = JSON.parse((await run("list", "docs", "--json")).out);
    expect(entries).toEqual([{ path: "docs/b.txt", kind: "file", size: 4, modifiedAt: expect.any(Number) }]);
    expect((await run("list", "*.md", "--json")).out).toBe("[]\n");
    expect((await run("list", "*.md")).notes).toEqual(['Nothing matches "*.md".']);
  });

  test("status shows the session's own name, for people and for programs", async () => {
    expect((await run("status")).out).toMatch(/^You are Client\d+, from 127\.0\.0\.1:\d+\.\nServer: test\/1, up /);
    const { self, sessions } = JSON.parse((await run("status", "--json", "--limit", "1")).out);
    expect(sessions).toHaveLength(1);
    expect(sessions[0].name).toBe(self.name);
  });

  test("ping measures", async () => {
    expect((await run("ping", "--count", "2")).out).toStartWith("2 round trips: ");
    expect(JSON.parse((await run("ping", "--count", "1", "--json")).out)).toMatchObject({ count: 1 });
  });

  test("digest shows the SHA-256 of one file, and of several with what failed", async () => {
    const sha256 = createHash("sha256").update("alpha").digest("hex");
    expect((await run("digest", "a.txt")).out).toBe(`${sha256}  a.txt\n`);
    const several = await run("digest", "a.txt", "none", "docs/b.txt", "--json");
    expect(several.exit).toBe(EXIT.NOT_FOUND);
    expect(
      records(several.out)
        .map(({ path }) => path)
        .sort(),
    ).toEqual(["a.txt", "docs/b.txt"]);
    expect(several.notes.map((note) => JSON.parse(note).error.code)).toEqual(["NOT_FOUND"]);
  });

  test("digest shows what is in folders and patterns, with names from the top or from a folder", async () => {
    const line = (content: string, path: string) => `${createHash("sha256").update(content).digest("hex")}  ${path}\n`;
    expect((await run("digest", "docs", "*.txt")).out).toBe(line("beta", "docs/b.txt") + line("alpha", "a.txt"));
    expect((await run("digest", "--in", "docs")).out).toBe(line("beta", "b.txt"));
    expect((await run("digest", "--in", "docs/", "*.txt")).out).toBe(line("beta", "b.txt"));
    expect(await faultOf(() => run("digest"))).toMatchObject({ code: "USAGE", message: "Missing argument: PATH." });
  });

  test("digest --check has the words of sha256sum, and fails when a file differs or is missing", async () => {
    const list = (lines: string[]) => writeFileSync(here("sums"), `${lines.join("\n")}\n`);
    const [alpha, beta] = ["alpha", "beta"].map((content) => createHash("sha256").update(content).digest("hex"));
    list([`${alpha}  ./a.txt`, `${beta} *docs/b.txt`]);
    const check = (...argv: string[]) => run("digest", "--check", here("sums"), ...argv);
    expect(await check()).toMatchObject({ exit: EXIT.DONE, out: "./a.txt: OK\ndocs/b.txt: OK\n", notes: [] });
    list([`${beta}  a.txt`, "# comment", "", "no digest", `${alpha}  none`, `${beta}  docs/b.txt`, `${alpha}  /a`]);
    const told = await check();
    expect(told.exit).toBe(EXIT.INCOMPLETE);
    expect(told.out).toBe("a.txt: FAILED\nnone: FAILED open or read\ndocs/b.txt: OK\n/a: FAILED open or read\n");
    expect(told.notes.slice(2)).toEqual([
      "commserver-client: WARNING: 1 line is improperly formatted",
      "commserver-client: WARNING: 2 listed files could not be read",
      "commserver-client: WARNING: 1 computed checksum did NOT match",
    ]);
    const events = records((await check("--json")).out);
    expect(events.map(({ path, outcome, code }) => [path, outcome, code])).toEqual([
      ["a.txt", "failed", undefined],
      ["none", "unread", "NOT_FOUND"],
      ["docs/b.txt", "ok", undefined],
      ["/a", "unread", "BAD_PATH"],
      [undefined, undefined, undefined],
    ]);
    expect(events.at(-1)).toEqual({ event: "finished", ok: 1, failed: 1, unread: 2, missing: 0, malformed: 1 });
  });

  test("digest --check takes the flags of sha256sum, and a folder in which the names begin", async () => {
    const beta = createHash("sha256").update("beta").digest("hex");
    writeFileSync(here("sums"), `${beta}  b.txt\n${beta}  none\nmore\n`);
    const check = (...argv: string[]) => run("digest", "--check", here("sums"), ...argv);
    const quiet = await check("--in", "docs", "--quiet", "--ignore-missing");
    expect(quiet).toMatchObject({ exit: EXIT.DONE, out: "" });
    expect((await check("--in", "docs", "--strict", "--ignore-missing")).exit).toBe(EXIT.INCOMPLETE);
    const none = await check("--ignore-missing");
    expect(none).toMatchObject({ exit: EXIT.INCOMPLETE, out: "" });
    expect(none.notes.at(-1)).toEndWith("sums: no file was verified");
    writeFileSync(here("sums"), "more\n");
    expect((await faultOf(() => check())).message).toEndWith("sums: no properly formatted checksum lines found");
    expect((await faultOf(() => check("a.txt"))).code).toBe("USAGE");
    expect((await faultOf(() => run("digest", "a.txt", "--quiet"))).message).toBe("--quiet is for --check.");
  });

  test("send has the server's answer", async () => {
    expect((await run("send", "hello")).out).toBe("hello ACK\n");
    expect(JSON.parse((await run("send", "hello", "--json")).out)).toMatchObject({ text: "hello ACK" });
    expect((await faultOf(() => run("send", "hi", "--to", "Nobody"))).code).toBe("NO_SUCH_CLIENT");
    expect((await run("send", "hi", "--to", "all")).out).toBe("Delivered to nobody.\n");
    const both = await faultOf(() => run("send", "-", "--token-file", "-"));
    expect([both.code, both.message]).toEqual(["USAGE", "Standard input can't be both the message and a secret."]);
  });
});

describe("the commands that change", () => {
  test("remove takes patterns, with --yes where nobody can be asked, and shows first what it would do", async () => {
    for (const name of ["x.tmp", "docs/y.tmp", "docs/sub/z.tmp"]) {
      mkdirSync(dirname(there(name)), { recursive: true });
      writeFileSync(there(name), name);
    }
    const all = ["docs/sub/z.tmp", "docs/y.tmp", "x.tmp"];
    const lines = (text: string) => text.trimEnd().split("\n").sort();
    expect(await faultOf(() => run("remove", "**/*.tmp"))).toMatchObject({ code: "USAGE" });
    const dry = await run("remove", "**/*.tmp", "--dry-run");
    expect(lines(dry.out)).toEqual(all.map((name) => `Would remove ${name}`));
    for (const name of all) expect(existsSync(there(name))).toBe(true);
    expect(lines((await run("remove", "**/*.tmp", "--yes")).out)).toEqual(all.map((name) => `Removed ${name}`));
    expect(readdirSync(there(), { recursive: true }).sort()).toEqual(["a.txt", "docs", "docs/b.txt", "docs/sub"]);
  });

  test("remove takes folders that a pattern matches only with --recursive, and each once", async () => {
    mkdirSync(there("docs/sub"));
    writeFileSync(there("docs/sub/c.txt"), "c");
    const only = await faultOf(() => run("remove", "doc*", "--yes"));
    expect(only).toMatchObject({ code: "NOT_EMPTY", message: 'Only folders match "doc*".' });
    expect((await run("remove", "docs/*", "--yes", "--dry-run")).out).toBe("Would remove docs/b.txt\n");
    expect((await run("remove", "docs/**", "--yes", "-r", "-n")).out).toBe(
      "Would remove docs/b.txt\nWould remove docs/sub/\n",
    );
    expect(records((await run("remove", "d*", "-r", "-y", "--json")).out)).toEqual([
      { event: "removed", path: "docs" },
    ]);
    expect(readdirSync(there())).toEqual(["a.txt"]);
    expect((await faultOf(() => run("remove", "d*", "-r", "-y"))).code).toBe("NOT_FOUND");
  });

  test("du shows as many levels as asked for, and counts each file once", async () => {
    mkdirSync(there("docs/sub"));
    writeFileSync(there("docs/sub/c.txt"), "gamma!");
    const usages = async (...argv: string[]) =>
      (JSON.parse((await run("du", "--json", ...argv)).out) as { path: string; bytes: number }[])
        .map(({ path, bytes }) => `${path} ${bytes}`)
        .sort();
    expect(await usages()).toEqual(["a.txt 5", "docs 10"]);
    expect(await usages("--depth", "0")).toEqual([" 15"]);
    expect(await usages("--depth", "2")).toEqual(["a.txt 5", "docs 10", "docs/b.txt 4", "docs/sub 6"]);
    expect(await usages("--depth", "1", "docs", "a.txt")).toEqual(["a.txt 5", "docs/b.txt 4", "docs/sub 6"]);
    expect((await run("du", "--depth", "2")).out).toMatch(/15 B +3 +in all\n$/);
  });

  test("rename moves into a folder, and several into one", async () => {
    expect((await run("rename", "a.txt", "docs/")).out).toBe("Renamed a.txt to docs/a.txt\n");
    expect((await run("rename", "docs/a.txt", ".")).out).toBe("Renamed docs/a.txt to a.txt\n");
    const several = await run("rename", "a.txt", "none", "docs/b.txt", "both", "--json");
    expect(records(several.out)).toEqual([
      { event: "renamed", from: "a.txt", to: "both/a.txt" },
      { event: "renamed", from: "docs/b.txt", to: "both/b.txt" },
    ]);
    expect(several.exit).toBe(EXIT.NOT_FOUND);
    expect((await faultOf(() => run("rename", "both/a.txt", "both"))).code).toBe("EXISTS");
    expect(readdirSync(there("both")).sort()).toEqual(["a.txt", "b.txt"]);
  });

  test("remove --dry-run fails where a run would", async () => {
    expect((await faultOf(() => run("remove", "none", "--dry-run"))).code).toBe("NOT_FOUND");
    expect((await faultOf(() => run("remove", "docs", "--dry-run"))).code).toBe("NOT_EMPTY");
    expect((await run("remove", "docs", "-r", "--dry-run")).out).toBe("Would remove docs/\n");
    expect((await run("remove", "a.txt", "--dry-run", "--json")).out).toBe('{"event":"would-remove","path":"a.txt"}\n');
    expect(existsSync(there("a.txt"))).toBe(true);
  });

  test("rename and remove say what they did", async () => {
    expect((await run("rename", "a.txt", "docs/c.txt")).out).toBe("Renamed a.txt to docs/c.txt\n");
    expect(JSON.parse((await run("rename", "docs/c.txt", "c", "--json")).out)).toEqual({
      event: "renamed",
      from: "docs/c.txt",
      to: "c",
    });
    expect((await faultOf(() => run("rename", "c", "docs/b.txt"))).code).toBe("EXISTS");
    await run("rename", "c", "docs/b.txt", "--overwrite");
    expect(readFileSync(there("docs/b.txt"), "utf8")).toBe("alpha");
    expect((await faultOf(() => run("remove", "docs"))).code).toBe("NOT_EMPTY");
    expect(JSON.parse((await run("remove", "docs", "--recursive", "--json")).out)).toEqual({
      event: "removed",
      path: "docs",
    });
    expect(readdirSync(there())).toEqual([]);
  });

  test("put stores files and folders, under the names that are asked for", async () => {
    writeFileSync(here("x"), "xx");
    expect(await run("put", here("x"))).toEqual({ exit: 0, out: "Sent x (2 B, verified)\n", notes: [] });
    expect((await run("put", here("x"), "--to", "in/box", "--as", "y")).out).toBe(
      "Sent x as in/box/y (2 B, verified)\n",
    );
    expect(readFileSync(there("in/box/y"), "utf8")).toBe("xx");
    mkdirSync(here("d"));
    writeFileSync(here("d/z"), "zzz");
    const events = records((await run("put", here("d"), "--json")).out, "progress").map(({ event }) => event);
    expect(events.sort()).toEqual(["done", "done", "finished", "started"]);
    expect(readFileSync(there("d/z"), "utf8")).toBe("zzz");
  });

  test("put leaves existing files alone by default", async () => {
    // Of another size: a file of the same size and the same time counts as the same.
    writeFileSync(here("a.txt"), "others");
    const put = (...flags: string[]) => run("put", here("a.txt"), ...flags);
    expect(await put()).toMatchObject({ exit: EXIT.CONFLICT });
    expect((await put("--skip-existing")).out).toBe("Skipped a.txt: it exists\n");
    expect((await put("--rename")).out).toBe("Sent a.txt as a (2).txt (6 B, verified)\n");
    expect(readFileSync(there("a.txt"), "utf8")).toBe("alpha");
    const sha256 = createHash("sha256").update("others").digest("hex");
    expect((await put("--overwrite", "--digest")).out).toBe(`Sent a.txt (6 B, verified)  ${sha256}\n`);
    expect(readFileSync(there("a.txt"), "utf8")).toBe("others");
    const empty = await faultOf(() => run("put", ""));
    expect(empty.message).toBe('"" names nothing to send; for the current folder: put .');
  });
});

describe("get", () => {
  test("fetches into a folder that exists, or is named as one", async () => {
    const first = await run("get", "a.txt", "--output", here());
    expect(first).toEqual({ exit: 0, out: `Fetched a.txt as ${here("a.txt")} (5 B, verified)\n`, notes: [] });
    expect((await run("get", "docs", "a.txt", "--output", `${here("new/deep")}/`)).exit).toBe(0);
    expect(readFileSync(here("new/deep/docs/b.txt"), "utf8")).toBe("beta");
    expect((await run("get", "a.txt", "--output", here(), "--json")).out).toContain('"outcome":"unchanged"');
  });

  test("gives a single file the name of the output, or the one of --as", async () => {
    await run("get", "a.txt", "--output", here("renamed"));
    expect(readFileSync(here("renamed"), "utf8")).toBe("alpha");
    const named = await run("get", "docs", "--as", "papers", "--output", here());
    expect([named.exit, readFileSync(here("papers/b.txt"), "utf8")]).toEqual([0, "beta"]);
    // Several go into a folder of that name.
    await run("get", "a.txt", "docs/b.txt", "--output", here("both"));
    expect(readdirSync(here("both")).sort()).toEqual(["a.txt", "b.txt"]);
  });

  test("verifies with SHA-256 where that is asked for", async () => {
    const sha256 = createHash("sha256").update("alpha").digest("hex");
    expect((await run("get", "a.txt", "--output", here(), "--digest")).out).toEndWith(`(5 B, verified)  ${sha256}\n`);
  });

  test("writes files to standard output in their order, and says nothing else there", async () => {
    const { exit, out, notes } = await run("get", "docs/b.txt", "a.txt", "--output", "-");
    expect({ exit, out, notes }).toEqual({
      exit: 0,
      out: "betaalpha",
      notes: [expect.stringMatching(/^Fetched 2 files, 9 B in /)],
    });
    const failed = await run("get", "none", "a.txt", "--output", "-");
    expect([failed.exit, failed.out]).toEqual([EXIT.NOT_FOUND, "alpha"]);
  });

  test.each(["--as=b", "--overwrite", "--skip-existing", "--rename", "--digest", "--json"])(
    "refuses %s with standard output",
    async (flag) => {
      const { code, message } = await faultOf(() => run("get", "a.txt", "--output", "-", flag));
      const name = flag.replace(/=.*/, "");
      expect([code, message]).toEqual(["USAGE", `${name} can't be used with standard output (--output -).`]);
    },
  );

  test("goes on after what fails, and makes no folder for nothing", async () => {
    const { exit, notes } = await run("get", "none", "--output", here("new/"));
    expect([exit, notes[0]]).toEqual([EXIT.NOT_FOUND, expect.stringMatching(/^commserver-client: /)]);
    expect(existsSync(here("new"))).toBe(false);
    const some = await run("get", "none", "a.txt", "--output", here());
    expect([some.exit, readFileSync(here("a.txt"), "utf8")]).toEqual([EXIT.NOT_FOUND, "alpha"]);
    expect((await run("get", "a.txt", "--output", here("a/name"))).exit).toBe(0);
    expect(readFileSync(here("a/name"), "utf8")).toBe("alpha");
  });
});

describe("console", () => {
  test("runs one command of the operator, for people and for programs", async () => {
    expect(await operate("unfinished")).toEqual({ exit: 0, out: "Nothing is unfinished.\n" });
    expect(JSON.parse((await operate("unfinished", "--json")).out)).toEqual({
      text: "Nothing is unfinished.",
      unfinished: [],
    });
    for (let session = 0; session < 2; session++) await run("ping", "--count", "1");
    expect((await operate("status", "--limit", "1")).out).toContain("… and ");
    expect((await operate("drain")).out).toBe("New clients are not admitted.\n");
    expect((await operate("drain", "off")).out).toBe("Clients are admitted again.\n");
  });

  test.each([
    [["--json"], "The console is for people; use --json with a command, such as console status."],
    [["status", "--plaintext"], "--plaintext is only for --server; the console of this machine does not need it."],
    [["status", "--accept-new"], "--accept-new is only for --server; the console of this machine does not need it."],
    [["drain", "--limit", "1"], "--limit is only for console status."],
  ])("refuses %j", async (argv, message) => {
    const fault = await faultOf(() => operate(...argv));
    expect([fault.code, fault.message]).toEqual(["USAGE", message]);
  });

  test("of another machine needs a token of the role operator", async () => {
    const { code, message } = await faultOf(() => operate("status", "--server", `127.0.0.1:${daemon.serving.port}`));
    expect([code, message]).toEqual(["NOT_ALLOWED", 'This token has the role "write"; the console needs "operator".']);
  });
});
