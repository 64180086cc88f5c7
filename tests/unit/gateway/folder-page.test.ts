import { expect, test } from "bun:test";
import fc from "fast-check";
import { pageEnd, pageHead, pageRow } from "../../../lib/gateway/folder-page.ts";
import { pathFault } from "../../../lib/path.ts";
import type { StorageEntry } from "../../../lib/storage/storage.ts";

const facts = { size: 1234, modifiedAt: 0, executable: false, etag: "e" };
const entryOf = (path: string, kind: StorageEntry["kind"] = "file"): StorageEntry => ({ path, kind, ...facts });

test("a folder's page has one relative link for each entry, and tells size and time", () => {
  const row = pageRow(entryOf("docs/a b?&c.txt"));
  expect(row).toBe(
    '<tr><td><a href="a%20b%3F%26c.txt">a b?&#38;c.txt</a></td> <td>1,234</td> ' +
      '<td><time datetime="1970-01-01T00:00:00.000Z">1970-01-01 00:00</time></td></tr>\n',
  );
  expect(pageRow(entryOf("docs/sub", "folder"))).toContain('<a href="sub/">sub/</a>');
  expect(pageRow(entryOf("docs/pipe", "other"))).not.toContain("href");
  expect(pageHead("")).not.toContain("../");
  expect(pageHead("docs")).toContain('<a href="../">');
  expect(pageEnd(3)).toContain("3 entries can't");
  expect(pageEnd(1)).toContain("1 entry can't");
});

test("the text of a row alone keeps its numbers apart, as lftp reads it", () => {
  expect(pageRow(entryOf("a.txt")).replace(/<[^>]*>/g, "")).toMatch(/^a\.txt [\d,]+ \d{4}-\d\d-\d\d \d\d:\d\d\n$/);
});

test("no name is anything but text on the page, and its link is the name and nothing else", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (name) => {
      fc.pre(pathFault(name) === undefined && !name.includes("/"));
      const row = pageRow(entryOf(name));
      const [, href = "", shown = ""] = /^<tr><td><a href="([^"]*)">([^<]*)<\/a><\/td>/.exec(row) ?? [];
      expect(decodeURIComponent(href)).toBe(name);
      expect(shown).not.toMatch(/["'>]|&(?!#\d+;)/);
    }),
  );
});
