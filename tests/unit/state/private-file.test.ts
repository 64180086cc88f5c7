import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { appendPrivate, closeToOthers, readPrivate, writePrivate } from "../../../lib/state/private-file.ts";
import { openBelow } from "../../support/open-files.ts";
import { noSmallDisk, SmallDisk, smallDiskTest } from "../../support/small-disk.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { noPermissionTests, permissionTest, unprivileged } from "../../support/unprivileged.ts";

const mode = (file: string) => statSync(file).mode & 0o777;

describe("a private file", () => {
  test("is there as it was written, for its owner alone", () => {
    using folder = new TempFolder();
    const file = folder.join("secret");
    writePrivate(file, "grüße\n");
    expect(readPrivate(file)).toBe("grüße\n");
    expect(mode(file)).toBe(0o600);
    expect(readdirSync(folder.path)).toEqual(["secret"]);
  });

  test("is for its owner alone whatever the umask says", () => {
    using folder = new TempFolder();
    const umask = process.umask(0);
    try {
      writePrivate(folder.join("secret"), "x");
    } finally {
      process.umask(umask);
    }
    expect(mode(folder.join("secret"))).toBe(0o600);
  });

  test("is closed to others again when one that was open is replaced", () => {
    using folder = new TempFolder();
    const file = folder.join("secret");
    writeFileSync(file, "old");
    chmodSync(file, 0o644);
    writePrivate(file, "new");
    expect({ text: readPrivate(file), mode: mode(file) }).toEqual({ text: "new", mode: 0o600 });
  });

  test("is another file than before: a process with the old one open does not see the new text", () => {
    using folder = new TempFolder();
    const file = folder.join("secret");
    writePrivate(file, "old");
    const before = statSync(file).ino;
    writePrivate(file, "new");
    expect(statSync(file).ino).not.toBe(before);
  });

  test("what an earlier process left half-written is no obstacle, also as a link", () => {
    using folder = new TempFolder();
    const file = folder.join("secret");
    writeFileSync(folder.join("elsewhere"), "untouched");
    symlinkSync(folder.join("elsewhere"), `${file}.new`);
    writePrivate(file, "new");
    expect(readPrivate(file)).toBe("new");
    expect(readFileSync(folder.join("elsewhere"), "utf8")).toBe("untouched");
  });

  test("that is not there is undefined", () => {
    using folder = new TempFolder();
    expect(readPrivate(folder.join("none"))).toBeUndefined();
    // As below a home that is no folder, such as /dev/null.
    writeFileSync(folder.join("file"), "");
    expect(readPrivate(folder.join("file/none"))).toBeUndefined();
  });

  test.skipIf(process.platform !== "linux")(
    "keeps no descriptor open, however it is written and whether that works",
    () => {
      using folder = new TempFolder();
      const file = folder.join("secret");
      writePrivate(file, "x");
      writePrivate(file, "y");
      appendPrivate(file, "z");
      closeToOthers(file);
      mkdirSync(folder.join("folder"));
      expect(() => writePrivate(folder.join("folder"), "x")).toThrow();
      expect(openBelow(folder.path)).toBe(0);
      expect(readPrivate(file)).toBe("yz");
    },
  );
});

