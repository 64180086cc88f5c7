import { describe, expect, test } from "bun:test";
import { errnoOf } from "../../../lib/errno.ts";
import { StorageError } from "../../../lib/errors.ts";
import { readError, writeError } from "../../../lib/storage/disk-error.ts";

const systemError = (code: string) => Object.assign(new Error(`${code}: some reason`), { code });

describe("readError()", () => {
  test.each([
    ["ENOENT", "NOT_FOUND"],
    ["ENOTDIR", "NOT_FOUND"],
    ["EACCES", "UNREADABLE"],
    ["EPERM", "UNREADABLE"],
    ["ELOOP", "UNREADABLE"],
    ["ENAMETOOLONG", "BAD_PATH"],
    ["EIO", "INTERNAL"],
  ])("makes %s to %s, names the file and keeps the cause", (errno, code) => {
    const cause = systemError(errno);
    const error = readError(cause, "docs/a.txt");
    expect(error).toBeInstanceOf(StorageError);
    expect(error.code as string).toBe(code);
    expect(error.message).toContain('"docs/a.txt"');
    expect(error.cause).toBe(cause);
  });

  test.each(["EMFILE", "ENFILE"])(
    "says of %s nothing of the file: it is the server that has too many open",
    (errno) => {
      const cause = systemError(errno);
      const error = readError(cause, "docs/a.txt");
      expect({ code: error.code, cause: error.cause }).toEqual({ code: "OVERLOADED", cause });
      expect(error.message).not.toContain("docs");
      expect(readError(cause, "a", "user").code).toBe("TOO_MANY_FILES");
      expect(writeError(cause, "a").code).toBe("TOO_MANY_FILES");
    },
  );

  test("does not tell a peer where the repository lies on the server", () => {
    const cause = Object.assign(new Error("EIO: i/o error, open '/srv/private/a'"), { code: "EIO" });
    expect(readError(cause, "a").message).not.toContain("/srv");
  });
});

describe("writeError()", () => {
  test.each([
    ["ENOSPC", "DISK_FULL"],
    ["EDQUOT", "DISK_FULL"],
    ["EACCES", "DISK_DENIED"],
    ["EPERM", "DISK_DENIED"],
    ["EROFS", "DISK_DENIED"],
    ["ENOENT", "DISK_DENIED"],
    ["ENOTDIR", "DISK_DENIED"],
    ["EEXIST", "EXISTS"],
    ["EIO", "DISK_FAILED"],
    ["EFBIG", "TOO_LARGE"],
  ])("makes %s to %s, names the file and keeps the cause", (errno, code) => {
    const cause = systemError(errno);
    const error = writeError(cause, "report.pdf");
    expect(error).toBeInstanceOf(StorageError);
    expect(error.code as string).toBe(code);
    expect(error.message).toContain('"report.pdf"');
    expect(error.cause).toBe(cause);
  });

  test("says the reason of what it does not know", () => {
    expect(writeError(systemError("EIO"), "x").message).toContain("some reason");
    expect(writeError("just words", "x")).toMatchObject({
      code: "DISK_FAILED",
      message: expect.stringContaining("just words"),
    });
  });
});

test("readError() and writeError() leave a StorageError as it is", () => {
  const error = new StorageError("NOT_ALLOWED", "a link");
  expect(readError(error, "x")).toBe(error);
  expect(writeError(error, "x")).toBe(error);
});

test("errnoOf() is empty for what is no system error", () => {
  expect([errnoOf(systemError("EIO")), errnoOf(new Error("x")), errnoOf("EIO"), errnoOf(undefined)]).toEqual(
    ["EIO", "", "", ""], //
  );
});
