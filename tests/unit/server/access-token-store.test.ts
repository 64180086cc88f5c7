import { describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { TokenStore } from "../../../lib/server/access/token-store.ts";
import { createVerifier } from "../../../lib/server/access/verifier.ts";
import { noSmallDisk, SmallDisk, smallDiskTest } from "../../support/small-disk.ts";
import { TempFolder } from "../../support/temp-folder.ts";

const RECORD = { role: "write", createdAt: 1_700_000_000_000, expiresAt: null } as const;

class Folder extends TempFolder {
  readonly file = this.join("tokens.json");

  open(): TokenStore {
    return TokenStore.open(this.file);
  }
}

const withCode = (code: string) => expect.objectContaining({ code });

describe("the file", () => {
  test("is there from the first token on, for its owner alone", () => {
    using folder = new Folder();
    const store = folder.open();
    expect(store.hasIssued).toBe(false);
    expect(readdirSync(folder.path)).toEqual([]);
    store.add({ name: "laptop", ...RECORD });
    expect(statSync(folder.file).mode & 0o777).toBe(0o600);
    expect(folder.open().hasIssued).toBe(true);
  });

  test("is as before the first token when that could not be shown, also for the next start", () => {
    using folder = new Folder();
    const store = folder.open();
    store.add({ name: "first", ...RECORD });
    store.unissue("first");
    for (const one of [store, folder.open()]) expect([one.hasIssued, one.find("first")]).toEqual([false, undefined]);
    store.add({ name: "first", ...RECORD });
    rmSync(folder.file);
    mkdirSync(folder.file);
    expect(() => store.unissue("first")).toThrow();
    expect([store.hasIssued, store.find("first")?.name]).toEqual([true, "first"]);
  });

  test("has verifiers in it, and the secret in no form", () => {
    using folder = new Folder();
    const { secret } = folder.open().add({ name: "laptop", ...RECORD });
    const bytes = readFileSync(folder.file);
    const raw = Buffer.from(secret, "base64url");
    for (const form of [secret, raw.toString("base64"), raw.toString("hex"), Buffer.from(secret).toString("base64")]) {
      expect(bytes.includes(form)).toBe(false);
    }
    expect(bytes.includes(raw)).toBe(false);
    const [stored] = JSON.parse(bytes.toString()).tokens;
    expect(Object.keys(stored).sort()).toEqual([
      "createdAt",
      "expiresAt",
      "iterations",
      "name",
      "role",
      "salt",
      "serverKey",
      "storedKey",
    ]);
  });

  test("has what a verifier of the secret is, so that it can be checked after a restart", () => {
    using folder = new Folder();
    const { secret } = folder.open().add({ name: "laptop", ...RECORD });
    const verifier = folder.open().find("laptop")?.verifier;
    const again = createVerifier(secret, verifier?.salt as Uint8Array);
    expect(Buffer.from(verifier?.storedKey ?? [])).toEqual(Buffer.from(again.storedKey));
    expect(Buffer.from(verifier?.serverKey ?? [])).toEqual(Buffer.from(again.serverKey));
  });

  test("keeps the order, the roles and the ends of the tokens, and forgets those that are revoked", () => {
    using folder = new Folder();
    const store = folder.open();
    store.add({ name: "b", role: "read", createdAt: 1, expiresAt: 99 });
    store.add({ name: "a", role: "operator", createdAt: 2, expiresAt: null });
    store.add({ name: "c", role: "write", createdAt: 3, expiresAt: null });
    store.revoke("a");
    const records = folder.open().list();
    expect(records.map(({ verifier, ...record }) => record)).toEqual([
      { name: "b", role: "read", createdAt: 1, expiresAt: 99 },
      { name: "c", role: "write", createdAt: 3, expiresAt: null },
    ]);
    expect(folder.open().find("a")).toBeUndefined();
  });

  test.each([
    ["empty", ""],
    ["no JSON", "{"],
    ["cut", '{"version":1,"tokens":[{"name":"a"'],
    ["of no version", '{"version":0,"tokens":[]}'],
    ["without the keys", '{"version":1,"tokens":[{"name":"a","role":"read","createdAt":1,"expiresAt":null}]}'],
    [
      "of an unknown role",
      '{"version":1,"tokens":[{"name":"a","role":"root","createdAt":1,"expiresAt":null,"salt":"AAAA","iterations":4096,"storedKey":"AAAA","serverKey":"AAAA"}]}',
    ],
  ])("that is %s is refused in words that name it", (_, text) => {
    using folder = new Folder();
    writeFileSync(folder.file, text);
    expect(() => folder.open()).toThrow(withCode("DISK_FAILED"));
    expect(() => folder.open()).toThrow(folder.file);
  });

  test("that a newer program has written says so, and stays as it is", () => {
    using folder = new Folder();
    const text = '{"version":3,"tokens":{"of":"another form"}}';
    writeFileSync(folder.file, text);
    expect(() => folder.open()).toThrow(withCode("NEWER_STATE"));
    expect(() => folder.open()).toThrow(`"${folder.file}" was written by a newer version of CommServer.`);
    expect(readFileSync(folder.file, "utf8")).toBe(text);
  });

  test.each([
    ["whose keys have a wrong length", { storedKey: "AAAA" }],
    ["with a salt that others have not", { salt: "AAAA" }],
    ["with a count that others have not", { iterations: 8192 }],
  ])("%s is damaged, and no proof is ever compared with it", (_, wrong) => {
    using folder = new Folder();
    folder.open().add({ name: "laptop", ...RECORD });
    const content = JSON.parse(readFileSync(folder.file, "utf8"));
    Object.assign(content.tokens[0], wrong);
    writeFileSync(folder.file, JSON.stringify(content));
    expect(() => folder.open()).toThrow(withCode("DISK_FAILED"));
  });
});

describe("the salt of a name", () => {
  const saltOf = (store: TokenStore, name: string) =>
    Buffer.from(store.find(name)?.verifier.salt ?? store.saltOf(name)).toString("hex");

  test("stays, from one start to the next, when no token was ever made", () => {
    using folder = new Folder();
    const store = folder.open();
    store.keepSalts();
    expect(statSync(folder.file).mode & 0o777).toBe(0o600);
    const again = folder.open();
    expect(saltOf(again, "laptop")).toBe(saltOf(store, "laptop"));
    expect(again.hasIssued).toBe(false);
  });

  test("stays when it gets a token, when that is revoked, and when it gets another", () => {
    using folder = new Folder();
    const salts = new Set<string>();
    for (let round = 0; round < 2; round++) {
      salts.add(saltOf(folder.open(), "laptop"));
      folder.open().add({ name: "laptop", ...RECORD });
      salts.add(saltOf(folder.open(), "laptop"));
      folder.open().revoke("laptop");
    }
    // Nobody has asked before the first token was made: the key came with it.
    expect(salts.size).toBe(2);
    expect(folder.open().hasIssued).toBe(true);
  });

  test("is written once: a start alone changes nothing of the file", () => {
    using folder = new Folder();
    folder.open().keepSalts();
    const before = readFileSync(folder.file, "utf8");
    folder.open().keepSalts();
    expect(readFileSync(folder.file, "utf8")).toBe(before);
  });

  test("of a token of an earlier version stays the same, even after the token was revoked and made again", () => {
    using folder = new Folder();
    folder.open().add({ name: "laptop", ...RECORD });
    const { saltKey, issued, ...content } = JSON.parse(readFileSync(folder.file, "utf8"));
    content.tokens[0].salt = Buffer.alloc(16, 7).toString("base64");
    writeFileSync(folder.file, JSON.stringify(content));

    const old = folder.open();
    old.keepSalts();
    const unknown = saltOf(folder.open(), "phone");
    expect(unknown).toBe(saltOf(old, "phone"));
    const own = "07".repeat(16);
    expect([saltOf(old, "laptop"), old.hasIssued]).toEqual([own, true]);
    old.revoke("laptop");
    expect(saltOf(folder.open(), "laptop")).toBe(own);
    folder.open().add({ name: "laptop", ...RECORD });
    expect(saltOf(folder.open(), "laptop")).toBe(own);
    folder.open().revoke("laptop");
    expect([saltOf(folder.open(), "laptop"), saltOf(folder.open(), "phone")]).toEqual([own, unknown]);
  });
});

describe("a name", () => {
  test.each(["", "a b", "a:b", ".a", "a,b", "é", "a\n", "a/b", "a".repeat(65)])("can't be %j", (name) => {
    using folder = new Folder();
    expect(() => folder.open().add({ name, ...RECORD })).toThrow(withCode("BAD_PARAMS"));
    expect(readdirSync(folder.path)).toEqual([]);
  });

  test("can't be the one of the run's own token", () => {
    using folder = new Folder();
    expect(() => folder.open().add({ name: "local", ...RECORD })).toThrow(withCode("BAD_PARAMS"));
  });

  test("is given once, and again after it was revoked, with another secret", () => {
    using folder = new Folder();
    const store = folder.open();
    const first = store.add({ name: "laptop", ...RECORD });
    expect(() => store.add({ name: "laptop", ...RECORD })).toThrow(withCode("TOKEN_EXISTS"));
    store.revoke("laptop");
    expect(store.add({ name: "laptop", ...RECORD }).secret).not.toBe(first.secret);
  });

  test("that no token has can't be revoked", () => {
    using folder = new Folder();
    expect(() => folder.open().revoke("laptop")).toThrow(withCode("NO_SUCH_TOKEN"));
    expect(readdirSync(folder.path)).toEqual([]);
  });
});

describe("a file that is read again", () => {
  test("has the tokens of somebody who replaced it; those that are the same stay the same record", () => {
    using folder = new TempFolder();
    const file = folder.join("tokens.json");
    const store = TokenStore.open(file);
    store.add({ name: "kept", ...RECORD });
    const saved = readFileSync(file, "utf8");
    expect(store.reload()).toBe(false);
    store.add({ name: "gone", ...RECORD });
    const kept = store.find("kept");
    writeFileSync(file, saved);
    expect(store.reload()).toBe(true);
    expect(store.find("gone")).toBeUndefined();
    expect(store.find("kept")).toBe(kept as never);
    expect(store.reload()).toBe(false);
  });

  test("and is damaged or gone changes nothing", () => {
    using folder = new TempFolder();
    const file = folder.join("tokens.json");
    const store = TokenStore.open(file);
    store.add({ name: "kept", ...RECORD });
    const saved = readFileSync(file, "utf8");
    writeFileSync(file, "{");
    expect(() => store.reload()).toThrow(withCode("DISK_FAILED"));
    rmSync(file);
    expect(() => store.reload()).toThrow(withCode("NO_SUCH_FILE"));
    expect(store.find("kept")).toBeDefined();
    writeFileSync(file, saved);
    store.reload();
    expect(store.list()).toHaveLength(1);
  });
});

describe("a change that can't be written is undone", () => {
  test("there is no such token, and the one to revoke is still there", () => {
    using folder = new Folder();
    const store = folder.open();
    store.add({ name: "old", ...RECORD });
    const before = readFileSync(folder.file, "utf8");
    mkdirSync(`${folder.file}.new`); // where the new one would be written
    writeFileSync(`${folder.file}.new/x`, "");
    expect(() => store.add({ name: "new", ...RECORD })).toThrow();
    expect(() => store.revoke("old")).toThrow();
    expect(store.list().map(({ name }) => name)).toEqual(["old"]);
    expect(readFileSync(folder.file, "utf8")).toBe(before);
  });

  test.skipIf(noSmallDisk !== undefined)(smallDiskTest("on a full disk: DISK_FULL, and it goes on afterwards"), () => {
    using disk = new SmallDisk(64 * 1024);
    const file = disk.join("tokens.json");
    const store = TokenStore.open(file);
    store.add({ name: "first", ...RECORD });
    writeFileSync(disk.join("ballast"), "");
    fill(disk.join("ballast"));
    expect(() => store.add({ name: "second", ...RECORD })).toThrow(withCode("DISK_FULL"));
    expect(() => store.revoke("first")).toThrow(withCode("DISK_FULL"));
    expect(store.list().map(({ name }) => name)).toEqual(["first"]);
    expect(
      TokenStore.open(file)
        .list()
        .map(({ name }) => name),
    ).toEqual(["first"]);
    writeFileSync(disk.join("ballast"), "");
    store.add({ name: "second", ...RECORD });
    expect(
      TokenStore.open(file)
        .list()
        .map(({ name }) => name),
    ).toEqual(["first", "second"]);
  });
});

/** To the last byte. */
function fill(file: string): void {
  try {
    for (;;) writeFileSync(file, Buffer.alloc(1024), { flag: "a" });
  } catch {
    // now it is full
  }
}
