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
  test("is what the file holds, without the space around it", async () => {
    using folder = new TempFolder();
    writeFileSync(folder.join("token"), "\n a:b \r\n");
    expect(await readSecret(folder.join("token"), VARIABLE)).toBe("a:b");
  });

  test("is what the variable holds", async () => {
    process.env[VARIABLE] = " a:b\n";
    expect(await readSecret(undefined, VARIABLE)).toBe("a:b");
  });

  test("of a file that is named comes before that of the variable", async () => {
    using folder = new TempFolder();
    writeFileSync(folder.join("token"), "of the file");
    process.env[VARIABLE] = "of the variable";
    expect(await readSecret(folder.join("token"), VARIABLE)).toBe("of the file");
  });

  test.each([undefined, "", "  \n"])("was not given by a variable that is %j", async (value) => {
    if (value !== undefined) process.env[VARIABLE] = value;
    expect(await readSecret(undefined, VARIABLE)).toBeUndefined();
  });

  test("from an empty file is an error: naming one means a secret", async () => {
    using folder = new TempFolder();
    writeFileSync(folder.join("token"), "");
    await expect(readSecret(folder.join("token"), VARIABLE)).rejects.toThrow(
      expect.objectContaining({ code: "USAGE" }),
    );
  });
});

describe.skipIf(process.platform === "win32")("a pipe that is named", () => {
  const pipeIn = (folder: TempFolder) => {
    Bun.spawnSync(["mkfifo", folder.join("pipe")]);
    return folder.join("pipe");
  };

  test("is waited for until it has said all", async () => {
    using folder = new TempFolder();
    const pipe = pipeIn(folder);
    const writer = Bun.spawn(["sh", "-c", `echo a:b > ${pipe}`]);
    expect(await readSecret(pipe, VARIABLE)).toBe("a:b");
    await writer.exited;
  });

  test("and into which nobody writes is not waited for any longer than the signal says", async () => {
    using folder = new TempFolder();
    const pipe = pipeIn(folder);
    const abort = new AbortController();
    const reading = readSecret(pipe, VARIABLE, abort.signal);
    abort.abort();
    await expect(reading).rejects.toThrow(expect.objectContaining({ code: "INTERRUPTED" }));
    // Whoever still waits in the system goes.
    await Bun.spawn(["sh", "-c", `: > ${pipe}`]).exited;
  });
});

describe("a file that can't be read is told by its name", () => {
  test("when there is none", async () => {
    using folder = new TempFolder();
    const read = () => readSecret(folder.join("none"), VARIABLE);
    await expect(read()).rejects.toThrow(expect.objectContaining({ code: "NO_SUCH_FILE" }));
    await expect(read()).rejects.toThrow(folder.join("none"));
  });

  test("when it is a folder", async () => {
    using folder = new TempFolder();
    await expect(readSecret(folder.path, VARIABLE)).rejects.toThrow(expect.objectContaining({ name: "StorageError" }));
  });

  test.skipIf(noPermissionTests !== undefined)(permissionTest("when it is another's"), async () => {
    using folder = new TempFolder();
    writeFileSync(folder.join("token"), "a:b");
    chmodSync(folder.join("token"), 0o600);
    await unprivileged(folder.path, async () => {
      await expect(readSecret(folder.join("token"), VARIABLE)).rejects.toThrow(
        expect.objectContaining({ code: "DISK_DENIED" }),
      );
    });
  });
});
