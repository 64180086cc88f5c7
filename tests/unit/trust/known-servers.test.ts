import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import { type KnownServer, KnownServers } from "../../../lib/trust/known-servers.ts";
import { stateNames } from "../../support/state-names.ts";
import { TempFolder } from "../../support/temp-folder.ts";

const TOKEN = `laptop:${"s".repeat(43)}`;
const LAB: KnownServer = { name: "lab", addresses: ["192.0.2.7:5050"], identity: null, token: TOKEN };

describe("KnownServers", () => {
  test("gives back what was kept, also another time", () => {
    using folder = new TempFolder();
    new KnownServers(folder.join("state")).save(LAB);
    expect(new KnownServers(folder.join("state")).find("lab")).toMatchObject(LAB);
  });

  test("is for its owner alone: folders and files", () => {
    using folder = new TempFolder();
    const umask = process.umask(0);
    try {
      new KnownServers(folder.join("state")).save(LAB);
    } finally {
      process.umask(umask);
    }
    const mode = (...names: string[]) => statSync(folder.join("state", ...names)).mode & 0o777;
    expect([mode(), mode("servers"), mode("servers", "lab.json")]).toEqual([0o700, 0o700, 0o600]);
  });

  test("has a place of its own for any name, and none outside of its folder", () => {
    const name = fc.oneof(
      fc.string({ minLength: 1, maxLength: 20 }),
      fc.constantFrom("..", ".", "../x", "/etc/passwd", "a/b", "CON", "lab.json", "%2e", "a\u0000b", "[::1]:5050"),
    );
    using folder = new TempFolder();
    const known = new KnownServers(folder.path);
    fc.assert(
      fc.property(fc.uniqueArray(name, { minLength: 1, maxLength: 4 }), (names) => {
        for (const each of names) known.save({ ...LAB, name: each });
        for (const each of names) {
          expect(known.find(each)?.name).toBe(each);
          known.forget(each);
          expect(known.find(each)).toBeUndefined();
        }
        expect(stateNames(folder.path)).toEqual(["servers"]);
        expect(stateNames(folder.join("servers"))).toEqual([]);
      }),
    );
  });

  test("tells names apart that differ in the case of letters only, on every file system", () => {
    using folder = new TempFolder();
    const known = new KnownServers(folder.path);
    known.save({ ...LAB, name: "Lab" });
    known.save({ ...LAB, name: "lab" });
    const files = stateNames(folder.join("servers")).map((file) => file.toLowerCase());
    expect(new Set(files).size).toBe(2);
  });

  test("does not know what it does not know, also by a name as long as a line", () => {
    using folder = new TempFolder();
    const known = new KnownServers(folder.path);
    expect(known.find("lab")).toBeUndefined();
    expect(known.find("l".repeat(300))).toBeUndefined();
    expect(known.list()).toEqual([]);
    expect(() => known.forget("lab")).toThrow(expect.objectContaining({ code: "NO_SUCH_SERVER" }));
    expect(readdirSync(folder.path)).toEqual([]);
  });

  test("lists by name, and leaves out what is damaged or not its own", () => {
    using folder = new TempFolder();
    const known = new KnownServers(folder.path);
    for (const name of ["b", "a", "c"]) known.save({ ...LAB, name });
    writeFileSync(folder.join("servers", "b.json"), "{");
    writeFileSync(folder.join("servers", "notes.txt"), "x");
    writeFileSync(folder.join("servers", "%zz.json"), "{}");
    expect(known.list().map(({ name }) => name)).toEqual(["a", "c"]);
  });

  test.each([
    ["empty", ""],
    ["cut", '{"version":1,"name":"lab"'],
    ["without identity", '{"version":1,"name":"lab","addresses":[]}'],
  ])("says which file is %s, and does not take it for a server that is not known", (_, text) => {
    using folder = new TempFolder();
    const known = new KnownServers(folder.path);
    known.save(LAB);
    writeFileSync(folder.join("servers", "lab.json"), text);
    expect(() => known.find("lab")).toThrow(expect.objectContaining({ code: "DISK_FAILED" }));
    expect(() => known.find("lab")).toThrow(folder.join("servers", "lab.json"));
    known.forget("lab");
    expect(known.find("lab")).toBeUndefined();
  });

  test("says of a file that a newer program has written that it is newer, also in a list", () => {
    using folder = new TempFolder();
    const known = new KnownServers(folder.path);
    known.save(LAB);
    writeFileSync(folder.join("servers", "lab.json"), '{"version":2,"name":"lab","hosts":{}}');
    expect(() => known.find("lab")).toThrow(expect.objectContaining({ code: "NEWER_STATE" }));
    const faults: string[] = [];
    expect(known.list(({ message }) => faults.push(message))).toEqual([]);
    expect(faults).toEqual([expect.stringContaining("written by a newer version of CommServer")]);
  });

  test("says in words that it can't be kept: here there is a file where its folder should be", () => {
    using folder = new TempFolder();
    writeFileSync(folder.join("servers"), "");
    const known = new KnownServers(folder.path);
    const told = expect.objectContaining({ name: "StorageError" });
    expect(() => known.save(LAB)).toThrow(told);
    expect(readFileSync(folder.join("servers"), "utf8")).toBe("");
  });
});

describe("joining a server under a known name", () => {
  const OTHER: KnownServer = { ...LAB, identity: `SHA256:${"A".repeat(43)}` };

  test("takes another token and address of the same server", () => {
    using folder = new TempFolder();
    const known = new KnownServers(folder.path);
    known.save(LAB);
    const moved = { ...LAB, addresses: ["192.0.2.8:5050"] };
    known.join(moved, { replace: false });
    expect(known.find("lab")).toEqual(moved);
  });

  test("replaces another server only when it may", () => {
    using folder = new TempFolder();
    const known = new KnownServers(folder.path);
    known.save(LAB);
    expect(() => known.join(OTHER, { replace: false })).toThrow(expect.objectContaining({ code: "SERVER_KNOWN" }));
    expect(known.find("lab")).toEqual(LAB);
    known.join(OTHER, { replace: true });
    expect(known.find("lab")).toEqual(OTHER);
  });
});