describe("a failure is reported, and leaves the old one", () => {
  test("no folder for it", () => {
    using folder = new TempFolder();
    expect(() => writePrivate(folder.join("none", "secret"), "x")).toThrow(
      expect.objectContaining({ name: "StorageError" }),
    );
  });

  test("a folder in its place", () => {
    using folder = new TempFolder();
    mkdirSync(folder.join("secret"));
    expect(() => readPrivate(folder.join("secret"))).toThrow(expect.objectContaining({ name: "StorageError" }));
    expect(() => writePrivate(folder.join("secret"), "x")).toThrow(expect.objectContaining({ name: "StorageError" }));
    expect(readdirSync(folder.path)).toEqual(["secret"]);
  });

  test.skipIf(noPermissionTests !== undefined)(permissionTest("another user's is DISK_DENIED"), async () => {
    using folder = new TempFolder();
    const file = folder.join("secret");
    writePrivate(file, "theirs");
    await unprivileged(folder.path, () => {
      expect(() => readPrivate(file)).toThrow(expect.objectContaining({ code: "DISK_DENIED" }));
    });
  });

  test.skipIf(noPermissionTests !== undefined)(permissionTest("a folder that is closed is DISK_DENIED"), async () => {
    using folder = new TempFolder();
    mkdirSync(folder.join("closed"), { mode: 0o555 });
    await unprivileged(folder.path, () => {
      expect(() => writePrivate(folder.join("closed", "secret"), "x")).toThrow(
        expect.objectContaining({ code: "DISK_DENIED" }),
      );
    });
  });

  test.skipIf(noSmallDisk !== undefined)(smallDiskTest("a full disk is DISK_FULL, and nothing is left of it"), () => {
    using disk = new SmallDisk(64 * 1024);
    const file = disk.join("secret");
    writePrivate(file, "old");
    expect(() => writePrivate(file, "x".repeat(128 * 1024))).toThrow(expect.objectContaining({ code: "DISK_FULL" }));
    expect(readPrivate(file)).toBe("old");
    expect(readdirSync(disk.path)).toEqual(["secret"]);
  });

  test("a process that is killed between writing and renaming leaves the old one", async () => {
    using folder = new TempFolder();
    const file = folder.join("secret");
    writePrivate(file, "old");
    const script = `
      import fs from "node:fs";
      const rename = fs.renameSync;
      fs.renameSync = (from, to) => (to.endsWith("/secret") ? process.kill(process.pid, "SIGKILL") : rename(from, to));
      const { writePrivate } = await import(${JSON.stringify(`${import.meta.dir}/../../../lib/state/private-file.ts`)});
      writePrivate(${JSON.stringify(file)}, "new");`;
    const child = Bun.spawn([process.execPath, "-e", script], { stdout: "ignore", stderr: "pipe" });
    const stderr = await new Response(child.stderr).text();
    await child.exited;
    expect({ signal: child.signalCode, stderr }).toEqual({ signal: "SIGKILL", stderr: "" });
    expect(readPrivate(file)).toBe("old");
    expect(existsSync(`${file}.new`)).toBe(true);
    expect(mode(`${file}.new`)).toBe(0o600);
    writePrivate(file, "newer");
    expect(readPrivate(file)).toBe("newer");
    expect(readdirSync(folder.path)).toEqual(["secret"]);
  });

  test("two processes that write it at once leave the text of one of them, whole", async () => {
    using folder = new TempFolder();
    const file = folder.join("secret");
    const texts = ["a", "b"].map((letter) => letter.repeat(200_000));
    const writers = texts.map((text) => {
      const script = `
        import { writePrivate } from ${JSON.stringify(`${import.meta.dir}/../../../lib/state/private-file.ts`)};
        for (let turn = 0; turn < 100; turn++) {
          try {
            writePrivate(${JSON.stringify(file)}, ${JSON.stringify(text[0])}.repeat(200_000));
          } catch (error) {
            // A second of patience is short on a machine that is busy.
            if (error.code !== "BUSY") throw error;
          }
        }`;
      return Bun.spawn([process.execPath, "-e", script], { stdout: "ignore", stderr: "pipe" });
    });
    let isOver = false;
    const ends = Promise.all(writers.map((writer) => writer.exited)).then((codes) => {
      isOver = true;
      return codes;
    });
    const seen = new Set<string>();
    while (!isOver) {
      const text = readPrivate(file);
      if (text !== undefined) seen.add(texts.includes(text) ? "whole" : `torn, of ${text.length}`);
      await Bun.sleep(1);
    }
    expect({ codes: await ends, errors: await Promise.all(writers.map((w) => new Response(w.stderr).text())) }).toEqual(
      { codes: [0, 0], errors: ["", ""] },
    );
    expect([...seen]).toEqual(["whole"]);
    expect(readdirSync(folder.path)).toEqual(["secret"]);
  });
});
