import { expect, test } from "bun:test";
import { isFolderName } from "../../../lib/cli/client/local-target.ts";

test.each([
  ["out/", "linux", true],
  ["out/", "win32", true],
  ["/", "linux", true],
  ["C:\\out\\", "win32", true],
  ["C:\\", "win32", true],
  ["out\\", "win32", true],
  ["C:/out/", "win32", true],
  ["C:\\out", "win32", false],
  ["C:/out", "win32", false],
  // A backslash is a letter there.
  ["C:\\out\\", "linux", false],
  ["out\\", "darwin", false],
  ["out", "linux", false],
] as const)("--output %s on %s is a folder by its name: %p", (name, platform, isFolder) => {
  expect(isFolderName(name, platform)).toBe(isFolder);
});
