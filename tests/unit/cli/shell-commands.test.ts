/** Lines of the shell, each with the answers of a server that is not there. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import type { ShellCall } from "../../../lib/cli/client/shell-call.ts";
import { runLine, SHELL_COMMANDS } from "../../../lib/cli/client/shell-commands.ts";
import { completeLine } from "../../../lib/cli/client/shell-completion.ts";
import { ShellFolder } from "../../../lib/cli/client/shell-folder.ts";
import { ShellJobs } from "../../../lib/cli/client/shell-jobs.ts";
import { parseShellLine } from "../../../lib/cli/client/shell-line.ts";
import { EXIT } from "../../../lib/cli/exit-codes.ts";
import type { Client } from "../../../lib/client/client.ts";
import { RemoteError } from "../../../lib/errors.ts";
import type { Entry } from "../../../lib/protocol/methods.ts";
import { facade } from "../../support/facade.ts";
import { codeOf, faultOf } from "../../support/fault.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { TestIo } from "../../support/test-io.ts";

const entry = (path: string, kind: Entry["kind"] = "file"): Entry => ({ path, kind, size: 3, modifiedAt: 0 });

/** A client whose server has these entries, and what it was asked. */
function clientWith(entries: readonly Entry[] = []) {
  const asked: unknown[][] = [];
  const noted =
    <T>(name: string, answer?: T) =>
    async (...params: unknown[]) => {
      asked.push([name, ...params.filter((param) => param !== undefined && !(param instanceof AbortSignal))]);
      return answer as T;
    };
  const client = facade({} as Client, {
    send: noted("send", { text: "hello ACK", delivered: [], failed: [] }) as never,
    ping: noted("ping", 1) as never,
    stat: (async (path: string) => {
      const found = entries.find((one) => one.path === path);
      if (found === undefined) throw new RemoteError("NOT_FOUND", `There is no ${path}.`);
      return found;
    }) as unknown as Client["stat"],
    rename: noted("rename"),
    digest: noted("digest", { sha256: "ab12", size: 3, modifiedAt: 0 }) as never,
    remove: (async (path: string, recursive: boolean) => {
      asked.push(["remove", path, recursive]);
      if (path === "gone") throw new RemoteError("NOT_FOUND", "There is no gone.");
    }) as never,
    list: async function* (path: string, signal?: AbortSignal) {
      asked.push(["list", path]);
      for (const one of entries) if (signal?.aborted !== true) yield one;
      return { entries: entries.length, skipped: 0 };
    } as unknown as Client["list"],
    watch: async function* (path: string) {
      asked.push(["watch", path]);
      yield { change: "removed", path: "a" };
    } as unknown as Client["watch"],
  });
  return { client, asked };
}

/** What may stand at the end of a line, and what it replaces. */
async function endings(...given: Parameters<typeof completeLine>): Promise<[readonly string[], string]> {
  const { names, typed } = await completeLine(...given);
  return [names, typed];
}

/** Run a line. What it shows, its exit code, and what the server was asked. */
async function run(typed: string, entries?: readonly Entry[], folder = new ShellFolder()) {
  const { client, asked } = clientWith(entries);
  const io = new TestIo();
  const line = parseShellLine(typed, SHELL_COMMANDS);
  if (line.kind === "nothing") throw new Error(`${typed} says nothing`);
  const persist = (work: (client: Client) => Promise<unknown>) => work(client);
  const connection = { client, persist, noteProgress() {} } as unknown as ShellCall["connection"];
  const jobs = new ShellJobs({ io, say() {}, onEnd() {} });
  const call = { connection, folder, io, jobs, signal: new AbortController().signal } as unknown as ShellCall;
  const exit = await runLine(line, call);
  return { exit: exit ?? 0, shown: io.written.join(""), notes: io.notes, asked };
}

