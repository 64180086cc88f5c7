/** COPY and MOVE by HTTP, and changes of both protocols that meet at one path. */
import { expect, test } from "bun:test";
import { linkSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import { FailingCommits } from "../support/failing-commits.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { WebSite } from "../support/web-site.ts";

const MIB = 1024 * 1024;
const LARGE = Buffer.alloc(2 * MIB + 5, "large");

const to = (path: string) => ({ headers: { destination: `/files/${path}` } });

test("a COPY that could not get its name leaves nothing of it", async () => {
  using folder = new TempFolder();
  const storage = new FailingCommits(await LocalStorage.at(folder.path));
  await using site = await WebSite.start({ writable: true, mayWrite: true, storage });
  writeFileSync(folder.join("large"), LARGE);
  expect((await site.change("COPY", "/files/large", to("copy"))).status).toBe(503);
  expect(readdirSync(folder.path)).toEqual(["large"]);
  storage.isFailing = false;
  expect((await site.change("COPY", "/files/large", to("copy"))).status).toBe(201);
  expect(readFileSync(folder.join("copy")).equals(LARGE)).toBe(true);
});

test("a MOVE to another name of the same file leaves that name alone", async () => {
  await using site = await WebSite.start({ writable: true, mayWrite: true });
  writeFileSync(site.folder.join("here"), "content");
  linkSync(site.folder.join("here"), site.folder.join("there"));
  expect((await site.change("MOVE", "/files/here", to("there"))).status).toBe(204);
  expect(readdirSync(site.folder.path)).toEqual(["there"]);
});
