import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import type { EntryFacts, Listing } from "../../../../lib/app/events.ts";
import { DiskSide } from "../../../../lib/cli/gui/disk-side.ts";
import { privatePlaces } from "../../../../lib/state/private.ts";
import { codeOf } from "../../../support/fault.ts";
import { writeTree } from "../../../support/repository.ts";
import { TempFolder } from "../../../support/temp-folder.ts";

const going = new AbortController().signal;

class Site extends TempFolder {
  readonly state = this.join("state");
  readonly side = new DiskSide(privatePlaces(this.state, []), this.join("here"));

  constructor() {
    super();
    for (const folder of ["here", "state"]) mkdirSync(this.join(folder));
  }

  async list(path: string): Promise<{ entries: EntryFacts[]; listing: Listing }> {
    const entries: EntryFacts[] = [];
    const list = this.side.list(path, going);
    for (;;) {
      const step = await list.next();
      if (step.done) return { entries, listing: step.value };
      entries.push(...step.value);
    }
  }
}

describe("the disk of this machine, as a page browses it", () => {
  test("begins in the folder of the program, and leads up to the root", async () => {
    using site = new Site();
    writeTree(site.join("here"), { "a.txt": "abc", "deep/b": "b" });
    const { entries, listing } = await site.list("");
    expect(entries.map(({ name, kind, size }) => [name, kind, size])).toEqual([
      ["a.txt", "file", 3],
      ["deep", "folder", 0],
    ]);
    expect(listing).toMatchObject({ path: site.join("here"), parent: site.path, entries: 2 });
    expect((await site.list("/")).listing.parent).toBeUndefined();
  });

  test.each([["relative"], ["../up"], ["/tmp/\0"]])("takes no path but an absolute one: %j", async (path) => {
    using site = new Site();
    expect(await codeOf(() => site.list(path))).toBe("BAD_PATH");
  });

  test("tells what is not there, and what is no folder", async () => {
    using site = new Site();
    writeTree(site.join("here"), { file: "x" });
    expect(await codeOf(() => site.list(site.join("none")))).toBe("NO_SUCH_FILE");
    expect(["NOT_A_FILE", "NO_SUCH_FILE", "DISK_FAILED", "NOT_FOUND"]).toContain(
      String(await codeOf(() => site.list(site.join("here/file")))),
    );
  });

  test("makes, renames and removes what it is told, and replaces nothing", async () => {
    using site = new Site();
    const at = (name: string) => site.join(`here/${name}`);
    writeTree(site.join("here"), { a: "a", b: "b", "full/c": "c" });
    await site.side.makeFolder(at("new"));
    expect(await codeOf(() => site.side.makeFolder(at("new")))).toBe("EXISTS");
    expect(await codeOf(() => site.side.rename(at("a"), at("b")))).toBe("EXISTS");
    await site.side.rename(at("a"), at("new/a"));
    expect(readFileSync(at("new/a"), "utf8")).toBe("a");
    await site.side.remove(at("full"));
    expect(existsSync(at("full"))).toBe(false);
  });

  test("removes a link, not what it leads to", async () => {
    using site = new Site();
    writeTree(site.path, { "kept/file": "x" });
    symlinkSync(site.join("kept"), site.join("here/link"));
    await site.side.remove(site.join("here/link"));
    expect(readFileSync(site.join("kept/file"), "utf8")).toBe("x");
  });

  test("never shows or touches where keys are kept", async () => {
    using site = new Site();
    writeTree(site.state, { "identity.pem": "secret" });
    expect((await site.list(site.path)).entries.map(({ name }) => name)).not.toContain("state");
    expect(await codeOf(() => site.list(site.state))).toBe("OWN_STATE");
    expect(await codeOf(() => site.side.remove(site.state))).toBeString();
    expect(existsSync(`${site.state}/identity.pem`)).toBe(true);
  });

  test("computes the SHA-256 of a file, and stops when nobody wants it", async () => {
    using site = new Site();
    writeTree(site.join("here"), { a: "abc" });
    expect(await site.side.digest(site.join("here/a"), going)).toStartWith("ba7816bf");
    expect(await codeOf(() => site.side.digest(site.join("here/a"), AbortSignal.abort()))).toBe("INTERRUPTED");
  });
});
