/** Who may do what with what arrives: by the compiled programs, both ways, as root and as somebody else. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { spawn } from "bun";
import { binaries } from "../support/binaries.ts";
import { OtherUser } from "../support/other-user.ts";
import { type Finished, runClient, ServerProcess, USER_ENV } from "../support/processes.ts";
import { writeTree } from "../support/repository.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { noise } from "../support/transport-recorder.ts";
import { noPermissionTests, permissionTest } from "../support/unprivileged.ts";
import { until } from "../support/until.ts";

const BIG = noise(6_000_000);
const ALICE = 54_322;

const modeOf = (path: string) => (lstatSync(path).mode & 0o7777).toString(8);

/** Modes of all that is below, by path. */
function modesBelow(folder: string): Record<string, string> {
  const paths = readdirSync(folder, { recursive: true }).map(String).sort();
  return Object.fromEntries(paths.map((path) => [path, modeOf(join(folder, path))]));
}

/** A writable server with a repository, and a folder of its user beside it. */
class Site implements AsyncDisposable {
  readonly folder = new TempFolder();
  readonly repository = this.folder.join("repository");
  readonly here = this.folder.join("here");
  server!: ServerProcess;

  static async open(...args: string[]): Promise<Site> {
    const site = new Site();
    for (const folder of [site.repository, site.here]) mkdirSync(folder);
    site.server = await ServerProcess.start(["-r", site.repository, "--writable", ...args]);
    return site;
  }

  run(...args: string[]): Promise<Finished> {
    return runClient([...args, "-s", this.server.address], { cwd: this.here });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    this.folder[Symbol.dispose]();
  }
}

/** Programs that start meanwhile have this umask. */
async function withUmask<T>(umask: number, work: () => Promise<T>): Promise<T> {
  const before = process.umask(umask);
  try {
    return await work();
  } finally {
    process.umask(before);
  }
}

/** A home with keys, a private folder in an open one, and a program that runs as its owner. */
function writeHome(folder: string): void {
  writeTree(folder, {
    "home/id_rsa": "private",
    "home/big.key": BIG,
    "home/public/page.html": "<p>",
    "home/private/inner/diary.txt": "dear",
    "home/tool": "#!/bin/sh",
  });
  const modes = {
    home: 0o755,
    "home/id_rsa": 0o600,
    "home/big.key": 0o600,
    "home/public": 0o755,
    "home/public/page.html": 0o644,
  };
  const others = {
    "home/private": 0o700,
    "home/private/inner": 0o755,
    "home/private/inner/diary.txt": 0o640,
    "home/tool": 0o6755,
  };
  for (const [path, mode] of Object.entries({ ...modes, ...others })) chmodSync(join(folder, path), mode);
}

const HOME = {
  home: 0o755,
  "home/big.key": 0o600,
  "home/id_rsa": 0o600,
  "home/private": 0o700,
  "home/private/inner": 0o755,
  "home/private/inner/diary.txt": 0o640,
  "home/public": 0o755,
  "home/public/page.html": 0o644,
  "home/tool": 0o755,
};

/** What a umask leaves of it. */
function homeUnder(umask: number): Record<string, string> {
  return Object.fromEntries(Object.entries(HOME).map(([path, mode]) => [path, (mode & ~umask).toString(8)]));
}

