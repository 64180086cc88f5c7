import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { givenItems } from "../../../lib/cli/client/given-items.ts";
import { codeOf } from "../../support/fault.ts";
import { TempFolder } from "../../support/temp-folder.ts";

async function items(content: string | Uint8Array, isNul = false): Promise<string[]> {
  using folder = new TempFolder();
  writeFileSync(folder.join("list"), content);
  const { signal } = new AbortController();
  return (await Array.fromAsync(givenItems(folder.join("list"), { isNul, signal }))).flat();
}

describe("givenItems()", () => {
  test("are the lines of a file, also of one that Windows has written", async () => {
    expect(await items("a\nb c\n\nd")).toEqual(["a", "b c", "d"]);
    expect(await items("\ufeffa\r\nb\r\n\r\nc\r")).toEqual(["a", "b", "c"]);
    expect(await items("")).toEqual([]);
  });

  test("are what NUL characters end, line feeds included", async () => {
    expect(await items("a\nb\0c\r\0\0d", true)).toEqual(["a\nb", "c\r", "d"]);
    expect(await items("a\0d\r", true)).toEqual(["a", "d\r"]);
  });

  test("are whole where the pieces of a long list meet, characters and line ends included", async () => {
    const names = Array.from({ length: 30_000 }, (_, index) => `ü${index}`);
    expect(await items(names.join("\n"))).toEqual(names);
    expect(await items(names.join("\r\n"))).toEqual(names);
    expect(await items(names.join("\0"), true)).toEqual(names);
  });

  test("of something that is no list are refused before it fills the memory", async () => {
    expect(await codeOf(() => items("x".repeat(1_000_000)))).toBe("USAGE");
  });

  test("of a file that is not there fail", async () => {
    const { signal } = new AbortController();
    expect(await codeOf(() => Array.fromAsync(givenItems("/nowhere/list", { signal })))).toBe("NO_SUCH_FILE");
  });

  test("are not waited for after an interruption", async () => {
    using folder = new TempFolder();
    Bun.spawnSync(["mkfifo", folder.join("pipe")]);
    const interrupt = new AbortController();
    const reading = codeOf(() => Array.fromAsync(givenItems(folder.join("pipe"), { signal: interrupt.signal })));
    interrupt.abort();
    expect(await reading).toBe("INTERRUPTED");
    // The open that nobody waits for any more ends with its writer.
    writeFileSync(folder.join("pipe"), "");
  });
});
