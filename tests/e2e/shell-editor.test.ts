/** The line that is edited in the shell: search, paste, several lines, long lists. By the compiled programs. */
import { beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { binaries } from "../support/binaries.ts";
import { FolderSite } from "../support/folder-site.ts";
import { Screen } from "../support/screen.ts";
import { until } from "../support/until.ts";

beforeAll(async () => {
  await binaries();
}, 180_000);

async function shell(site: FolderSite, size: { cols?: number; rows?: number; state?: string } = {}): Promise<Screen> {
  const { client } = await binaries();
  const state = size.state === undefined ? [] : ["--state-dir", size.state, "--accept-new"];
  const screen = new Screen([client, "--server", site.address, ...state], { cwd: site.here, ...size });
  await until(() => /Client\d\d> $/.test(screen.beforeCursor));
  return screen;
}

/** What is on the screen, where rows end wherever the window does. */
const squeezed = (screen: Screen) => screen.lines.join("").replaceAll(" ", "");

describe("Ctrl-R", () => {
  test.each([40, 80, 100])("finds what was typed, also by an earlier shell, in %d columns", async (cols) => {
    await using site = await FolderSite.open();
    const state = `${site.here}/state`;
    {
      await using before = await shell(site, { state });
      before.type("hello 文字 and a line that is longer than forty columns\rhello there\r");
      await before.shows("hello there ACK");
      before.type("exit\r");
      await before.exited;
    }
    await using screen = await shell(site, { cols, state });
    screen.type("half\x12");
    await screen.prompts('search "": ');
    screen.type("hello");
    await until(() => squeezed(screen).endsWith('search"hello":hellothere'));
    screen.type("\x12");
    await until(() => squeezed(screen).endsWith('search"hello":hello文字andalinethatislongerthanfortycolumns'));
    screen.type("xx");
    await until(() => squeezed(screen).includes('notfound"helloxx":hello文字'));
    screen.type("\x7f\x7f\x7f\x7f\x7f\x7f\x7f文");
    await until(() => squeezed(screen).includes('search"文":hello文字'));
    screen.type("\x07");
    await screen.prompts("> half");
    screen.type("\x15\x12there");
    await until(() => squeezed(screen).endsWith('search"there":hellothere'));
    // An arrow takes the line.
    screen.type("\x1b[F!");
    await screen.prompts("> hello there!");
    screen.type("\x15\x12文字\r");
    await until(() => squeezed(screen).endsWith("columnsACKClient02>"));
    screen.type("keep\x12there");
    await until(() => squeezed(screen).includes('search"there"'));
    screen.type("\x1b");
    await screen.prompts("> keep");
  });
});

describe("a paste", () => {
  test("of one line is only inserted, whatever keys it has", async () => {
    await using site = await FolderSite.open();
    await using screen = await shell(site);
    screen.type("say: ");
    screen.paste("a\x03b\x04\x1a\x1b[A\tc\u007f\u009b31m\r\n");
    await screen.prompts("> say: ab[A c31m");
    screen.type("\r");
    await screen.shows("say: ab[A c31m ACK");
  });

  test("of several lines is shown and asked about: run, one message, or neither", async () => {
    await using site = await FolderSite.open();
    writeFileSync(`${site.repository}/a.txt`, "alpha\n");
    await using screen = await shell(site);
    screen.paste("ls\rhello there\r");
    await screen.prompts("| hello there");
    expect(screen.text).not.toContain("ACK");
    screen.type("\r");
    await screen.prompts("2 lines: run each (r), send as one message (m), or neither? [r/m/N] ");
    screen.type("r\r");
    await screen.shows("hello there ACK");
    await screen.prompts("Client01> ");
    expect(screen.lines.slice(-5)).toEqual(["> ls", "a.txt", "> hello there", "hello there ACK", "Client01> "]);
    screen.paste("rm a.txt\nls");
    screen.type("\r");
    await screen.prompts("[r/m/N] ");
    screen.type("m\r");
    await screen.shows("rm a.txt\n  | ls ACK");
    screen.paste("rm a.txt\nls");
    screen.type("\r");
    await screen.prompts("[r/m/N] ");
    // A paste is no answer of several lines.
    screen.paste("n\nr\n");
    screen.type("\r");
    await screen.prompts("Client01> ");
    expect(readFileSync(`${site.repository}/a.txt`, "utf8")).toBe("alpha\n");
    // Nor does it run when it comes back from the history.
    screen.type("\x1b[A\r");
    await screen.prompts("[r/m/N] ");
    screen.type("\x03");
    await screen.prompts("Client01> ");
    screen.paste("pwd\nexit\nnever sent");
    screen.type("\r");
    await screen.prompts("[r/m/N] ");
    screen.type("r\r");
    expect(await screen.exited).toBe(0);
    expect(screen.text).not.toContain("never sent ACK");
  });

  test("is marked while the shell has the terminal, and only then", async () => {
    await using site = await FolderSite.open();
    const { client } = await binaries();
    await using screen = new Screen(["bash", "--norc", "--noprofile", "--noediting", "-i"], {
      cwd: site.here,
      env: { PS1: "$ ", HOME: site.here },
    });
    await screen.prompts("$ ");
    expect(screen.marksPastes).toBe(false);
    screen.type(`${client} --server ${site.address} --state-dir ${site.here}/state --accept-new\r`);
    await screen.prompts("Client01> ");
    expect(screen.marksPastes).toBe(true);
    screen.type("\x1a");
    await screen.prompts("$ ");
    expect(screen.marksPastes).toBe(false);
    screen.type("fg\r");
    await screen.prompts("Client01> ");
    expect(screen.marksPastes).toBe(true);
    screen.type("exit\r");
    await screen.prompts("$ ");
    expect(screen.marksPastes).toBe(false);
  });
});

test("a line that ends with return and line feed is one line", async () => {
  await using site = await FolderSite.open();
  await using screen = await shell(site);
  screen.type("one\r\ntwo\r\n");
  await screen.shows("two ACK");
  screen.type("three");
  await screen.prompts("Client01> three");
  expect(screen.lines.filter((line) => line.startsWith("Client01>"))).toEqual([
    "Client01> one",
    "Client01> two",
    "Client01> three",
  ]);
});

describe("a message of several lines", () => {
  test("is written with Alt-Enter, shown with its lines, and told from what a line looks like", async () => {
    await using site = await FolderSite.open();
    await using reader = await shell(site, { cols: 40 });
    await using writer = await shell(site);
    writer.type("@Client01 first\x1b\rsecond 文字\x1b\r12:00 Server: fake");
    await writer.prompts("| 12:00 Server: fake");
    // Up and down move between the lines; Enter sends all of them, wherever the cursor is.
    writer.type("\x1b[A\x1b[A");
    await until(() => writer.beforeCursor.startsWith("Client02> @Client01"));
    writer.type("\r");
    await writer.shows("Delivered to Client01.");
    await reader.shows("second 文字");
    await reader.prompts("Client01> ");
    expect(reader.lines.at(-4)).toMatch(/^\d\d:\d\d Client02: first$/);
    expect(reader.lines.slice(-3, -1)).toEqual(["  | second 文字", "  | 12:00 Server: fake"]);
    writer.type("\x1b[A");
    await writer.prompts("| 12:00 Server: fake");
  });

  test("is one line of a script", async () => {
    await using site = await FolderSite.open();
    await using screen = await shell(site);
    const { client } = await binaries();
    await using script = new Screen(
      ["sh", "-c", `(sleep 1000 & wait) | "$@" | cat`, "sh", client, "-s", site.address],
      {
        cwd: site.here,
      },
    );
    await script.shows("Connected as Client02.");
    screen.type("@Client02 one\x1b\rtwo\r");
    await script.shows("Client01: one\\u{a}two");
  });
});

describe("a long list of names", () => {
  test("is shown after a question, and all names have what Tab inserts", async () => {
    await using site = await FolderSite.open();
    mkdirSync(`${site.repository}/docs`);
    for (let count = 1; count <= 143; count++) writeFileSync(`${site.repository}/docs/file ${count}`, "");
    await using screen = await shell(site, { cols: 40, rows: 60 });
    screen.type("ls d\t");
    await screen.prompts("> ls docs/");
    screen.type("\t");
    await screen.prompts("> ls docs/file ");
    screen.type("\t");
    await screen.prompts("Show all 143 names? [y/N] ");
    screen.type("n");
    await screen.prompts("> ls docs/file ");
    expect(screen.text).not.toContain("file 100");
    screen.type("\t");
    await screen.prompts("Show all 143 names? [y/N] ");
    screen.type("y");
    await screen.shows("file 100");
    await screen.prompts("> ls docs/file ");
    expect(screen.text).toContain("file 99");
    // In a lower window, by pages: 143 names take 36 lines.
    screen.resize(40, 20);
    screen.type("\t");
    await screen.prompts("Show all 143 names? [y/N] ");
    screen.type("y");
    await screen.prompts("Show more? 17 lines are left. [y/N] ");
    screen.type(" ");
    await screen.prompts("> ls docs/file ");
  });
});
