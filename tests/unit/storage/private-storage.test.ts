import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import fs, {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { BLOCK_BYTES } from "../../../lib/block.ts";
import { makeStateDir } from "../../../lib/state/state-dir.ts";
import { LocalStorage } from "../../../lib/storage/local/local.ts";
import { PrivatePlaces } from "../../../lib/storage/local/private/private-places.ts";
import type { StorageChange } from "../../../lib/storage/storage.ts";
import { codeOf, faultOf } from "../../support/fault.ts";
import { allOf, contentOf, makeState, PrivateSite, STATE_PATH, tryAll } from "../../support/private-site.ts";
import { readWhole, walk, writeTree } from "../../support/repository.ts";
import { factsOf, store, writeMissing } from "../../support/storing.ts";
import { noise } from "../../support/transport-recorder.ts";
import { until } from "../../support/until.ts";

const LARGE = noise(BLOCK_BYTES + 1);
/** What is said of a folder that has a mark, and no name that is reserved, before anybody looks into it. */
const NO_FILE = { load: "done", store: "EXISTS" };
/** Longer than a folder that was seen to be public is taken for it. */
const WHILE_MS = 60;

let site: PrivateSite;
let before: Record<string, string>;

beforeEach(() => {
  site = new PrivateSite();
  before = contentOf(site.state);
});

afterEach(() => {
  // Whatever a test has tried.
  const left = contentOf(site.state);
  site[Symbol.dispose]();
  expect(left).toEqual(before);
});

/** The test moves, or adds to, the state folder itself. */
function expectMoved(): void {
  before = contentOf(site.state);
}

/** The code that `work` fails with; undefined when it does not. */
function code(work: () => Promise<unknown>): Promise<string | undefined> {
  return work().then(
    () => undefined,
    (thrown) => thrown.code,
  );
}

/** What all tries are told. @returns those that got something else than this code */
async function others(storage: LocalStorage, path: string, code = "NOT_ALLOWED"): Promise<Record<string, string>> {
  const told = await tryAll(storage, path);
  return Object.fromEntries(Object.entries(told).filter(([, got]) => got !== code));
}

describe("a state folder in the repository", () => {
  test.each([
    STATE_PATH,
    `${STATE_PATH}/identity.pem`,
    `${STATE_PATH}/tokens.json`,
    `${STATE_PATH}/servers`,
    `${STATE_PATH}/servers/lab.json`,
    `${STATE_PATH}/local/5050.json`,
    `${STATE_PATH}/kept`,
    `${STATE_PATH}/kept/by/the/user.txt`,
  ])("is not told, opened, made, placed, moved or removed: %s", async (path) => {
    expect(await others(await site.open(), path)).toEqual({});
  });

  test.each([
    [`${STATE_PATH}/missing`, `${STATE_PATH}/tokens.json`],
    [`${STATE_PATH}/kept/missing/deeper`, `${STATE_PATH}/kept/by/the`],
    [`${STATE_PATH}/identity.pem/below`, `${STATE_PATH}/servers/missing`],
  ])("does not tell what is in it, nor what is not: %s", async (missing, there) => {
    const storage = await site.open();
    const words = async (path: string) =>
      [() => storage.stat(path), () => storage.open(path), () => walk(storage, path)].map(async (work) =>
        (await faultOf(work)).message.replace(/^"[^"]*"/, "PATH"),
      );
    expect(await Promise.all(await words(missing))).toEqual(await Promise.all(await words(there)));
    expect(await others(storage, missing)).toEqual({});
  });

  test("is in no list, and counts for nothing there", async () => {
    const storage = await site.open();
    const all = [".local", ".local/share", ".local/share/b.txt", ".local/state", "docs", "docs/a.txt"];
    expect(await walk(storage)).toMatchObject({ paths: all, skipped: 0 });
    expect(await walk(storage, ".local/state")).toMatchObject({ paths: [], skipped: 0 });
  });

  test("has no unfinished files, and loses none", async () => {
    writeFileSync(`${site.state}/x.commserver-part`, "part");
    expectMoved();
    const storage = await site.open();
    expect(await Array.fromAsync(storage.unfinished())).toEqual([]);
    expect(await codeOf(() => storage.removeUnfinished(`${STATE_PATH}/x.commserver-part`))).toBe("NOT_ALLOWED");
  });

  test("is not watched", async () => {
    const storage = await site.open();
    const changes: StorageChange[] = [];
    const stop = await storage.watch((more) => changes.push(...more));
    writeFileSync(`${site.state}/new.json`, "x");
    writeFileSync(`${site.state}/tokens.json`, "changed");
    rmSync(`${site.state}/history`);
    expectMoved();
    writeFileSync(site.join("docs/seen.txt"), "x");
    await until(() => changes.length > 0);
    stop();
    expect(changes).toMatchObject([{ change: "added", path: "docs/seen.txt" }]);
  });

  test("stays where it is when a folder above it is to be removed, and so does everything else there", async () => {
    const storage = await site.open();
    for (const path of [".local", ".local/state"]) {
      for (const work of [
        () => storage.remove(path, { recursive: true }),
        () => storage.remove(path, { recursive: false }),
        () => storage.rename(path, "moved", { overwrite: false }),
        () => storage.rename("docs/a.txt", path, { overwrite: true }),
        () => store(storage, path, noise(3), { exists: "overwrite" }),
      ]) {
        expect(await codeOf(work)).toBe("NOT_ALLOWED");
      }
    }
    expect((await readWhole(storage, ".local/share/b.txt")).toString()).toBe("public");
    // What only stands beside the way is everybody's.
    await storage.remove(".local/share", { recursive: true });
    await storage.rename("docs", ".local/docs", { overwrite: false });
    await store(storage, ".local/state/other/c.txt", noise(3));
    expect(readdirSync(site.join(".local/state")).sort()).toEqual(["commserver", "other"]);
  });

  test("is refused through links in the repository, whatever they lead to of it", async () => {
    const links = {
      "to-state": STATE_PATH,
      "to-servers": `${STATE_PATH}/servers`,
      "to-deep": `${STATE_PATH}/kept/by/the`,
      "to-way": ".local/state",
      "to-file": `${STATE_PATH}/identity.pem`,
      absolute: site.state,
      up: ".",
    };
    for (const [name, target] of Object.entries(links)) symlinkSync(target, site.join(name));
    const storage = await site.open();
    for (const path of [
      "to-state/identity.pem",
      "to-state/servers",
      "to-servers/lab.json",
      "to-deep/user.txt",
      "to-way/commserver",
      "to-way/commserver/tokens.json",
      "absolute/tokens.json",
      `up/${STATE_PATH}/tokens.json`,
      `up/up/${STATE_PATH}`,
    ]) {
      expect({ path, others: await others(storage, path) }).toEqual({ path, others: {} });
    }
    for (const name of Object.keys(links).filter((each) => !["up", "to-way"].includes(each))) {
      for (const work of [() => storage.stat(name), () => storage.open(name), () => walk(storage, name)]) {
        expect(await codeOf(work)).toBe("NOT_ALLOWED");
      }
    }
    expect(await walk(storage, "to-way")).toMatchObject({ paths: [], skipped: 0 });
    const kinds = (await walk(storage, "", () => false)).entries.map(({ path, kind }) => `${path} ${kind}`);
    expect(kinds.filter((each) => each.startsWith("to-") || each.startsWith("absolute"))).toEqual(
      ["absolute", "to-deep", "to-file", "to-servers", "to-state", "to-way"].map((name) => `${name} link`),
    );
  });

  test("keeps its files to itself when they have other names as well", async () => {
    for (const file of ["identity.pem", "tokens.json", "servers/lab.json", "local/5050.json"]) {
      linkSync(`${site.state}/${file}`, site.join("docs", file.replaceAll("/", "-")));
    }
    const storage = await site.open();
    expect((await walk(storage, "docs")).paths).toEqual(["docs/a.txt"]);
    for (const name of ["identity.pem", "tokens.json", "servers-lab.json", "local-5050.json"]) {
      const path = `docs/${name}`;
      for (const work of [
        () => storage.stat(path),
        () => storage.open(path),
        () => storage.load(path, BLOCK_BYTES),
        () => storage.place(path, factsOf(Buffer.from("KEY")), "fail"),
        () => storage.rename(path, "docs/stolen", { overwrite: true }),
        () => storage.rename("docs/a.txt", path, { overwrite: true }),
        () => storage.remove(path, { recursive: false }),
      ]) {
        expect(await codeOf(work)).toBe("NOT_ALLOWED");
      }
    }
  });

  test("takes no file for its own that has got the number of one which it lost a moment ago", async () => {
    const storage = await site.open();
    for (let turn = 0; turn < 20; turn++) {
      writeFileSync(`${site.state}/tokens.json.new`, "x");
      await walk(storage);
      rmSync(`${site.state}/tokens.json.new`);
      await store(storage, `docs/${turn}`, noise(3));
      expect(await storage.stat(`docs/${turn}`)).toMatchObject({ kind: "file" });
    }
  });

  test("keeps a file to itself that was put in the place of another, under a name that it had before", async () => {
    const storage = await site.open();
    await storage.stat("docs/a.txt");
    // As tokens.json is written: another inode.
    writeFileSync(`${site.state}/tokens.json.new`, "NEW");
    renameSync(`${site.state}/tokens.json.new`, `${site.state}/tokens.json`);
    expectMoved();
    linkSync(`${site.state}/tokens.json`, site.join("docs/alias"));
    await until(async () => (await walk(storage, "docs")).paths.join() === "docs/a.txt");
    expect(await codeOf(() => storage.open("docs/alias"))).toBe("NOT_ALLOWED");
  });
});

describe("the way to a state folder", () => {
  test("may lead through links: neither they nor what they lead to can be taken away", async () => {
    mkdirSync(site.join("disk"));
    renameSync(site.join(".local"), site.join("disk/local"));
    symlinkSync("disk/local", site.join("links"));
    symlinkSync("links", site.join(".local"));
    const storage = await site.open();
    for (const path of [".local", "links", "disk", "disk/local", "disk/local/state"]) {
      for (const work of [
        () => storage.remove(path, { recursive: true }),
        () => storage.rename(path, "moved", { overwrite: false }),
        () => storage.rename("docs/a.txt", path, { overwrite: true }),
        () => store(storage, path, noise(3), { exists: "overwrite" }),
      ]) {
        expect({ path, code: await codeOf(work) }).toEqual({ path, code: "NOT_ALLOWED" });
      }
    }
    expect(await others(storage, "disk/local/state/commserver/tokens.json")).toEqual({});
    expect((await walk(storage)).paths).toContain("disk/local/share/b.txt");
  });

  test("that is not there yet can't be made, in no way of writing it, and what else is made there can", async () => {
    before = {};
    rmSync(site.join(".local"), { recursive: true });
    const storage = await site.open();
    for (const path of [
      STATE_PATH,
      `${STATE_PATH}/tokens.json`,
      `${STATE_PATH}/servers/x.json`,
      ".local/state/CommServer",
      ".local/state/comm\u017ferver", // a long s
      ".local/state/commserver.", // cut off on FAT
      ".local/state/comm\u200cserver", // not seen on HFS+
      ".local/state/\uff43ommserver", // a wide c
    ]) {
      for (const work of [
        () => storage.makeFolder(path),
        () => storage.makeFolder(`${path}/deeper/still`),
        () => store(storage, path, noise(3), { exists: "overwrite" }),
        () => store(storage, `${path}/x`, noise(3)),
        () => storage.receive(path, factsOf(LARGE), "fail"),
        () => storage.rename("docs", path, { overwrite: false }),
        () => storage.rename("docs/a.txt", path, { overwrite: true }),
      ]) {
        expect({ path, code: await codeOf(work) }).toEqual({ path, code: "NOT_ALLOWED" });
      }
    }
    expect(existsSync(site.join(".local"))).toBe(false);
    await store(storage, ".local/state/other/x", noise(3));
  });

  test("is private in no other way of writing it either, for there are file systems that make no difference", async () => {
    const alike = [".LOCAL/share/x", ".local/STATE/CommServer/tokens.json", ".local/state/comm\u017ferver/x"];
    // Made by others than clients; here they are other folders.
    writeTree(site.home, Object.fromEntries(alike.map((path) => [path, "not to be told"])));
    const storage = await site.open();
    const { paths } = await walk(storage);
    expect(paths.filter((path) => /comm/i.test(path))).toEqual([]);
    for (const path of alike.slice(1)) expect(await others(storage, path)).toEqual({});
    for (const path of [".LOCAL", ".local/STATE"]) {
      expect(await codeOf(() => storage.rename(path, "moved", { overwrite: false }))).toBe("NOT_ALLOWED");
      expect(await codeOf(() => storage.remove(path, { recursive: true }))).toBe("NOT_ALLOWED");
    }
    expect((await readWhole(storage, ".LOCAL/share/x")).toString()).toBe("not to be told");
    expect(await codeOf(() => storage.makeFolder(".Local"))).toBe("NOT_ALLOWED");
  });

  test("that is not there yet can't be brought in one piece, nor be blocked by a file", async () => {
    before = {};
    rmSync(site.join(".local"), { recursive: true });
    writeTree(site.home, { "mine/state/commserver/tokens.json": "MINE" });
    const storage = await site.open();
    for (const work of [
      () => storage.rename("mine", ".local", { overwrite: false }),
      () => storage.rename("docs/a.txt", ".local", { overwrite: false }),
      () => store(storage, ".local", noise(3)),
    ]) {
      expect(await codeOf(work)).toBe("NOT_ALLOWED");
    }
    expect(await storage.makeFolder(".local")).toBe(true);
    expect(await codeOf(() => storage.rename("mine/state", ".local/state", { overwrite: false }))).toBe("NOT_ALLOWED");
  });
});

describe("a key in the repository", () => {
  beforeEach(() => writeTree(site.home, { "tls/live/key.pem": "KEY", "tls/readme.txt": "public" }));

  test("is no part of it, and its folder stays", async () => {
    const storage = await site.open(site.home, [site.join("tls/live/key.pem")]);
    expect((await walk(storage, "tls")).paths).toEqual(["tls/live", "tls/readme.txt"]);
    expect(await others(storage, "tls/live/key.pem")).toEqual({});
    for (const path of ["tls", "tls/live"]) {
      expect(await codeOf(() => storage.remove(path, { recursive: true }))).toBe("NOT_ALLOWED");
      expect(await codeOf(() => storage.rename(path, "moved", { overwrite: false }))).toBe("NOT_ALLOWED");
    }
    expect(fs.readFileSync(site.join("tls/live/key.pem"), "utf8")).toBe("KEY");
  });

  test("is none either when it was renewed a moment ago, or is not there for a moment", async () => {
    const storage = await site.open(site.home, [site.join("tls/live/key.pem")]);
    for (let turn = 0; turn < 20; turn++) {
      await walk(storage);
      writeFileSync(site.join("tls/new"), `KEY ${turn}`);
      renameSync(site.join("tls/new"), site.join("tls/live/key.pem"));
      expect(await codeOf(() => storage.open("tls/live/key.pem"))).toBe("NOT_ALLOWED");
      expect(await codeOf(() => storage.load("tls/live/key.pem", 100))).toBe("NOT_ALLOWED");
    }
    rmSync(site.join("tls/live/key.pem"));
    expect(await codeOf(() => store(storage, "tls/live/key.pem", noise(3)))).toBe("NOT_ALLOWED");
  });

  test("is not watched, nor is a file of the state folder by another name", async () => {
    linkSync(`${site.state}/identity.pem`, site.join("docs/hard.pem"));
    const storage = await site.open(site.home, [site.join("tls/live/key.pem")]);
    const changes: StorageChange[] = [];
    const stop = await storage.watch((more) => changes.push(...more));
    fs.utimesSync(site.join("docs/hard.pem"), 1, 1);
    writeFileSync(site.join("tls/live/key.pem"), "NEW");
    writeFileSync(site.join("tls/new"), "NEWER");
    renameSync(site.join("tls/new"), site.join("tls/live/key.pem"));
    await until(() => fs.readFileSync(site.join("tls/live/key.pem"), "utf8") === "NEWER");
    rmSync(site.join("tls/live/key.pem"));
    makeStateDir(site.join("tls/live"));
    rmSync(site.join("tls/live"), { recursive: true });
    writeFileSync(site.join("docs/last.txt"), "x");
    const told = () => changes.map((change) => `${change.change} ${"path" in change ? change.path : ""}`).sort();
    // Changes of several folders come in any order.
    await until(() => ["added docs/last.txt", "removed tls/live"].every((change) => told().includes(change)));
    stop();
    expect(told()).toEqual(["added docs/last.txt", "removed tls/live"]);
  });

  test("may be a link, which is none to take away, as what it leads to is none", async () => {
    renameSync(site.join("tls/live/key.pem"), site.join("tls/key1.pem"));
    symlinkSync("../key1.pem", site.join("tls/live/key.pem"));
    const storage = await site.open(site.home, [site.join("tls/live/key.pem")]);
    expect(await others(storage, "tls/key1.pem")).toEqual({});
    for (const work of [
      () => storage.open("tls/live/key.pem"),
      () => storage.remove("tls/live/key.pem", { recursive: false }),
      () => storage.rename("docs/a.txt", "tls/live/key.pem", { overwrite: true }),
      () => store(storage, "tls/live/key.pem", noise(3), { exists: "overwrite" }),
    ]) {
      expect(await codeOf(work)).toBe("NOT_ALLOWED");
    }
  });
});

describe("a state folder that nobody knew of", () => {
  test("is known by its mark, wherever it lies, with all in it", async () => {
    makeState(site.join("srv/other"));
    const storage = await site.open();
    expect((await walk(storage, "srv")).paths).toEqual([]);
    for (const path of ["srv/other/identity.pem", "srv/other/servers/lab.json", "srv/other/kept/by/the"]) {
      expect({ path, others: await others(storage, path) }).toEqual({ path, others: {} });
    }
    expect(await others(storage, "srv/other")).toEqual(NO_FILE);
  });

  test.each(["made", "moved in"])("is one from the moment that it is %s", async (how) => {
    const storage = await site.open();
    mkdirSync(site.join("later"));
    await walk(storage);
    await store(storage, "later/a.txt", noise(3));
    if (how === "made") makeState(site.join("later"));
    else {
      makeState(site.folder.join("elsewhere"));
      rmSync(site.join("later"), { recursive: true });
      renameSync(site.folder.join("elsewhere"), site.join("later"));
    }
    await until(async () => (await code(() => storage.stat("later/a.txt"))) === "NOT_ALLOWED");
    expect((await walk(storage)).paths.some((path) => path.startsWith("later"))).toBe(false);
    expect(await others(storage, "later/tokens.json")).toEqual({});
    expect(await others(storage, "later")).toEqual(NO_FILE);
  });

  test("is one before a file that began earlier gets its name there", async () => {
    mkdirSync(site.join("later"));
    const storage = await site.open();
    const part = await storage.receive("later/tokens.json", factsOf(LARGE), "overwrite");
    await writeMissing(part, LARGE);
    const since = performance.now();
    await until(() => performance.now() - since > WHILE_MS);
    makeStateDir(site.join("later"));
    expect(await codeOf(() => part.commit())).toBe("NOT_ALLOWED");
    expect(existsSync(site.join("later/tokens.json"))).toBe(false);
  });

  test("ends the removal of a tree that it is in, and stays whole", async () => {
    makeState(site.join("tree/a/state"));
    writeTree(site.home, { "tree/b.txt": "x" });
    const theirs = contentOf(site.join("tree/a/state"));
    const storage = await site.open();
    const fault = await faultOf(() => storage.remove("tree", { recursive: true }));
    expect(fault).toMatchObject({ code: "NOT_ALLOWED", message: expect.stringContaining('"tree/a/state"') });
    expect(contentOf(site.join("tree/a/state"))).toEqual(theirs);
  });

  test("can't be made one of by a client: the mark is a name that nobody may use, in any case", async () => {
    const storage = await site.open();
    const alike = [".comm\u017ferver-state", ".commserver\u200c-state", ".commserver-\u017ftate"];
    for (const name of [
      ".commserver-state",
      ".CommServer-State",
      ".commserver-state.",
      ".commserver-state ",
      ...alike,
    ]) {
      for (const path of [name, `docs/${name}`, `${name}/x`]) {
        expect({ path, others: await others(storage, path) }).toEqual({ path, others: {} });
      }
    }
    expect((await walk(storage)).paths).toContain("docs/a.txt");
  });

  test.skipIf(process.getuid?.() !== 0)("is none when a stranger has marked the folder of somebody else", async () => {
    writeFileSync(site.join("docs/.commserver-state"), "");
    const storage = await site.open();
    fs.chownSync(site.join("docs/.commserver-state"), 65_534, 65_534);
    expect((await walk(storage, "docs")).paths).toContain("docs/a.txt");
    fs.chownSync(site.join("docs"), 65_534, 65_534);
    await until(async () => (await code(() => storage.stat("docs/a.txt"))) === "NOT_ALLOWED");
  });
});

describe("a repository that is private itself", () => {
  test.each(["", "servers", "kept", "kept/by/the"])(
    "is refused before anything is served of it: %p in the state",
    async (below) => {
      for (const open of [
        () => site.open(`${site.state}/${below}`),
        // Another server's: known by its mark.
        () => LocalStorage.at(`${site.state}/${below}`),
        () => LocalStorage.ofUser(`${site.state}/${below}`),
      ]) {
        expect(await codeOf(open)).toBe("OWN_STATE");
      }
    },
  );

  test("is refused by way of a link, too", async () => {
    symlinkSync(site.state, site.join("link"));
    expect(await codeOf(() => site.open(site.join("link")))).toBe("OWN_STATE");
  });

  test("and was none when it was opened, serves nothing any more", async () => {
    const storage = await site.open(site.join("docs"));
    expect((await walk(storage)).paths).toEqual(["a.txt"]);
    makeStateDir(site.join("docs"));
    await until(async () => (await code(() => storage.stat("a.txt"))) === "NOT_ALLOWED");
    expect(await codeOf(() => storage.stat("a.txt"))).toBe("NOT_ALLOWED");
    expect(await codeOf(() => walk(storage))).toBe("NOT_ALLOWED");
  });
});

describe("LocalStorage.privateBelow", () => {
  test("tells what lies in the repository and what does not", async () => {
    writeTree(site.home, { "tls/key.pem": "KEY" });
    const key = site.join("tls/key.pem");
    expect((await site.open(site.home, [key])).privateBelow).toEqual([site.state, key]);
    expect((await site.open(site.join("docs"), [key])).privateBelow).toEqual([]);
    rmSync(site.join(".local"), { recursive: true });
    before = {};
    expect((await site.open()).privateBelow).toEqual([]);
  });

  test("tells a place once that has two names", async () => {
    symlinkSync(site.state, site.folder.join("link"));
    const places = new PrivatePlaces(() => ({ folders: [site.state, site.folder.join("link")], files: [] }));
    expect((await LocalStorage.at(site.home, { places })).privateBelow).toEqual([site.state]);
  });
});

test("a transfer of a user gets another message about its own state", async () => {
  const hidden: string[] = [];
  const places = new PrivatePlaces(() => ({ folders: [site.state], files: [] }));
  const storage = await LocalStorage.ofUser(site.home, { places, onHidden: (path) => hidden.push(path) });
  await walk(storage);
  expect(hidden).toEqual([STATE_PATH]);
  const told = await tryAll(storage, `${STATE_PATH}/servers/lab.json`);
  expect(told).toEqual(allOf("OWN_STATE", told));
});
