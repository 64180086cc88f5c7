/** The layers below the command line know no flags: no text of theirs names one. */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const LIB = join(import.meta.dir, "../../lib");
/** A text of JavaScript, once comments and types are gone. */
const TEXT = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g;
const FLAG = /(?<![\w-])--[a-z][a-z-]+/;

const files = readdirSync(LIB, { recursive: true, encoding: "utf8" })
  .map((file) => file.replaceAll("\\", "/"))
  .filter((file) => file.endsWith(".ts"));
const transpiler = new Bun.Transpiler({ loader: "ts" });

function flagsIn(source: string): string[] {
  const texts = transpiler.transformSync(source).match(TEXT) ?? [];
  return texts.filter((text) => FLAG.test(text));
}

test("a flag in a text is found, and a comment or an operator is none", () => {
  expect(flagsIn('export const a = "use --state-dir"; // --json\nexport let b = 1; --b;')).toEqual([
    '"use --state-dir"',
  ]);
  expect(flagsIn("export const a = (b: string) => `$" + "{b}: --json`;")).toHaveLength(1);
});

test("no file of lib outside lib/cli names a flag", () => {
  const named = files
    .filter((file) => !file.startsWith("cli/"))
    .flatMap((file) => flagsIn(readFileSync(join(LIB, file), "utf8")).map((text) => `${file}: ${text}`));
  expect(named).toEqual([]);
});

test("the command line does", () => {
  expect(flagsIn(readFileSync(join(LIB, "cli/advice.ts"), "utf8"))).not.toEqual([]);
});
