import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { toCommError } from "../../../lib/errors.ts";
import { encodePath, parseTarget, repositoryPath } from "../../../lib/gateway/request-target.ts";
import { pathFault } from "../../../lib/path.ts";

function pathOf(target: string): string {
  try {
    return repositoryPath(parseTarget(target).names).path;
  } catch (thrown) {
    return toCommError(thrown).code;
  }
}

describe("a request target", () => {
  const rows: [target: string, path: string][] = [
    ["/", ""],
    ["/a", "a"],
    ["/a/b", "a/b"],
    ["/a/", "a"],
    ["/a%20b/%C3%BC", "a b/ü"],
    ["/a+b", "a+b"],
    ["/a%5Cb", "a\\b"],
    ["/C%3A/x", "C:/x"],
    ["/%2541", "%41"],
    ["/%252e%252e/a", "%2e%2e/a"],
    ["/./co:l/./a", "co:l/a"],
    ["/a?x=/../y", "a"],
    ["http://host:1/a", "a"],
    ["http://host", ""],
    ["HTTPS://[::1]/a", "a"],
  ];
  test.each(rows)("%s is %p", (target, path) => {
    expect(pathOf(target)).toBe(path);
  });

  const bad = [
    "",
    "a",
    "*",
    "//a",
    "/a//b",
    "/a//",
    "/..",
    "/../a",
    "/a/../b",
    "/a/..",
    "/%2e%2e/a",
    "/%2E./a",
    "/.%2e/a",
    "/a/%2e",
    "/a%2fb",
    "/a%2Fb",
    "/%2f",
    "/..%2fa",
    "/a\\b",
    "/..\\a",
    "/a%00",
    "/%00",
    "/a%0a",
    "/%7f",
    "/a%",
    "/a%2",
    "/a%zz",
    "/%ff",
    "/%c0%ae%c0%ae/a",
    "/%c0%af",
    "/%ed%a0%80",
    "/a#b",
    "/a?b#c",
    "ftp://host/a",
    "//host/a",
    "http:///a",
    "http://user@host/a",
    `/${"a".repeat(256)}`,
    `/${"a/".repeat(200)}`,
  ];
  test.each(bad)("%s leads nowhere", (target) => {
    expect(pathOf(target)).toBe("BAD_PATH");
  });

  test("of any path leads to that path, whatever is in its names", () => {
    const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 4 }), (names) => {
        const path = names.join("/");
        fc.pre(pathFault(path) === undefined);
        expect(encodePath(path)).toMatch(/^[\w.~%/-]+$/);
        expect(pathOf(`/${encodePath(path)}`)).toBe(path);
      }),
    );
  });

  test("of any text is a path of the repository or is refused", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const path = pathOf(`/${text}`);
        expect(path === "" || path === "BAD_PATH" || pathFault(path) === undefined).toBe(true);
      }),
    );
  });
});
