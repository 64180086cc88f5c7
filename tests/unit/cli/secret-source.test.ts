import { afterEach, describe, expect, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { readSecret } from "../../../lib/cli/secret-source.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { noPermissionTests, permissionTest, unprivileged } from "../../support/unprivileged.ts";

const VARIABLE = "COMMSERVER_TEST_SECRET";

afterEach(() => {
  delete process.env[VARIABLE];
});

describe("a secret", () => {
  test("is what the file holds, without the space around it", () => {
    using folder = new TempFolder();
    writeFileSync(folder.join("token"), "\n a:b \r\n");
    expect(readSecret(folder.join("token"), VARIABLE)).toBe("a:b");
  });

  test("is what the variable holds", () => {
    process.env[VARIABLE] = " a:b\n";
    expect(readSecret(undefined, VARIABLE)).toBe("a:b");
  });

  test("of a file that is named comes before that of the variable", () => {
    using folder = new TempFolder();
    writeFileSync(folder.join("token"), "of the file");
    process.env[VARIABLE] = "of the variable";
    expect(readSecret(folder.join("token"), VARIABLE)).toBe("of the file");
  });

  test.each([undefined, "", "  \n"])("was not given by a variable that is %j", (value) => {
    if (value !== undefined) process.env[VARIABLE] = value;
    expect(readSecret(undefined, VARIABLE)).toBeUndefined();
  });

  test("of an empty file is told: who names one means a secret", () => {
    using folder = new TempFolder();
    writeFileSync(folder.join("token"), "");
    expect(() => readSecret(folder.join("token"), VARIABLE)).toThrow(expect.objectContaining({ code: "USAGE" }));
  });
});

describe("a file that can't be read is told by its name", () => {
  test("when there is none", () => {
    using folder = new TempFolder();
    const read = () => readSecret(folder.join("none"), VARIABLE);
    expect(read).toThrow(expect.objectContaining({ code: "NO_SUCH_FILE" }));
    expect(read).toThrow(folder.join("none"));
  });

  test("when it is a folder", () => {
    using folder = new TempFolder();
    expect(() => readSecret(folder.path, VARIABLE)).toThrow(expect.objectContaining({ name: "StorageError" }));
  });

  test.skipIf(noPermissionTests !== undefined)(permissionTest("when it is another's"), async () => {
    using folder = new TempFolder();
    writeFileSync(folder.join("token"), "a:b");
    chmodSync(folder.join("token"), 0o600);
    await unprivileged(folder.path, () => {
      expect(() => readSecret(folder.join("token"), VARIABLE)).toThrow(
        expect.objectContaining({ code: "DISK_DENIED" }),
      );
    });
  });
});
