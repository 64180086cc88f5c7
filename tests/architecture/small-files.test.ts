/** Files of lib are small: one job each. */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const lib = join(import.meta.dir, "../../lib");
const MAX_LINES = 250;

test("no file of lib has more lines than CONTRIBUTING.md allows", () => {
  const files = readdirSync(lib, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  expect(files.length).toBeGreaterThan(300);
  const lines = (file: string) => readFileSync(join(lib, file), "utf8").trimEnd().split("\n").length;
  expect(files.filter((file) => lines(file) > MAX_LINES)).toEqual([]);
});
