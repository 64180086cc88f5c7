/** What the code says of PROTOCOL.md is there: the sections that it names, and the rules that it quotes at the check that holds them. */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PAGE } from "../support/protocol-page.ts";

const LIB = join(import.meta.dir, "../../lib");
const page = PAGE.replace(/\s+/g, " ");

/** The code, with each comment in one line. */
const code = readdirSync(LIB, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => readFileSync(join(LIB, file), "utf8").replace(/\n\s*(?:\/\/|\*) ?/g, " "))
  .join("\n");

function found(pattern: RegExp): string[] {
  return [...code.matchAll(pattern)].map(([, text]) => text as string);
}

describe("PROTOCOL.md", () => {
  test("has every section that the code names", () => {
    const titles = [...PAGE.matchAll(/^#+ (.+)$/gm)].map(([, title]) => title as string);
    const named = found(/PROTOCOL\.md, "([^"]+)"/g);
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((title) => !titles.includes(title))).toEqual([]);
  });

  test("has every rule that the code quotes", () => {
    const quoted = found(/"([^"]+)" \(PROTOCOL\.md, "/g);
    expect(quoted.length).toBeGreaterThan(10);
    expect(quoted.filter((rule) => !page.includes(rule))).toEqual([]);
  });
});
