import { expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { errnoOf, writeError } from "../../../lib/storage/disk-error.ts";
import { OpenFolder } from "../../../lib/storage/open-folder.ts";
import { nameFault } from "../../../lib/storage/refused-name.ts";
import { TempFolder } from "../../support/temp-folder.ts";

const systemError = (code: string, syscall: string) => Object.assign(new Error(code), { code, syscall });

test.each(["open", "mkdir", "rename", "link"])(
  "a name that the disk refuses at %s is BAD_PATH, on either side",
  (call) => {
    for (const owner of ["server", "user"] as const) {
      for (const errno of ["EINVAL", "EILSEQ"]) {
        const error = writeError(systemError(errno, call), '"a?"', owner);
        expect(error).toMatchObject({ code: "BAD_PATH", message: expect.stringContaining("can't hold") });
      }
    }
  },
);

test("what is no matter of a name is none", () => {
  expect(writeError(systemError("EINVAL", "ftruncate"), "a").code).toBe("DISK_FAILED");
});

test("that nothing is there means the name only where the folder is, and the name is one to doubt", () => {
  using site = new TempFolder();
  const folder = OpenFolder.open(site.path);
  const missing = systemError("ENOENT", "open");
  const meaning = (name: string) => errnoOf(nameFault(missing, folder, name));
  for (const name of ["a?", "a:b", "tab\there", "...", "dot.", "space "]) expect(meaning(name)).toBe("EILSEQ");
  expect(meaning("plain")).toBe("ENOENT");
  rmSync(site.path, { recursive: true });
  expect(meaning("a?")).toBe("ENOENT");
  folder.release();
});
