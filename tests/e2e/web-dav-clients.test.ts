/** The compiled server with --web on, and programs that read and write over WebDAV and HTTP: what docs/http.md says of each. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { AccessSite } from "../support/access-site.ts";
import { type Finished, run } from "../support/processes.ts";
import { Random } from "../support/random.ts";

const NAMES = [
  ...["a b", " lead", "trail ", "ü", "emo😀", "%", "%41", "%2F", "a?b", "a#b", "a&b;c", "&amp;", "+", "x~", "..dots"],
  ...["co:lon", "-dash", "back\\slash", "q'uote", 'dq"x', "<lt>", "[br]", "{cu}", "*star", "=eq", "@at", "$dol", "a|b"],
];
const MIB = 1024 * 1024;

/** A test that needs a program, and those that it starts; without them, CI fails and others skip. */
function testWith(program: string, name: string, body: () => Promise<void>, starts: readonly string[] = []): void {
  const isThere = [program, ...starts].every((each) => Bun.which(each) !== null) || Bun.env["CI"] === "true";
  if (!isThere) console.warn(`${program} is missing: a test with it is skipped`);
  test.skipIf(!isThere)(`${program} ${name}`, body);
}

describe("a server with --web on", () => {
  let site: AccessSite;
  const content = Buffer.from(new Random("web dav").bytes(3 * MIB + 7));

  beforeAll(async () => {
    site = await AccessSite.start("--web", "on", "--writable", "--plaintext");
    mkdirSync(site.folder.join("tree", "deep", "er"), { recursive: true });
    for (const name of NAMES) writeFileSync(site.folder.join("tree", name), `content of ${name}`);
    writeFileSync(site.folder.join("tree", "deep", "large"), content);
    writeFileSync(site.folder.join("tree", "deep", "er", "empty"), "");
    mkdirSync(site.folder.join("tree", "a folder %41?"));
    writeFileSync(site.folder.join("tree", "a folder %41?", "in it"), "in it");
    mkdirSync(site.folder.join("tree", "nothing"));
    utimesSync(site.folder.join("tree", "deep", "large"), 1_500_000_000, 1_500_000_000);
  });

  afterAll(() => site[Symbol.asyncDispose]());

  const base = () => `http://127.0.0.1:${site.server.port}/files/`;
  const served = (...names: string[]) => site.folder.join("files", ...names);
  const program = (name: string, args: string[], more: Record<string, string> = {}): Promise<Finished> =>
    run([Bun.which(name) as string, ...args], {
      cwd: site.folder.path,
      env: { LC_ALL: "C.UTF-8", HOME: site.folder.join("home"), ...more },
    });

  /** Runs rclone against the server as WebDAV of a vendor, or as plain HTTP. */
  const rclone = async (kind: "webdav" | "owncloud" | "http", ...args: string[]) => {
    const [user = "", secret = ""] = site.token.split(":");
    const authority = `http://127.0.0.1:${site.server.port}/files/`;
    const obscured = await program("rclone", ["obscure", "--", secret]);
    const settings: Record<string, string> =
      kind === "http"
        ? { RCLONE_CONFIG_S_TYPE: "http", RCLONE_CONFIG_S_URL: authority.replace("//", `//${user}:${secret}@`) }
        : {
            RCLONE_CONFIG_S_TYPE: "webdav",
            RCLONE_CONFIG_S_URL: authority,
            RCLONE_CONFIG_S_VENDOR: kind === "webdav" ? "other" : "owncloud",
            RCLONE_CONFIG_S_USER: user,
            RCLONE_CONFIG_S_PASS: obscured.stdout.trim(),
          };
    return program("rclone", ["--config", "/dev/null", "--retries", "1", ...args], settings);
  };
  const same = (one: string, other: string) => run(["diff", "-r", one, other], { cwd: site.folder.path });
  const ok = { exitCode: 0 };

  testWith("rclone", "sends and fetches a tree of odd names over WebDAV", async () => {
    const withFolders = "--create-empty-src-dirs";
    expect(await rclone("webdav", "copy", withFolders, "tree", "s:by-rclone")).toMatchObject(ok);
    expect(await same("tree", "files/by-rclone")).toMatchObject({ exitCode: 0, stdout: "" });
    expect(await rclone("webdav", "copy", withFolders, "s:by-rclone", "back")).toMatchObject(ok);
    expect(await same("tree", "back")).toMatchObject({ exitCode: 0, stdout: "" });
    expect(await rclone("webdav", "check", "tree", "s:by-rclone")).toMatchObject(ok);
  });

  testWith("rclone", "keeps times as it does with ownCloud, moves and removes", async () => {
    expect(await rclone("owncloud", "copyto", "tree/deep/large", "s:cloud/large")).toMatchObject(ok);
    expect(statSync(served("cloud", "large")).mtimeMs).toBe(1_500_000_000_000);
    expect(await rclone("webdav", "moveto", "s:cloud/large", "s:cloud/moved")).toMatchObject(ok);
    expect(readFileSync(served("cloud", "moved")).equals(content)).toBe(true);
    expect(await rclone("webdav", "deletefile", "s:cloud/moved")).toMatchObject(ok);
    expect(await rclone("webdav", "rmdir", "s:cloud")).toMatchObject(ok);
    expect(await rclone("webdav", "purge", "s:none")).not.toMatchObject(ok);
  });

  testWith("rclone", "reads a tree over plain HTTP, with times", async () => {
    await run(["cp", "-a", "tree", "files/by-http"], { cwd: site.folder.path });
    expect(await rclone("http", "copy", "--create-empty-src-dirs", "s:by-http", "from-http")).toMatchObject(ok);
    expect(await same("tree", "from-http")).toMatchObject({ exitCode: 0, stdout: "" });
    expect(statSync(site.folder.join("from-http", "deep", "large")).mtimeMs).toBe(1_500_000_000_000);
  });

  const lftp = (commands: string) => {
    const settings = "set net:max-retries 2; set cmd:fail-exit true; set net:reconnect-interval-base 1;";
    return program("lftp", ["-u", site.token.replace(":", ","), "-e", `${settings} ${commands}; exit`, base()]);
  };

  testWith("lftp", "mirrors a tree of odd names both ways", async () => {
    expect(await lftp("mirror -R tree by-lftp-tree")).toMatchObject(ok);
    expect(await same("tree", "files/by-lftp-tree")).toMatchObject({ exitCode: 0, stdout: "" });
    expect(await lftp("mirror by-lftp-tree from-lftp")).toMatchObject(ok);
    expect(await same("tree", "from-lftp")).toMatchObject({ exitCode: 0, stdout: "" });
  });

  testWith("lftp", "mirrors a folder of 300 files, for which it asks ahead of the answers", async () => {
    mkdirSync(served("many"));
    for (let index = 0; index < 300; index++) writeFileSync(served("many", `file ${index}`), `${index}`);
    expect(await lftp("mirror many from-many")).toMatchObject(ok);
    expect(await same("files/many", "from-many")).toMatchObject({ exitCode: 0, stdout: "" });
  });

  testWith("lftp", "puts a file with its time, and never replaces it by a tail", async () => {
    expect(await lftp("put tree/deep/large -o by-lftp")).toMatchObject(ok);
    expect(readFileSync(served("by-lftp")).equals(content)).toBe(true);
    expect(statSync(served("by-lftp")).mtimeMs).toBe(1_500_000_000_000);
    writeFileSync(served("short"), content.subarray(0, 2 * MIB));
    const went = await lftp("put -c tree/deep/large -o short");
    expect(went.exitCode).not.toBe(0);
    expect(readFileSync(served("short")).equals(content.subarray(0, 2 * MIB))).toBe(true);
  });

  const aria2c = (...args: string[]) => {
    const [user = "", secret = ""] = site.token.split(":");
    return program("aria2c", ["-q", `--http-user=${user}`, `--http-passwd=${secret}`, ...args]);
  };

  testWith("aria2c", "fetches a file over many connections, and repairs one from its Metalink", async () => {
    const large = Buffer.from(new Random("web aria").bytes(8 * MIB + 7));
    writeFileSync(served("for-aria"), large);
    const parallel = await aria2c("-x8", "-s8", "-k1M", "-o", "by-aria", `${base()}for-aria`);
    expect(parallel).toMatchObject(ok);
    expect(readFileSync(site.folder.join("by-aria")).equals(large)).toBe(true);
    const damaged = Buffer.from(large);
    damaged.fill(0, 3 * MIB + 5, 3 * MIB + 50);
    mkdirSync(site.folder.join("repaired"));
    writeFileSync(site.folder.join("repaired", "for-aria"), damaged);
    const repaired = await aria2c(
      ...["--check-integrity=true", "--follow-metalink=mem", "-d", "repaired", `${base()}for-aria?metalink`],
    );
    expect(repaired).toMatchObject(ok);
    expect(readFileSync(site.folder.join("repaired", "for-aria")).equals(large)).toBe(true);
  });

  testWith("cadaver", "lists, puts, gets, moves, copies and removes, also odd names", async () => {
    const [user = "", secret = ""] = site.token.split(":");
    writeFileSync(site.folder.join("home", ".netrc"), `machine 127.0.0.1\nlogin ${user}\npassword ${secret}\n`);
    const word = (text: string) => `"${text.replace(/["\\]/g, "\\$&")}"`;
    mkdirSync(site.folder.join("odd"));
    const script = [
      "mkcol c",
      "cd c",
      "mkcol odd",
      "cd odd",
      ...NAMES.map((name) => `put ${word(`tree/${name}`)}`),
      ...NAMES.map((name) => `get ${word(name)} ${word(`odd/${name}`)}`),
      "cd ..",
      "put tree/deep/large large",
      "copy large copy",
      "move copy moved",
      "ls",
      "get moved by-cadaver",
      "delete large",
      "quit",
    ];
    writeFileSync(site.folder.join("script"), `${script.join("\n")}\n`);
    const { stdout } = await program("sh", ["-c", `cadaver ${base()} < script`]);
    expect(stdout).toContain("moved");
    expect(readFileSync(site.folder.join("by-cadaver")).equals(content)).toBe(true);
    expect(readFileSync(served("c", "moved")).equals(content)).toBe(true);
    expect(await Bun.file(served("c", "large")).exists()).toBe(false);
    for (const name of NAMES) {
      expect(readFileSync(served("c", "odd", name), "utf8")).toBe(`content of ${name}`);
      expect(readFileSync(site.folder.join("odd", name), "utf8")).toBe(`content of ${name}`);
    }
  });

  const sendsByGio = async () => {
    const [user = "", secret = ""] = site.token.split(":");
    const root = base().replace("http://", `dav://${user}@`);
    const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
    const at = (...names: string[]) => quoted(root + names.map(encodeURIComponent).join("/"));
    const lines = [
      `gio mount '${root}' < secret`,
      `gio mkdir ${at("gio")}`,
      `gio mkdir ${at("gio", "odd")}`,
      ...NAMES.map((name) => `gio copy ${quoted(`tree/${name}`)} ${at("gio", "odd", name)}`),
      `mkdir by-gio`,
      ...NAMES.map((name) => `gio copy ${at("gio", "odd", name)} ${quoted(`by-gio/${name}`)}`),
      `gio copy tree/deep/large ${at("gio", "large")}`,
      `gio move ${at("gio", "large")} ${at("gio", "moved")}`,
      `gio cat ${at("gio", "moved")} > by-gio-moved`,
      `gio list ${at("gio")} > listed`,
      `gio remove ${at("gio", "moved")}`,
      `gio mount -u '${root}'`,
    ];
    writeFileSync(site.folder.join("secret"), `${secret}\n`);
    writeFileSync(site.folder.join("gio.sh"), `set -e\n${lines.join("\n")}\n`);
    // Its daemons live as long as this session bus.
    const path = { PATH: Bun.env["PATH"] ?? "/usr/bin:/bin" };
    const { exitCode, stderr } = await program("dbus-run-session", ["--", "sh", "gio.sh"], path);
    expect({ exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(readFileSync(site.folder.join("listed"), "utf8").split("\n").sort()).toEqual(["", "moved", "odd"]);
    expect(readFileSync(site.folder.join("by-gio-moved")).equals(content)).toBe(true);
    expect(await Bun.file(served("gio", "moved")).exists()).toBe(false);
    for (const name of NAMES) {
      expect(readFileSync(served("gio", "odd", name), "utf8")).toBe(`content of ${name}`);
      expect(readFileSync(site.folder.join("by-gio", name), "utf8")).toBe(`content of ${name}`);
    }
  };
  const starts = ["dbus-run-session", "/usr/libexec/gvfsd-dav"];
  testWith("gio", "lists, reads, writes, moves and removes, also a tree of odd names", sendsByGio, starts);
});
