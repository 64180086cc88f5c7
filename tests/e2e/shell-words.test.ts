/** The words of the shell, typed and piped, by the compiled programs. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { binaries } from "../support/binaries.ts";
import { FolderSite } from "../support/folder-site.ts";
import { runClient, ServerProcess } from "../support/processes.ts";
import { Screen } from "../support/screen.ts";
import { TempFolder } from "../support/temp-folder.ts";

let site: FolderSite;
beforeEach(async () => {
  site = await FolderSite.open();
  mkdirSync(`${site.repository}/docs`);
  writeFileSync(`${site.repository}/docs/b.md`, "beta\n");
  writeFileSync(`${site.repository}/a.txt`, "alpha\n");
  writeFileSync(`${site.repository}/two words.txt`, "two\n");
}, 180_000);
afterEach(() => site[Symbol.asyncDispose]());

describe("piped lines", () => {
  test("walk through the folders of both sides", async () => {
    mkdirSync(`${site.here}/inbox`, { recursive: true });
    const { exitCode, stdout } = await site.type("cd docs", "pwd", "lcd inbox", "get b.md", "lls", "cat b.md", "ls /");
    expect(exitCode).toBe(0);
    expect(stdout).toContain(
      `/docs\n${site.here}/inbox\nFetched docs/b.md (5 B, verified)\nb.md\nbeta\na.txt\ndocs/\n`,
    );
    expect(readFileSync(`${site.here}/inbox/b.md`, "utf8")).toBe("beta\n");
  });

  test("move several files, and one to another name, as in sftp", async () => {
    const typed = ["get a.txt other.txt", "mget a.txt docs/b.md", "get two words.txt", "get 'a.txt' docs/b.md many/"];
    const { exitCode } = await site.type(...typed);
    expect(exitCode).toBe(0);
    for (const name of ["other.txt", "a.txt", "b.md", "two words.txt", "many/a.txt", "many/b.md"]) {
      expect(existsSync(`${site.here}/${name}`)).toBe(true);
    }
    writeFileSync(`${site.here}/mine`, "mine");
    const sent = await site.type(
      "mkdir in",
      "cd in",
      "put mine",
      "put mine deeper",
      "mv mine ..",
      "rm -r deeper",
      "ls /",
    );
    expect(sent.exitCode).toBe(0);
    expect(sent.stdout).toContain("Sent mine as in/deeper/mine");
    expect(sent.stdout).toEndWith(
      "Renamed in/mine to mine\nRemoved in/deeper\na.txt\ndocs/\nin/\nmine\ntwo words.txt\n",
    );
  });

  test("that are no commands are messages, and a hint says so beside the answer", async () => {
    const { exitCode, stdout, stderr } = await site.type("exit now, thanks", "lsit", "pwd");
    expect(exitCode).toBe(0);
    expect(stdout).toEndWith("exit now, thanks ACK\nlsit ACK\n/\n");
    expect(stderr).toContain('Did you mean the command "list"?');
  });

  test("have names in quotes, also in a part of a word, and make the folders above a destination", async () => {
    const typed = [
      'get "two words.txt" "new place"/deep.txt',
      "get docs/'b.md' copy\\ of",
      'mkdir "x y"/z',
      "ls 'x y'",
    ];
    const { exitCode, stdout } = await site.type(...typed);
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/Made x y\/z\/\nz\/\n$/)]);
    expect(readFileSync(`${site.here}/new place/deep.txt`, "utf8")).toBe("two\n");
    expect(readFileSync(`${site.here}/copy of`, "utf8")).toBe("beta\n");
  });

  test("say that a folder is one, instead of showing all files in it", async () => {
    const { exitCode, stdout } = await site.type("cat docs");
    expect([exitCode, stdout]).toEqual([2, expect.stringContaining('"docs" is a folder.')]);
    expect(stdout).not.toContain("beta");
  });

  test("that fail give the exit code of the last failure", async () => {
    expect((await site.type("cd nowhere")).exitCode).toBe(6);
    expect((await site.type("mkdir docs")).exitCode).toBe(8);
    expect((await site.type("get ../etc/passwd")).exitCode).toBe(2);
  });

  test("get their home from a relative state folder, whatever folder they change to", async () => {
    await using server = await ServerProcess.start(["-r", site.repository, "--open", "--host", "127.0.0.1"]);
    using folder = new TempFolder();
    const args = ["-s", server.address, "--accept-new", "--state-dir", "state"];
    const env = { XDG_STATE_HOME: folder.join("home") };
    const { exitCode } = await runClient(args, { cwd: folder.path, stdin: "lcd /\nlist\n", env });
    expect([exitCode, existsSync(folder.join("state/servers"))]).toEqual([0, true]);
  });
});

test("mkdir and du are commands, too", async () => {
  expect(await site.run("mkdir", "x/y", "z")).toMatchObject({ exitCode: 0, stdout: "Made x/y/\nMade z/\n" });
  expect((await site.run("mkdir", "z")).exitCode).toBe(8);
  const again = await site.run("mkdir", "z", "new");
  expect(again.stderr).toContain("--parents");
  expect(again.stderr).not.toContain("--overwrite");
  expect((await site.run("mkdir", "-p", "z")).exitCode).toBe(0);
  expect((await site.run("mkdir", "../z")).exitCode).toBe(2);
  const made = await site.run("mkdir", "--json", "w");
  expect(JSON.parse(made.stdout)).toEqual({ event: "made", path: "w", isNew: true });
  expect(JSON.parse((await site.run("du", "--json", "docs", "z")).stdout)).toEqual([
    { path: "docs", files: 1, bytes: 5 },
    { path: "z", files: 0, bytes: 0 },
  ]);
  expect(JSON.parse((await site.run("du", "--json", "**/*.md")).stdout)).toEqual([
    { path: "**/*.md", files: 1, bytes: 5 },
  ]);
  expect((await site.run("du", "nowhere")).exitCode).toBe(6);
});

test.each([40, 80, 100])("help and ls fit a window of %d columns", async (cols) => {
  await using server = await ServerProcess.start(["-r", site.repository]);
  using folder = new TempFolder();
  const { client } = await binaries();
  await using screen = new Screen([client, "--server", server.address], { cwd: folder.path, cols, rows: 90 });
  await screen.prompts("Client01> ");
  screen.type("help\r");
  await screen.shows("Flags of a command: help COMMAND");
  await screen.prompts("Client01> ");
  // A wrapped word would begin a line without its indent.
  const shown = screen.lines.slice(screen.lines.findIndex((line) => line.endsWith("> help")) + 1, -1);
  expect(shown.filter((line) => line !== "" && !line.startsWith("  "))).toEqual([]);
  screen.type("ls docs\r");
  await screen.shows("b.md");
});

test("cat escapes what could do something to a terminal", async () => {
  using folder = new TempFolder();
  await using server = await ServerProcess.start(["-r", folder.path]);
  writeFileSync(folder.join("evil"), "\u001b[31mred\u001b]0;title\u0007 end");
  const { client } = await binaries();
  await using screen = new Screen([client, "--server", server.address], { cwd: folder.path });
  await screen.prompts("Client01> ");
  screen.type("cat evil\r");
  await screen.shows("\\u{1b}[31mred\\u{1b}]0;title\\u{7} end");
  await screen.prompts("Client01> ");
});