describe.if(process.platform !== "win32")("a tree with private files and folders", () => {
  test.each([
    ["000", 0o000],
    ["022", 0o022],
    ["077", 0o077],
  ])("arrives with its rights, less the umask %s: fetched", async (_, umask) => {
    await using site = await Site.open();
    writeHome(site.repository);
    expect(await withUmask(umask, () => site.run("get", "home"))).toMatchObject({ exitCode: 0 });
    expect(modesBelow(site.here)).toEqual(homeUnder(umask));
  });

  test.each([
    ["000", 0o000],
    ["022", 0o022],
    ["077", 0o077],
  ])("arrives with its rights, less the umask %s: sent", async (_, umask) => {
    await using site = await withUmask(umask, () => Site.open());
    chmodSync(site.repository, 0o755);
    writeHome(site.here);
    expect(await site.run("put", "home")).toMatchObject({ exitCode: 0 });
    expect(modesBelow(site.repository)).toEqual(homeUnder(umask));
  });

  test("by a pattern: the folders on the way are as private as there, and those without a match do not come", async () => {
    await using site = await Site.open();
    writeHome(site.repository);
    mkdirSync(join(site.repository, "home/empty.txt"));
    expect(await site.run("get", "home/**/*.txt")).toMatchObject({ exitCode: 0 });
    const expected = { private: "700", "private/inner": "755", "private/inner/diary.txt": "640" };
    expect(modesBelow(site.here)).toEqual(expected);
    expect(await site.run("put", "private/*/*.txt", "--to", "sent")).toMatchObject({ exitCode: 0 });
    expect(modesBelow(join(site.repository, "sent"))).toEqual({ inner: "755", "inner/diary.txt": "640" });
    expect(await site.run("put", "*/inner/*", "--to", "again")).toMatchObject({ exitCode: 0 });
    expect(modesBelow(join(site.repository, "again"))).toEqual(expected);
  });

  test("replaces what is there, which keeps its own rights; folders that are there, too", async () => {
    await using site = await Site.open();
    writeTree(site.repository, { "docs/db.conf": "new", "docs/open.txt": "new" });
    writeTree(site.here, { "docs/db.conf": "old one", "docs/open.txt": "old one" });
    chmodSync(join(site.here, "docs"), 0o710);
    chmodSync(join(site.here, "docs/db.conf"), 0o600);
    chmodSync(join(site.repository, "docs/open.txt"), 0o600);
    expect(await site.run("get", "docs", "--overwrite")).toMatchObject({ exitCode: 0 });
    expect(readFileSync(join(site.here, "docs/db.conf"), "utf8")).toBe("new");
    expect(modesBelow(site.here)).toEqual({ docs: "710", "docs/db.conf": "600", "docs/open.txt": "644" });
    writeFileSync(join(site.here, "docs/open.txt"), "newer");
    expect(await site.run("put", "docs", "--overwrite")).toMatchObject({ exitCode: 0 });
    expect(modesBelow(site.repository)).toEqual({ docs: "755", "docs/db.conf": "644", "docs/open.txt": "600" });
  });
});

