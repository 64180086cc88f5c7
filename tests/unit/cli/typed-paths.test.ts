import { describe, expect, test } from "bun:test";
import { asFlag, existsPolicy } from "../../../lib/cli/client/transfer-flags.ts";
import {
  typedFolder,
  typedName,
  typedNewPath,
  typedPath,
  typedSource,
  withSlash,
} from "../../../lib/cli/client/typed-paths.ts";
import { CommError } from "../../../lib/errors.ts";

/** The result, or the code of the error. */
function outcome(work: () => string): string {
  try {
    return work();
  } catch (thrown) {
    return (thrown as CommError).code;
  }
}

describe("a path that is typed", () => {
  test.each([
    ["a", "a"],
    ["./a", "a"],
    ["././a/b//", "a/b"],
    ["a/", "a"],
    [".hidden", ".hidden"],
    ["", "BAD_PATH"],
    ["/", "BAD_PATH"],
    ["/etc", "BAD_PATH"],
    ["../a", "BAD_PATH"],
    ["a/../b", "BAD_PATH"],
  ])("%j is %j", (typed, path) => {
    expect(outcome(() => typedPath(typed))).toBe(path);
  });

  test("of a new file has no backslash on Windows, which people may mean as a separator", () => {
    const path = (platform: NodeJS.Platform) => outcome(() => typedNewPath("a\\b", platform));
    expect([path("linux"), path("win32")]).toEqual(["a\\b", "BAD_PATH"]);
    expect(outcome(() => typedNewPath("a/b", "win32"))).toBe("a/b");
  });

  test.each([...["", ".", "/", "./"].map((typed) => [typed, ""] as const), ["inbox/", "inbox"], ["..", "BAD_PATH"]])(
    "of a folder: %j is %j",
    (typed, path) => {
      expect(outcome(() => typedFolder(typed))).toBe(path);
    },
  );

  test.each([
    ...[".", "./", "/", "./."].map((typed) => [typed, ""] as const),
    ["", "BAD_PATH"],
    ["./docs/", "docs"],
    ["*.txt", "*.txt"],
    ["./docs/*/", "docs/*"],
    ["../a", "BAD_PATH"],
  ])("of a source: %j is %j", (typed, source) => {
    expect(outcome(() => typedSource(typed))).toBe(source);
  });
});

describe("--as", () => {
  const as = (name: string, ...words: string[]) => outcome(() => String(asFlag({ _: words, as: name })));

  test("names one file or folder", () => {
    expect([as("./new/", "a"), as("b/new", "a"), as("new", "a", "b")]).toEqual(["new", "b/new", "USAGE"]);
    expect(asFlag({ _: ["a", "b"] })).toBeUndefined();
  });

  test.each(["", "/abs", "..", "a//b"])("is refused when it is %j", (name) => {
    expect(outcome(() => typedName(name))).toBe("USAGE");
  });

  test("has no backslash on Windows", () => {
    expect([outcome(() => typedName("a\\b", "linux")), outcome(() => typedName("a\\b", "win32"))]).toEqual([
      ...["a\\b", "USAGE"],
    ]);
  });
});

test("what happens to a file that exists is said once", () => {
  const policy = (...names: string[]) =>
    outcome(() => existsPolicy({ _: [], ...Object.fromEntries(names.map((name) => [name, true])) }));
  expect([policy(), policy("overwrite"), policy("skip-existing"), policy("rename")]).toEqual([
    ...["fail", "overwrite", "skip", "rename"],
  ]);
  expect([policy("overwrite", "rename"), policy("skip-existing", "rename")]).toEqual(["USAGE", "USAGE"]);
});

describe("a name with a backslash that is not found", () => {
  const message = (platform: NodeJS.Platform, path = "a\\b", code: "NOT_FOUND" | "NOT_ALLOWED" = "NOT_FOUND") =>
    withSlash(new CommError(code, "There is no such file."), path, platform).message;

  test("is explained on Windows, and only there", () => {
    expect(message("win32")).toBe('There is no such file. The separator between names is "/".');
    expect([message("linux"), message("win32", "a/b"), message("win32", "a\\b", "NOT_ALLOWED")]).toEqual([
      ...Array<string>(3).fill("There is no such file."),
    ]);
  });
});
