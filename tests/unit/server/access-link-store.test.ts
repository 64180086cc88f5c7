import { expect, test } from "bun:test";
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { LinkStore, MAX_LINKS } from "../../../lib/server/access/link-store.ts";
import { TempFolder } from "../../support/temp-folder.ts";

const NOW = 1_700_000_000_000;
const HOUR = 3_600_000;
const WEEK = 7 * 24 * HOUR;
const FILE = { path: "docs/a.pdf", etag: "state-1" };
const withCode = (code: string) => expect.objectContaining({ code });

class Folder extends TempFolder {
  readonly file = this.join("links.json");

  open(): LinkStore {
    return LinkStore.open(this.file);
  }
}

test("a link is found by its secret alone, also after the next start, and the file does not hold the secret", () => {
  using folder = new Folder();
  const made = folder.open().add(FILE, NOW, NOW + HOUR);
  expect(made.secret).toMatch(/^[A-Za-z0-9_-]{43}$/);
  const store = folder.open();
  expect(store.find(made.secret)).toMatchObject({ ...FILE, name: made.name, expiresAt: NOW + HOUR });
  expect(store.list(NOW).map(({ name }) => name)).toEqual([made.name]);
  for (const wrong of ["", made.name, made.digest, made.secret.slice(1), `${made.secret}=`, "x".repeat(43)]) {
    expect(store.find(wrong)).toBeUndefined();
  }
  expect(readFileSync(folder.file, "utf8")).not.toContain(made.secret);
  expect(statSync(folder.file).mode & 0o777).toBe(0o600);
});

test("nothing is written before the first link", () => {
  using folder = new Folder();
  expect(folder.open().list(NOW)).toEqual([]);
  expect(readdirSync(folder.path)).toEqual([]);
});

test("a link ends when it expires or is revoked, says which, and is forgotten a week later", () => {
  using folder = new Folder();
  const store = folder.open();
  const expiring = store.add(FILE, NOW, NOW + HOUR);
  const revoked = store.add(FILE, NOW, NOW + HOUR);
  expect(store.faultOf(expiring.name, NOW + HOUR - 1)).toBeUndefined();
  expect(store.faultOf(expiring.name, NOW + HOUR)).toBe("The link has expired.");
  store.revoke(revoked.name, NOW + 1);
  expect(store.faultOf(revoked.name, NOW + 2)).toBe("The link was revoked.");
  expect(store.list(NOW + 2).map(({ name }) => name)).toEqual([expiring.name]);
  expect(() => store.revoke(revoked.name, NOW + 2)).toThrow(withCode("NOT_FOUND"));
  expect(() => store.revoke("ffffffff", NOW)).toThrow(withCode("NOT_FOUND"));
  store.add(FILE, NOW + WEEK, NOW + WEEK + HOUR);
  expect(store.find(revoked.secret)).toBeDefined();
  store.add(FILE, NOW + WEEK + 1, NOW + WEEK + HOUR);
  expect(store.find(revoked.secret)).toBeUndefined();
  expect(store.find(expiring.secret)).toBeDefined();
});

test("there are so many and no more; ended ones make room, the oldest first", () => {
  using folder = new Folder();
  const links = Array.from({ length: MAX_LINKS }, (_, index) => ({
    name: index.toString(16).padStart(8, "0"),
    ...FILE,
    createdAt: NOW,
    expiresAt: NOW + HOUR + index,
    revokedAt: null,
    digest: index.toString(16).padStart(64, "0"),
  }));
  writeFileSync(folder.file, JSON.stringify({ version: 1, links }));
  const store = folder.open();
  expect(() => store.add(FILE, NOW, NOW + HOUR)).toThrow(withCode("NOT_ALLOWED"));
  store.add(FILE, NOW + HOUR + 1, NOW + 2 * HOUR);
  expect(store.faultOf("00000000", NOW + HOUR + 1)).toBe("The link was revoked.");
  expect(store.faultOf("00000001", NOW + HOUR + 1)).toBe("The link has expired.");
  expect(store.list(0)).toHaveLength(MAX_LINKS);
});

test("a file that is damaged or of a newer version is not taken for an empty one", () => {
  using folder = new Folder();
  for (const [text, code] of [
    ["{", "DISK_FAILED"],
    ['{"version":1,"links":[{"name":"x"}]}', "DISK_FAILED"],
    ['{"version":2}', "NEWER_STATE"],
  ] as const) {
    writeFileSync(folder.file, text);
    chmodSync(folder.file, 0o600);
    expect(() => folder.open()).toThrow(withCode(code));
  }
});