/** The modes of the files of a name and of what is unfinished of it, each as often as it was seen to change. */
class ModeWatch {
  readonly #folder: string;
  readonly #seen = new Set<string>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  look(): void {
    for (const name of readdirSync(this.#folder)) {
      const stats = lstatSync(join(this.#folder, name), { throwIfNoEntry: false });
      if (stats?.isFile()) this.#seen.add(`${name} ${(stats.mode & 0o7777).toString(8)}`);
    }
  }

  get seen(): string[] {
    return [...this.#seen].sort();
  }
}

const UNFINISHED = ["a.commserver-journal 600", "a.commserver-part 600"];

describe.if(process.platform !== "win32")(
  "a private file, at every moment of a transfer that is killed and goes on,",
  () => {
    /** Run the client, looking all the time; with `isEnough` it is killed then. */
    async function watched(watch: ModeWatch, args: string[], cwd: string, isEnough: () => boolean = () => false) {
      const { client } = await binaries();
      const child = spawn([client, ...args], {
        cwd,
        env: USER_ENV,
        stdin: "ignore",
        stdout: "ignore",
        stderr: "ignore",
      });
      await until(() => {
        watch.look();
        if (child.exitCode === null && isEnough()) child.kill("SIGKILL");
        return child.exitCode !== null || child.signalCode !== null;
      });
      watch.look();
      return child.exitCode;
    }

    const hasBegun = (folder: string) => () =>
      (statSync(join(folder, "a.commserver-part"), { throwIfNoEntry: false })?.size ?? 0) > 1_000_000;

    test("is private: fetched", async () => {
      await using site = await Site.open("--limit-rate", "8MB");
      writeFileSync(join(site.repository, "a"), BIG, { mode: 0o600 });
      const watch = new ModeWatch(site.here);
      const args = ["get", "a", "-s", site.server.address];
      expect(await watched(watch, args, site.here, hasBegun(site.here))).toBe(null);
      expect(existsSync(join(site.here, "a"))).toBe(false);
      expect(await watched(watch, args, site.here)).toBe(0);
      expect(watch.seen).toEqual(["a 600", ...UNFINISHED]);
      expect(readFileSync(join(site.here, "a")).equals(BIG)).toBe(true);
    });

    test("is private: sent in the place of one that everybody could read at its source", async () => {
      await using site = await Site.open("--limit-rate", "8MB");
      writeFileSync(join(site.repository, "a"), "old", { mode: 0o600 });
      writeFileSync(join(site.here, "a"), BIG, { mode: 0o644 });
      const watch = new ModeWatch(site.repository);
      const args = ["put", "a", "--overwrite", "-s", site.server.address];
      expect(await watched(watch, args, site.here, hasBegun(site.repository))).toBe(null);
      expect(readFileSync(join(site.repository, "a"), "utf8")).toBe("old");
      expect(await watched(watch, args, site.here)).toBe(0);
      expect(watch.seen).toEqual(["a 600", ...UNFINISHED]);
      expect(readFileSync(join(site.repository, "a")).equals(BIG)).toBe(true);
    });
  },
);

describe.skipIf(noPermissionTests !== undefined)("as a user who may do nothing special", () => {
  let alice: OtherUser;

  beforeAll(async () => {
    if (process.getuid?.() === 0) alice = await OtherUser.of(ALICE);
  }, 180_000);

  afterAll(() => alice?.[Symbol.dispose]());

  /** A server and a client of the same user, who is not root. */
  class AlicesSite extends Site {
    readonly env = { XDG_STATE_HOME: this.folder.join("home") };

    static override async open(): Promise<AlicesSite> {
      const site = new AlicesSite();
      for (const folder of [site.repository, site.here, site.env.XDG_STATE_HOME, site.folder.join("state")]) {
        mkdirSync(folder);
        alice?.own(folder);
      }
      chmodSync(site.folder.path, 0o755);
      const args = ["-r", site.repository, "--writable"];
      const options = { stateDir: site.folder.join("state"), env: site.env };
      site.server =
        alice === undefined ? await ServerProcess.start(args, options) : await alice.startServer(args, options);
      return site;
    }

    override run(...args: string[]): Promise<Finished> {
      const options = { cwd: this.here, env: this.env };
      const all = [...args, "-s", this.server.address];
      return alice === undefined ? runClient(all, options) : alice.run("client", all, options);
    }

    /** Give all below to her. */
    own(folder: string): void {
      for (const path of readdirSync(folder, { recursive: true })) alice?.own(join(folder, String(path)));
    }
  }

  test(permissionTest("a folder that its owner may not write is filled, and is as it was there"), async () => {
    await using site = await AlicesSite.open();
    writeTree(site.repository, { "mod/v1/go.mod": "module", "mod/v1/sub/a.go": "package" });
    for (const path of ["mod/v1/go.mod", "mod/v1/sub/a.go"]) chmodSync(join(site.repository, path), 0o444);
    for (const path of ["mod/v1/sub", "mod/v1", "mod"]) chmodSync(join(site.repository, path), 0o555);
    site.own(site.repository);
    expect(await site.run("get", "mod")).toMatchObject({ exitCode: 0 });
    const there = {
      mod: "555",
      "mod/v1": "555",
      "mod/v1/go.mod": "444",
      "mod/v1/sub": "555",
      "mod/v1/sub/a.go": "444",
    };
    expect(modesBelow(site.here)).toEqual(there);
    // The server goes on reading and filling its own.
    expect(await site.run("put", "mod", "--to", "sent")).toMatchObject({ exitCode: 0 });
    const sent = { mod: "755", "mod/v1": "755", "mod/v1/go.mod": "444", "mod/v1/sub": "755", "mod/v1/sub/a.go": "444" };
    expect(modesBelow(join(site.repository, "sent"))).toEqual(sent);
    expect(await site.run("remove", "sent", "--recursive")).toMatchObject({ exitCode: 0 });
  });

  test(permissionTest("a folder is not closed before all is in it: what failed can come later"), async () => {
    await using site = await AlicesSite.open();
    writeTree(site.repository, { "mod/a": "a", "mod/b": "b" });
    site.own(site.repository);
    chmodSync(join(site.repository, "mod/b"), 0o000);
    chmodSync(join(site.repository, "mod"), 0o555);
    expect((await site.run("get", "mod")).exitCode).not.toBe(0);
    expect(modeOf(join(site.here, "mod"))).toBe("755");
    chmodSync(join(site.repository, "mod/b"), 0o400);
    expect(await site.run("get", "mod")).toMatchObject({ exitCode: 0 });
    expect(readFileSync(join(site.here, "mod/b"), "utf8")).toBe("b");
  });

  test(permissionTest("a file of root's is replaced by one of hers that nobody else reads"), async () => {
    await using site = await AlicesSite.open();
    writeFileSync(join(site.repository, "db.conf"), "old", { mode: 0o600 });
    writeFileSync(join(site.here, "db.conf"), "newer", { mode: 0o644 });
    expect(await site.run("put", "db.conf", "--overwrite")).toMatchObject({ exitCode: 0 });
    expect(modeOf(join(site.repository, "db.conf"))).toBe("600");
    expect(readFileSync(join(site.repository, "db.conf"), "utf8")).toBe("newer");
  });
});

test.skipIf(process.getuid?.() !== 0)("root leaves a replaced file to whom it belongs", async () => {
  await using site = await Site.open();
  writeFileSync(join(site.repository, "db.conf"), "old", { mode: 0o640 });
  chownSync(join(site.repository, "db.conf"), ALICE, ALICE);
  writeFileSync(join(site.here, "db.conf"), "newer", { mode: 0o644 });
  expect(await site.run("put", "db.conf", "--overwrite")).toMatchObject({ exitCode: 0 });
  const { uid, gid } = statSync(join(site.repository, "db.conf"));
  expect({ uid, gid, mode: modeOf(join(site.repository, "db.conf")) }).toEqual({ uid: ALICE, gid: ALICE, mode: "640" });
});
