import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { BLOCK_BYTES } from "../../../lib/block.ts";
import { LocalStorage } from "../../../lib/storage/local/local.ts";
import { codeOf } from "../../support/fault.ts";
import {
  allOf,
  BindMount,
  contentOf,
  describeMounts,
  makeState,
  PrivateSite,
  STATE_PATH,
  tryAll,
} from "../../support/private-site.ts";
import { walk, writeTree } from "../../support/repository.ts";
import { until } from "../../support/until.ts";

let site: PrivateSite;
let before: Record<string, string>;
/** A folder outside of the home, which is served. */
let repository: string;
let mounts: BindMount[];

beforeEach(() => {
  site = new PrivateSite();
  repository = site.folder.join("repository");
  mounts = [];
  writeTree(repository, { "docs/a.txt": "public" });
  mkdirSync(`${repository}/mounted`);
  before = contentOf(site.state);
});

afterEach(() => {
  for (const mount of mounts.reverse()) mount[Symbol.dispose]();
  const left = contentOf(site.state);
  site[Symbol.dispose]();
  expect(left).toEqual(before);
});

function mount(what: string, at: string): void {
  mounts.push(new BindMount(what, at));
}

describeMounts("a state folder that is mounted into the repository", () => {
  test.each(["", "servers", "local"])("is no part of it: %p of it", async (below) => {
    mount(`${site.state}/${below}`, `${repository}/mounted`);
    const storage = await site.open(repository);
    expect((await walk(storage)).paths).toEqual(["docs", "docs/a.txt"]);
    for (const path of ["mounted/identity.pem", "mounted/lab.json", "mounted/new"]) {
      const told = await tryAll(storage, path);
      expect({ path, told }).toEqual({ path, told: allOf("NOT_ALLOWED", told) });
    }
  });

  test("is none with a folder above it, which is", async () => {
    writeTree(site.home, { ".local/share/b.txt": "public" });
    mount(site.home, `${repository}/mounted`);
    const storage = await site.open(repository);
    const { paths } = await walk(storage, "mounted");
    expect(paths).toContain("mounted/.local/share/b.txt");
    expect(paths.filter((path) => path.includes("commserver"))).toEqual([]);
    const told = await tryAll(storage, `mounted/${STATE_PATH}/tokens.json`);
    expect(told).toEqual(allOf("NOT_ALLOWED", told));
    for (const path of ["mounted/.local", "mounted/.local/state"]) {
      expect(await codeOf(() => storage.rename(path, "mounted/moved", { overwrite: false }))).toBe("NOT_ALLOWED");
      expect(await codeOf(() => storage.remove(path, { recursive: true }))).toBe("NOT_ALLOWED");
    }
  });

  test("ends a removal that comes to it", async () => {
    mount(site.home, `${repository}/mounted`);
    const storage = await site.open(repository);
    expect(await codeOf(() => storage.remove("mounted", { recursive: true }))).toBe("NOT_ALLOWED");
  });

  test("later than the server was started is none either", async () => {
    const storage = await site.open(repository);
    await walk(storage);
    mount(site.state, `${repository}/mounted`);
    // A folder that is open stands for its path a moment longer.
    await until(async () => (await codeOf(() => storage.open("mounted/identity.pem"))) === "NOT_ALLOWED");
    expect((await walk(storage)).paths).toEqual(["docs", "docs/a.txt"]);
  });

  test("is none as a single file", async () => {
    writeFileSync(`${repository}/docs/mounted.pem`, "");
    mount(`${site.state}/identity.pem`, `${repository}/docs/mounted.pem`);
    const storage = await site.open(repository);
    expect((await walk(storage, "docs")).paths).toEqual(["docs/a.txt"]);
    expect(await codeOf(() => storage.open("docs/mounted.pem"))).toBe("NOT_ALLOWED");
    expect(await codeOf(() => storage.load("docs/mounted.pem", BLOCK_BYTES))).toBe("NOT_ALLOWED");
  });

  test("and is another server's is known by its mark", async () => {
    makeState(site.folder.join("other"));
    for (const below of ["", "servers"]) {
      mkdirSync(`${repository}/mounted${below}`, { recursive: true });
      mount(`${site.folder.join("other")}/${below}`, `${repository}/mounted${below}`);
    }
    const storage = await site.open(repository);
    expect((await walk(storage)).paths).toEqual(["docs", "docs/a.txt"]);
    expect(await codeOf(() => storage.open("mountedservers/lab.json"))).toBe("NOT_ALLOWED");
  });
});

describeMounts("a repository that is a mount", () => {
  test("of a home is reported to hold the state folder, and keeps it out", async () => {
    mount(site.home, `${repository}/mounted`);
    const storage = await site.open(`${repository}/mounted`);
    expect(storage.privateBelow).toEqual([site.state]);
    expect((await walk(storage)).paths).not.toContain(STATE_PATH);
    expect(await codeOf(() => storage.rename(".local", "x", { overwrite: false }))).toBe("NOT_ALLOWED");
  });

  test.each(["", "servers", "kept"])("of a state folder is refused: %p of it", async (below) => {
    mount(`${site.state}/${below}`, `${repository}/mounted`);
    const opened = site.open(`${repository}/mounted`).then(
      () => "opened",
      ({ code }) => code,
    );
    // What is in a state folder by the user's own hand is not known apart from it.
    expect(await opened).toBe("OWN_STATE");
  });

  test("in a state folder is refused", async () => {
    mkdirSync(`${site.state}/kept/mount`);
    mount(repository, `${site.state}/kept/mount`);
    expect(await codeOf(() => LocalStorage.at(`${site.state}/kept/mount`))).toBe("OWN_STATE");
  });

  test("over the state folder hides that, and what is served then is what is there", async () => {
    renameSync(`${repository}/docs`, `${repository}/mounted/docs`);
    mount(`${repository}/mounted`, site.state);
    const storage = await site.open();
    // It is the state folder now: the next start would look for its keys in it.
    expect(await codeOf(() => storage.open(`${STATE_PATH}/docs/a.txt`))).toBe("NOT_ALLOWED");
  });
});