describe("a line of the shell", () => {
  test.each([
    ["send hello", "hello ACK\n", ["send", "hello"]],
    ["send --to server hey you", "hello ACK\n", ["send", "hey you", "server"]],
    ["rm -rf docs", "Removed docs\n", ["remove", "docs", true]],
    ['rename "a b" "c"', "Renamed a b to c\n", ["rename", "a b", "c", false]],
    ['rename "a" "c" --overwrite', "Renamed a to c\n", ["rename", "a", "c", true]],
    ["rename a c", "Renamed a to c\n", ["rename", "a", "c", false]],
    ["mv 'a b' docs/", "Renamed a b to docs/a b\n", ["rename", "a b", "docs/a b", false]],
    ["remove a", "Removed a\n", ["remove", "a", false]],
    ["rm -r docs", "Removed docs\n", ["remove", "docs", true]],
    ['send "quoted" and more', "hello ACK\n", ["send", '"quoted" and more']],
    ["exit now, thanks", "hello ACK\n", ["send", "exit now, thanks"]],
    ["status of the project is fine", "hello ACK\n", ["send", "status of the project is fine"]],
    ['remove "docs" --recursive', "Removed docs\n", ["remove", "docs", true]],
    ["digest ./a", "ab12  a\n", ["digest", "a"]],
    ["watch", "removed  a\n", ["watch", undefined]],
    ["watch docs", "removed  a\n", ["watch", "docs"]],
    ["ping", "1.000 ms\n", ["ping"]],
  ])("%p shows %p", async (line, shown, call) => {
    const { asked, ...answer } = await run(line);
    expect(answer).toEqual({ exit: EXIT.DONE, shown, notes: [] });
    expect(asked).toEqual([call]);
  });

  test("lists", async () => {
    const { shown, notes } = await run("list docs", [entry("docs/a"), entry("docs/b")]);
    expect(
      shown
        .trimEnd()
        .split("\n")
        .map((line) => line.split(/\s+/).at(-1)),
    ).toEqual(["docs/a", "docs/b"]);
    expect(notes).toEqual([]);
    expect((await run("list")).notes).toEqual(["The repository is empty."]);
  });

  test("pings as often as it says", async () => {
    const { shown, asked } = await run("ping --count 3");
    expect([shown, asked.length]).toEqual(["3 round trips: 1.000 ms at least, 1.000 ms median, 1.000 ms at most\n", 3]);
  });

  test("removes all that it can, and has the exit code of the first failure", async () => {
    const { exit, shown, asked } = await run('remove "gone" "a"');
    expect([exit, shown, asked.length]).toEqual([EXIT.NOT_FOUND, "Removed a\n", 2]);
  });

  test.each([
    ["get", "Name a file: get PATH"],
    ["put", "Name a file: put PATH"],
    ["remove", "Name a file: remove PATH"],
    ["rename", 'Name two paths: rename "FROM" "TO"'],
    ["digest", "Name a file: digest PATH"],
    ["send", "Write a message: send TEXT"],
    ["cat", "Name a file: cat PATH"],
    ["mkdir", "Name a folder: mkdir PATH"],
    ["rename a", "Missing argument: TO."],
    ["help me", "There is no command me. To send it as a message: send help me"],
    ["status --limit 0", "--limit takes a whole number from 1 to 1000000"],
    ["get --server lab a", "--server can't be used in a line of the shell"],
    ["join csinvite1_eyJuIjoi", "Not sent: the text holds an invite"],
    ["join 385-061-7726", "Not sent: the text holds an invite"],
    ["send COMMSERVER_TOKEN=abc", "Not sent: the text holds a token"],
    [`bob:${"a".repeat(43)}`, "Not sent: the text holds a token"],
    ["send --to bob", "Write a message after the name"],
    ["jobs -l", "Unknown flag -l: there are none here."],
    ["cat -n", "Unknown flag -n: there are none here."],
    ["ls -Ra", "Unknown flag -R. Known: -l, -1, -t, -S, -r, -a, -h."],
    ["get --server lab b", "--server can't be used in a line of the shell"],
  ])("%p is refused", async (line, message) => {
    const fault = await faultOf(() => run(line));
    expect([fault.code, fault.message]).toEqual(["USAGE", expect.stringContaining(message)]);
  });

  test.each(["rename a ../b", 'rename "a" "../b"', "remove ..", "digest ../../etc/passwd", 'remove ""'])(
    "%p asks the server for nothing: no repository has such a path",
    async (line) => {
      expect(["USAGE", "BAD_PATH"]).toContain(await codeOf(() => run(line)));
    },
  );

  test("takes several names, or one with blanks that exists", async () => {
    const removed = ({ asked }: { asked: unknown[][] }) => asked.map(([, path]) => path);
    expect(removed(await run("remove a b"))).toEqual(["a", "b"]);
    expect(removed(await run("remove a b", [entry("a b")]))).toEqual(["a b"]);
    expect(removed(await run("rm -r a b", [entry("a b")]))).toEqual(["a b"]);
    expect(removed(await run(`remove 'a b' "c d" e`))).toEqual(["a b", "c d", "e"]);
    expect(removed(await run("remove it's", [entry("it's")]))).toEqual(["it's"]);
  });

  test("takes names that begin with a dash in quotes, or alone", async () => {
    expect((await run('remove "-r"')).asked).toEqual([["remove", "-r", false]]);
    expect((await run("remove -x.txt")).asked).toEqual([["remove", "-x.txt", false]]);
    expect((await run('remove -r "-x"')).asked).toEqual([["remove", "-x", true]]);
  });

  test("has a folder, in which typed paths begin", async () => {
    const folder = new ShellFolder();
    const entries = [entry("docs", "folder"), entry("docs/a"), entry("docs/sub dir", "folder"), entry("b")];
    expect((await run("pwd", entries, folder)).shown).toBe("/\n");
    await run("cd docs", entries, folder);
    expect((await run("pwd", entries, folder)).shown).toBe("/docs\n");
    expect((await run("rm a", entries, folder)).asked).toEqual([["remove", "docs/a", false]]);
    expect((await run("rm /b ../b", entries, folder)).asked.map(([, path]) => path)).toEqual(["b", "b"]);
    expect((await run("mv a ..", entries, folder)).asked).toEqual([["rename", "docs/a", "a", false]]);
    expect((await run("list", entries, folder)).asked).toEqual([["list", "docs"]]);
    await run("cd sub dir", entries, folder);
    expect(folder.shown).toBe("/docs/sub dir");
    await run("cd ../..", entries, folder);
    await run("cd ..", entries, folder);
    expect(folder.shown).toBe("/");
    await run("cd /docs", entries, folder);
    await run("cd", entries, folder);
    expect(folder.shown).toBe("/");
    for (const line of ["cd b", "cd nowhere"]) {
      expect(["NOT_A_FILE", "NOT_FOUND"]).toContain(await codeOf(() => run(line, entries, folder)));
    }
    expect(folder.shown).toBe("/");
  });

  test("lists one folder: names in order, folders with their slash, or long", async () => {
    const entries = [entry("b"), entry("a c"), entry("docs", "folder")];
    expect(await run("ls", entries)).toMatchObject({ shown: "a c\nb\ndocs/\n", asked: [["list", "*"]] });
    for (const line of ["dir -l", "ls -la", "ls -lh -1", "ls -lt"])
      expect((await run(line, entries)).shown).toMatch(/^ +3 B {2}.* {2}a c\n/);
    expect((await run("ls -r", entries)).shown).toBe("docs/\nb\na c\n");
    const sizes = [entry("small"), { ...entry("tall"), size: 9 }, { ...entry("new"), modifiedAt: 5 }];
    expect((await run("ls -S", sizes)).shown).toBe("tall\nnew\nsmall\n");
    expect((await run("ls -t", sizes)).shown).toBe("new\nsmall\ntall\n");
    expect((await run("du -h", entries)).shown).toContain("in all");
    expect((await run("ls b", entries)).shown).toBe("b\n");
    expect((await run("ls")).notes).toEqual(["It is empty."]);
    expect(await codeOf(() => run("ls *.x"))).toBe("NOT_FOUND");
  });

  test("adds up what folders hold", async () => {
    const entries = [entry("a"), entry("docs", "folder"), entry("docs/a"), entry("docs/b")];
    const { shown } = await run("du", entries);
    const rows = shown.trimEnd().split("\n");
    expect(rows.map((line) => line.trim().split(/\s{2,}/))).toEqual([
      ["SIZE", "FILES", "OF"],
      ["6 B", "2", "docs"],
      ["3 B", "1", "a"],
      ["9 B", "3", "in all"],
    ]);
  });

  test("explains each command once, in two columns", async () => {
    const { shown } = await run("help");
    const rows = new Map(Object.values(SHELL_COMMANDS).map(({ usage, description }) => [usage, description]));
    for (const [usage, description] of rows) {
      const fits = (line: string) => line.startsWith(`  ${usage} `) && line.endsWith(`  ${description}`);
      expect(shown.split("\n").filter(fits)).toHaveLength(1);
    }
    expect(shown).toContain("send TEXT");
    expect((await run("?")).shown).toBe(shown);
  });

  test.each(["help get", "? GET", "get --help"])("%p explains a command with its flags", async (line) => {
    const { shown, asked } = await run(line);
    expect(shown).toStartWith("get PATH [DEST]\n");
    expect(shown).toContain("--overwrite");
    expect(shown).not.toContain("--server");
    expect(asked).toEqual([]);
  });

  test("leaves quietly", async () => {
    for (const line of ["exit", "QUIT", "bye"])
      expect(await run(line)).toEqual({ exit: 0, shown: "", notes: [], asked: [] });
  });
});

