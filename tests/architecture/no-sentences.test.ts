/** A storage names what is wrong, and makes no sentence: lib/storage-faults.ts has the words for people. */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const LIB = join(import.meta.dir, "../../lib");
/** A text of JavaScript, once comments and types are gone. */
const TEXT = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g;
/** Words, and a full stop at the end. */
const SENTENCE = /^.\S+ .*\.["'`]$/s;
const transpiler = new Bun.Transpiler({ loader: "ts" });

function sentencesIn(file: string): string[] {
  const texts = transpiler.transformSync(readFileSync(join(LIB, file), "utf8")).match(TEXT) ?? [];
  return texts.filter((text) => SENTENCE.test(text));
}

test("no file of lib/storage makes a sentence", () => {
  const files = readdirSync(join(LIB, "storage"), { recursive: true, encoding: "utf8" })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => file.endsWith(".ts"));
  expect(files.length).toBeGreaterThan(60);
  expect(files.flatMap((file) => sentencesIn(`storage/${file}`).map((text) => `${file}: ${text}`))).toEqual([]);
});

test("lib/storage-faults.ts does", () => {
  expect(sentencesIn("storage-faults.ts").length).toBeGreaterThan(50);
});
