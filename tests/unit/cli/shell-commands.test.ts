/** Lines of the shell, each with the answers of a server that is not there. */
import { describe, expect, test } from "bun:test";
import { SHELL_COMMANDS, type ShellCall } from "../../../lib/cli/client/shell-commands.ts";
import { completeLine } from "../../../lib/cli/client/shell-completion.ts";
import { parseShellLine } from "../../../lib/cli/client/shell-line.ts";
import { EXIT } from "../../../lib/cli/exit-codes.ts";
import type { Client } from "../../../lib/client/client.ts";
import { RemoteError } from "../../../lib/errors.ts";
import type { Entry } from "../../../lib/protocol/methods.ts";
import { facade } from "../../support/facade.ts";
import { codeOf, faultOf } from "../../support/fault.ts";
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

/** Run a line. What it shows, its exit code, and what the server was asked. */
async function run(line: string, entries?: readonly Entry[]) {
  const { client, asked } = clientWith(entries);
  const io = new TestIo();
  const parsed = parseShellLine(line, Object.keys(SHELL_COMMANDS));
  if (parsed.kind !== "command") throw new Error(`${line} is no command`);
  const call = { client, words: parsed.words, io, signal: new AbortController().signal } as unknown as ShellCall;
  const exit = await SHELL_COMMANDS[parsed.name]?.run(call);
  return { exit: exit ?? 0, shown: io.written.join(""), notes: io.notes, asked };
}

describe("a line of the shell", () => {
  test.each([
    ["send hello", "hello ACK\n", ["send", "hello"]],
    ['rename "a b" "c"', "Renamed a b to c\n", ["rename", "a b", "c", false]],
    ['rename "a" "c" --overwrite', "Renamed a to c\n", ["rename", "a", "c", true]],
    ["remove a b", "Removed a b\n", ["remove", "a b", false]],
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
    ["get", "Which file? get PATH"],
    ["put", "Which file? put PATH"],
    ["remove", "Which file? remove PATH"],
    ["rename", 'Which file? rename "FROM" "TO"'],
    ["digest", "Which file? digest PATH"],
    ["send", "Which message? send TEXT"],
    ['get "a" "b" "c"', 'Too many names: "PATH" DEST'],
    ['put "a" "b" "c"', 'Too many names: "PATH" DEST'],
    ["rename a", "Missing argument: TO."],
    ["help me", "help takes no words; to send a message that begins like this: send help …"],
    ["exit now", "exit takes no words; to send a message that begins like this: send exit …"],
    ["status --limit 0", "--limit takes a whole number from 1 to 1000000"],
    ["ping 3", 'Unexpected argument "3".'],
  ])("%p is refused", async (line, message) => {
    const fault = await faultOf(() => run(line));
    expect([fault.code, fault.message]).toEqual(["USAGE", expect.stringContaining(message)]);
  });

  test.each(["rename a /b", 'rename "a" "../b"', "remove ..", "digest /etc/passwd"])(
    "%p asks the server for nothing: no repository has such a path",
    async (line) => {
      expect(["USAGE", "BAD_PATH"]).toContain(await codeOf(() => run(line)));
    },
  );

  test("explains each command once, in two columns", async () => {
    const { shown } = await run("help");
    const lines = shown.trimEnd().split("\n");
    const usages = new Set(Object.values(SHELL_COMMANDS).map(({ usage }) => usage));
    expect(lines).toHaveLength(usages.size + 1);
    for (const { usage, description } of Object.values(SHELL_COMMANDS)) {
      expect(lines.filter((line) => line.startsWith(`  ${usage} `) && line.endsWith(`  ${description}`))).toHaveLength(
        1,
      );
    }
    expect(lines.at(-1)).toContain("send TEXT");
  });

  test("leaves quietly", async () => {
    for (const line of ["exit", "QUIT"]) expect(await run(line)).toEqual({ exit: 0, shown: "", notes: [], asked: [] });
  });
});

describe("what Tab offers", () => {
  const complete = (line: string, entries: readonly Entry[] = [], signal?: AbortSignal) => {
    const { client, asked } = clientWith(entries);
    return completeLine(client, line, signal).then((found) => ({ found, asked }));
  };

  test("are the commands that begin so", async () => {
    expect((await complete("re")).found).toEqual([["remove ", "rename "], "re"]);
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
    for (const line of ["put do", "hello do"]) {
      expect(await complete(line, entries)).toEqual({ found: [[], line], asked: [] });
    }
  });

  test("takes what was typed for the beginning of a name, not for a pattern", async () => {
    const { found, asked } = await complete("get [a", [entry("[ab]")]);
    expect(found).toEqual([["[ab]"], "[a"]);
    expect(asked[0]?.[1]).not.toBe("[a*");
  });

  test("are a hundred at most, of the first thousand entries", async () => {
    const many = Array.from({ length: 200 }, (_, index) => entry(`f${index}`));
    expect((await complete("get f", many)).found[0]).toHaveLength(100);
    // Names that a terminal would not show as they are.
    const unsafe = (count: number) => Array.from({ length: count }, () => entry("f\u001b"));
    expect((await complete("get f", [...unsafe(999), entry("fa")])).found[0]).toEqual(["fa"]);
    expect((await complete("get f", [...unsafe(1_000), entry("fa")])).found[0]).toEqual([]);
  });

  test("are none when the server fails or takes too long", async () => {
    const failing = facade({} as Client, {
      list: () => {
        throw new RemoteError("NOT_ALLOWED", "No.");
      },
    });
    expect(await completeLine(failing, "get a")).toEqual([[], "get a"]);
    const silent = facade({} as Client, {
      list: async function* () {
        await new Promise(() => {});
      } as unknown as Client["list"],
    });
    expect(await completeLine(silent, "get a", AbortSignal.abort())).toEqual([[], "get a"]);
  });
});
