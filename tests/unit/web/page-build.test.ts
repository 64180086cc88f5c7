import { beforeAll, describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { buildPage } from "../../../scripts/page.ts";
import { TempFolder } from "../../support/temp-folder.ts";

describe("the page as it is built", () => {
  const built = new Map<string, string>();
  beforeAll(async () => {
    using folder = new TempFolder();
    await buildPage(folder.path);
    for (const name of readdirSync(folder.path)) built.set(name, await Bun.file(join(folder.path, name)).text());
  });

  test("has at most 60 KB, compressed", () => {
    const bytes = [...built.values()].map((text) => Bun.gzipSync(text).length);
    expect(bytes.reduce((sum, each) => sum + each, 0)).toBeLessThan(60_000);
  });

  test("loads nothing from elsewhere, and has no script or style in it", () => {
    const html = built.get("page.html.txt") ?? "";
    expect(html).not.toMatch(/<style|style=|<script(?![^>]* src="\/)|\son\w+=/);
    for (const [name, text] of built) {
      const addresses = [...text.matchAll(/(?:https?:)?\/\/[\w.-]+\.\w+/g)].map(([address]) => address);
      expect([name, addresses.filter((address) => !address.includes("www.w3.org"))]).toEqual([name, []]);
    }
  });

  test("has every icon that it names", () => {
    const sprite = built.get("icons.svg.txt") ?? "";
    const named = [...(built.get("page.js.txt") ?? "").matchAll(/icon:"([\w-]+)"/g)].map(([, name]) => name);
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((name) => !sprite.includes(`id="${name}"`))).toEqual([]);
  });
});
