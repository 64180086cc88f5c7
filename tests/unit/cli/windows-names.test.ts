/** What people type on Windows, and what they are told there. */
import { describe, expect, test } from "bun:test";
import { splitPattern } from "../../../lib/cli/client/local-sources.ts";
import { placeIn } from "../../../lib/cli/client/local-target.ts";
import { typedName, typedNewPath, withSlash } from "../../../lib/cli/client/typed-paths.ts";
import { badName, toldByServer } from "../../../lib/client/left-out.ts";
import { CommError } from "../../../lib/errors.ts";
import { codeOf } from "../../support/fault.ts";

test.each([
  ["T: 5.txt", "T%3A 5.txt"],
  ["docs/a\\b", "docs\\a%5Cb"],
  ["docs/plain.txt", "docs/plain.txt"],
  ["..\\..\\x", "..%5C..%5Cx"],
])("the place of %p is told as it is on the disk: %p", (path, place) => {
  expect(placeIn({ shown: "" }, path, "win32")).toBe(place);
  expect(placeIn({ shown: "" }, path, "linux")).toBe(path);
});

describe("what is made by a name that was typed", () => {
  test("has no backslash and no drive on Windows, where that would be meant otherwise", async () => {
    for (const typed of ["docs\\in", "C:\\out", "C:in", "a/b\\c"]) {
      expect(await codeOf(() => typedNewPath(typed, "win32"))).toBe("BAD_PATH");
      expect(await codeOf(() => typedName(typed, "win32"))).toBe("USAGE");
      expect([typedNewPath(typed, "linux"), typedName(typed, "linux")]).toEqual([typed, typed]);
    }
    expect(typedNewPath("./docs/in/", "win32")).toBe("docs/in");
  });

  test("and a request for a missing one explains the separator", () => {
    const missing = new CommError("NOT_FOUND", "There is none.");
    expect(withSlash(missing, "docs\\a", "win32").message).toBe('There is none. The separator between names is "/".');
    expect(withSlash(missing, "docs\\a", "linux")).toBe(missing);
    expect(withSlash(missing, "docs/a", "win32")).toBe(missing);
  });
});

test("what a server without backslashes leaves out is reported with the reason", () => {
  const why = (name: string) => toldByServer({ name, code: 35 }).why;
  expect(why("a\\b")).toBe("its name can't be a path: it has a backslash");
  expect(why("d/x:y")).toBe("its name can't be a path: it is too long");
  expect(why("x:y")).toBe("its name can't be a path: it starts with a drive letter");
  expect(badName("a\\b").why).toBe("its name can't be a path: it is too long");
});

describe("a pattern of put", () => {
  test.each([
    ["C:\\docs\\*.txt", "C:/docs", "*.txt"],
    ["C:\\*.txt", "C:/", "*.txt"],
    ["docs\\**\\*.txt", "docs", "**/*.txt"],
    ["docs/a\\*.txt", "docs/a", "*.txt"],
    ["*.txt", ".", "*.txt"],
    ["\\\\host\\share\\*", "//host/share", "*"],
  ])("%p begins in %p on Windows", (pattern, top, below) => {
    expect(splitPattern(pattern, "win32")).toEqual({ top, below });
  });

  test("takes a backslash as a letter elsewhere", () => {
    expect(splitPattern("docs/a\\*.txt", "linux")).toEqual({ top: "docs", below: "a\\*.txt" });
    expect(splitPattern("/*", "linux")).toEqual({ top: "/", below: "*" });
  });
});