describe("what Tab offers", () => {
  const complete = (line: string, entries: readonly Entry[] = [], signal?: AbortSignal) => {
    const { client, asked } = clientWith(entries);
    return endings(client, new ShellFolder(), line, signal).then((found) => ({ found, asked }));
  };

  test("are the commands that begin so", async () => {
    expect((await complete("re")).found).toEqual([["remove ", "rename "], "re"]);
    expect((await complete("m")).found[0]).toEqual(["mget ", "mput ", "mkdir ", "mv "]);
    expect((await complete("  ST")).found).toEqual([["status "], "ST"]);
    expect((await complete("")).found[0]).toHaveLength(Object.keys(SHELL_COMMANDS).length);
    expect((await complete("hello")).found).toEqual([[], "hello"]);
  });

  test("are paths of the repository for commands that take one, folders with their slash", async () => {
    const entries = [entry("docs/a b"), entry("docs/c", "folder")];
    for (const line of [
      "get docs/",
      'GET "docs/',
      "list docs/",
      "remove docs/",
      "rename docs/",
      "digest docs/",
      "watch docs/",
    ]) {
      const { found, asked } = await complete(line, entries);
      expect(found).toEqual([["docs/a b", "docs/c/"], "docs/"]);
      expect(asked).toEqual([["list", "docs/*"]]);
    }
    for (const line of ["send do", "hello do"]) {
      expect(await complete(line, entries)).toEqual({ found: [[], line], asked: [] });
    }
  });

  test("are paths in the folder of the shell, from the top after a slash, and in quotes of either kind", async () => {
    const folder = new ShellFolder();
    folder.path = "docs";
    const entries = [entry("docs/a b"), entry("docs/ab")];
    const { client, asked } = clientWith(entries);
    expect(await endings(client, folder, "get a")).toEqual([["a b", "ab"], "a"]);
    expect(await endings(client, folder, "get 'a")).toEqual([["a b", "ab"], "a"]);
    expect(await endings(client, folder, "get /docs/a")).toEqual([["/docs/a b", "/docs/ab"], "/docs/a"]);
    expect(await endings(client, folder, 'mget "x y" "a')).toEqual([["a b", "ab"], "a"]);
    expect(asked.map(([, pattern]) => pattern)).toEqual(Array(4).fill("docs/a*"));
    // The second of several: a name with blanks would need quotes.
    expect(await endings(client, folder, "mget x.txt a")).toEqual([["ab"], "a"]);
  });

  test("are flags after a dash, commands after help, and who is here after @", async () => {
    expect((await complete("get a --over")).found).toEqual([["--overwrite "], "--over"]);
    expect((await complete("rm -")).found[0]).toContain("--recursive ");
    expect((await complete("get --ser")).found).toEqual([[], "--ser"]);
    expect((await complete("help mk")).found).toEqual([["mkdir "], "mk"]);
    // It is Client03 itself.
    const here = [
      { name: "Client03" },
      { name: "Client01", token: "bob" },
      { name: "Client02", nick: "bo" },
      { name: "Evil\u001b" },
    ];
    const client = facade({} as Client, {
      name: "Client03",
      status: (async () => ({ here })) as unknown as Client["status"],
    });
    expect(await endings(client, new ShellFolder(), "@")).toEqual([
      ["Client01 ", "Client02 ", "all ", "bob ", "~bo "],
      "",
    ]);
    expect(await endings(client, new ShellFolder(), "@B")).toEqual([["bob "], "B"]);
  });

  test.skipIf(process.platform === "win32")("are names of this machine for commands that take those", async () => {
    using here = new TempFolder();
    for (const name of ["report.txt", "re port", ".hidden"]) writeFileSync(here.join(name), "");
    mkdirSync(here.join("results"));
    const { client } = clientWith();
    const found = (line: string) => endings(client, new ShellFolder(), line);
    const names = ["re port", "report.txt", "results/"].map((name) => `${here.path}/${name}`);
    expect(await found(`put ${here.path}/re`)).toEqual([names, `${here.path}/re`]);
    expect(await found(`lcd "${here.path}/`)).toEqual([names, `${here.path}/`]);
    expect((await found(`lls ${here.path}/.`))[0]).toEqual([`${here.path}/.hidden`]);
    expect((await found(`put ${here.path}/nowhere/x`))[0]).toEqual([]);
  });

  test.skipIf(process.platform === "win32")(
    "are names of both sides for a mirror, told apart by the colon",
    async () => {
      using here = new TempFolder();
      mkdirSync(here.join("results"));
      const { found, asked } = await complete(`sync ${here.path}/re :docs/`, [entry("docs/c", "folder")]);
      expect(found).toEqual([[":docs/c/"], ":docs/"]);
      expect(asked).toEqual([["list", "docs/*"]]);
      expect((await complete(`sync ${here.path}/re`)).found).toEqual([[`${here.path}/results/`], `${here.path}/re`]);
      expect((await complete("sync a :b --del")).found[0]).toEqual(["--delete ", "--delete-excluded "]);
    },
  );

  test("takes what was typed for the beginning of a name, not for a pattern", async () => {
    const { found, asked } = await complete("get [a", [entry("[ab]")]);
    expect(found).toEqual([["[ab]"], "[a"]);
    expect(asked[0]?.[1]).not.toBe("[a*");
  });

  test("are a thousand at most, with the number of all names and what all of them share", async () => {
    const alike = Array.from({ length: 1_200 }, (_, index) => entry(`file ${index}`));
    const completed = (entries: readonly Entry[]) =>
      completeLine(clientWith(entries).client, new ShellFolder(), "get f");
    const some = await completed(alike);
    expect([some.names.length, some.common, some.total]).toEqual([1_000, "file ", 1_200]);
    // What all of them share is put into the line, so it must be what those that are not shown share, too.
    expect(await completed([...alike, entry("fox")])).toMatchObject({ common: "f", total: 1_201 });
    expect(await completed(alike.slice(0, 1_000))).not.toHaveProperty("common");
    // Names that a terminal would not show as they are.
    const unsafe = Array.from({ length: 2_000 }, () => entry("f\u001b"));
    expect(await completed([...unsafe, entry("fa")])).toEqual({ names: ["fa"], typed: "f" });
  });

  test("share only what was typed when there are too many to read", async () => {
    let listed = 0;
    const endless = facade({} as Client, {
      list: async function* () {
        for (;;) yield entry(`file ${listed++}`);
      } as unknown as Client["list"],
    });
    const { names, common, total } = await completeLine(endless, new ShellFolder(), "get f");
    expect([names.length, common, total, listed]).toEqual([1_000, "f", undefined, 100_001]);
  });

  test("are none when the server fails or takes too long", async () => {
    const failing = facade({} as Client, {
      list: () => {
        throw new RemoteError("NOT_ALLOWED", "No.");
      },
    });
    expect(await endings(failing, new ShellFolder(), "get a")).toEqual([[], "get a"]);
    const silent = facade({} as Client, {
      list: async function* () {
        await new Promise(() => {});
      } as unknown as Client["list"],
    });
    expect(await endings(silent, new ShellFolder(), "get a", AbortSignal.abort())).toEqual([[], "get a"]);
  });
});
