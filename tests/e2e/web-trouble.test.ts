/** The compiled server with --web on, and programs that meet cuts, refusals and changes: what docs/http.md says of them. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { AccessSite } from "../support/access-site.ts";
import { type Finished, run } from "../support/processes.ts";
import { Random } from "../support/random.ts";
import { until } from "../support/until.ts";

const MIB = 1024 * 1024;
const PROGRAMS = ["curl", "wget", "aria2c", "rclone", "lftp", "mount.davfs"];
const missing = PROGRAMS.filter((name) => Bun.which(name, { PATH: `${Bun.env["PATH"]}:/usr/sbin:/sbin` }) === null);
const isSkipped = missing.length > 0 && Bun.env["CI"] !== "true";
if (isSkipped) console.warn(`${missing.join(", ")} missing: the tests of HTTP programs in trouble are skipped`);

describe.skipIf(isSkipped)("a server with --web on, one seat and a quota", () => {
  let site: AccessSite;
  const content = Buffer.from(new Random("web trouble").bytes(4 * MIB + 11));

  beforeAll(async () => {
    site = await AccessSite.start(
      ...["--web", "on", "--writable", "--plaintext", "--max-clients", "1", "--quota", "8MB"],
    );
    writeFileSync(site.folder.join("files", "large"), content);
    writeFileSync(site.folder.join("too-large"), Buffer.alloc(6 * MIB));
  });

  afterAll(() => site[Symbol.asyncDispose]());

  // The one seat may be another's for a while after its last request.
  beforeEach(async () => {
    await until(async () => (await curl("-o", "answer", "-w", "%{http_code}", url("large"))).stdout === "200");
  });

  const url = (path: string) => `http://127.0.0.1:${site.server.port}/files/${path}`;
  const mine = (name: string) => site.folder.join(name);
  const program = (name: string, ...args: string[]): Promise<Finished> =>
    run([name, ...args], { cwd: site.folder.path, env: { LC_ALL: "C.UTF-8", HOME: mine("home") } });
  const curlArgs = (...args: string[]) => ["-sS", "--user", site.token, ...args];
  const curl = (...args: string[]) => program("curl", ...curlArgs(...args));
  const newToken = async (name: string, role: string) => {
    const { stdout } = await site.operate("token", "add", name, "--role", role);
    return /(\w[\w.-]*:[\w-]{40,})/.exec(stdout)?.[1] ?? "";
  };
  const user = () => site.token.split(":") as [string, string];
  /** Begin a slow download, and wait until some of it is there. */
  const begin = async (name: string, { from = "large", rate = "1M", token = site.token } = {}) => {
    const args = ["-sS", "--user", token, "-f", "--retry", "5", "--limit-rate", rate, "-o", name, url(from)];
    const download = Bun.spawn(["curl", ...args], { cwd: site.folder.path, stdout: "ignore", stderr: "ignore" });
    await until(() => existsSync(mine(name)) && statSync(mine(name)).size > 0);
    return download;
  };

  test("curl, wget, aria2c and lftp go on with a download after the server was killed", async () => {
    // More than the system holds on its way.
    const long = Buffer.concat(Array.from({ length: 16 }, () => content));
    writeFileSync(site.folder.join("files", "long"), long);
    const download = await begin("cut", { from: "long" });
    site.server.signal("SIGKILL");
    await site.server.exited();
    expect(await download.exited).not.toBe(0);
    await site.restart();
    const part = readFileSync(mine("cut"));
    expect(part.length).toBeLessThan(long.length);
    const [name, secret] = user();
    const ways: [string, (file: string) => Promise<Finished>][] = [
      ["curl", (file) => curl("-C", "-", "-o", file, url("long"))],
      [
        "wget",
        (file) => program("wget", "-q", "-c", `--user=${name}`, `--password=${secret}`, "-O", file, url("long")),
      ],
      [
        "aria2c",
        (file) =>
          program("aria2c", "-q", "-c", `--http-user=${name}`, `--http-passwd=${secret}`, "-o", file, url("long")),
      ],
      ["lftp", (file) => program("lftp", "-u", `${name},${secret}`, "-e", `get -c long -o ${file}; exit`, url(""))],
    ];
    for (const [way, goOn] of ways) {
      writeFileSync(mine(`by-${way}`), part);
      expect([way, (await goOn(`by-${way}`)).exitCode]).toEqual([way, 0]);
      expect([way, readFileSync(mine(`by-${way}`)).equals(long)]).toEqual([way, true]);
    }
    // It would fill the quota.
    rmSync(site.folder.join("files", "long"));
  });

  test("aria2c and wget learn by ?etag= that a file has changed, before they mix it", async () => {
    writeFileSync(site.folder.join("files", "changes"), "one and one");
    const [, etag = ""] = /^etag: "(.*)"/im.exec((await curl("-I", url("changes"))).stdout) ?? [];
    writeFileSync(site.folder.join("files", "changes"), "two and two");
    const [name, secret] = user();
    const address = url(`changes?etag=${etag}`);
    writeFileSync(mine("mixed"), "one");
    const aria = await program(
      "aria2c",
      "-q",
      "-c",
      `--http-user=${name}`,
      `--http-passwd=${secret}`,
      "-o",
      "mixed",
      address,
    );
    expect(aria.exitCode).not.toBe(0);
    const wget = await program("wget", "-q", "-c", `--user=${name}`, `--password=${secret}`, "-O", "mixed", address);
    expect(wget.exitCode).not.toBe(0);
    expect(readFileSync(mine("mixed"), "utf8")).toBe("one");
  });

  test("curl and rclone are refused what the quota has no room for, before a byte of it", async () => {
    const answer = ["-o", "answer", "-w", "%{http_code} %{size_upload}"];
    expect((await curl("-T", "too-large", "-H", "Expect: 100-continue", ...answer, url("x"))).stdout).toBe("507 0");
    expect(readFileSync(mine("answer"), "utf8")).toStartWith("QUOTA_EXCEEDED: ");
    const [name, secret] = user();
    const pass = (await program("rclone", "obscure", secret)).stdout.trim();
    const to = [`--webdav-url=${url("")}`, `--webdav-user=${name}`, `--webdav-pass=${pass}`, "--retries=1"];
    const copied = await program(
      "rclone",
      "--config=/dev/null",
      "--low-level-retries=1",
      "copyto",
      "too-large",
      ":webdav:x",
      ...to,
    );
    expect(copied.exitCode).not.toBe(0);
    expect(existsSync(site.folder.join("files", "x"))).toBe(false);
  });

  test("davfs2 mounts it, lists, reads and writes, also a tree of odd names", async () => {
    mkdirSync(mine("tree/a folder %41?/nothing"), { recursive: true });
    for (const name of ["a b", "ü", "%41", "a?b", "a#b", "a&b;c", "+", "-dash", "back\\slash", "emo😀", "<lt>"]) {
      writeFileSync(mine(`tree/${name}`), `content of ${name}`);
    }
    writeFileSync(mine("tree/empty"), "");
    const [name, secret] = user();
    for (const folder of ["mount", "cache"]) mkdirSync(mine(folder));
    // It works as a user of its own.
    chmodSync(site.folder.path, 0o755);
    chmodSync(mine("cache"), 0o777);
    writeFileSync(mine("secrets"), `${url("")} ${name} ${secret}\n`, { mode: 0o600 });
    const settings = [
      "use_locks 0",
      "buf_size 64",
      "ask_auth 0",
      "delay_upload 0",
      `secrets ${mine("secrets")}`,
      `cache_dir ${mine("cache")}`,
      "dir_refresh 1",
    ];
    writeFileSync(mine("davfs.conf"), `${settings.join("\n")}\n`, { mode: 0o600 });
    expect(
      await program("mount", "-t", "davfs", "-o", `conf=${mine("davfs.conf")}`, url(""), mine("mount")),
    ).toMatchObject({
      exitCode: 0,
    });
    try {
      expect(readFileSync(`${mine("mount")}/large`).equals(content)).toBe(true);
      writeFileSync(`${mine("mount")}/written`, "by a mount");
      await until(() => existsSync(site.folder.join("files", "written")));
      expect(readdirSync(mine("mount"))).toContain("large");
      expect(await program("cp", "-r", "tree", "mount/tree")).toMatchObject({ exitCode: 0 });
      expect(await program("diff", "-r", "tree", "mount/tree")).toMatchObject({ exitCode: 0, stdout: "" });
      // As somebody finds it who has not written it.
      expect(await program("cp", "-r", "tree", "files/by-others")).toMatchObject({ exitCode: 0 });
      await until(() => readdirSync(mine("mount")).includes("by-others"));
      expect(await program("diff", "-r", "tree", "mount/by-others")).toMatchObject({ exitCode: 0, stdout: "" });
    } finally {
      expect(await program("umount", mine("mount"))).toMatchObject({ exitCode: 0 });
    }
    expect(readFileSync(site.folder.join("files", "written"), "utf8")).toBe("by a mount");
    expect(await program("diff", "-r", "tree", "files/tree")).toMatchObject({ exitCode: 0, stdout: "" });
  });

  test("curl --retry waits for a seat, which another has", async () => {
    const other = await newToken("other", "read");
    expect((await curl("-o", "one", url("large"))).exitCode).toBe(0);
    const ask = (...args: string[]) => program("curl", "-sS", "--user", other, "-o", "two", ...args, url("large"));
    expect((await ask("-w", "%{http_code} %header{retry-after}")).stdout).toMatch(/^503 \d+$/);
    expect(await ask("-f", "--retry", "5")).toMatchObject({ exitCode: 0 });
    expect(readFileSync(mine("two")).equals(content)).toBe(true);
  });

  test("wget, aria2c, rclone and lftp wait for a seat as well", async () => {
    const waiter = await newToken("waiter", "read");
    const [name = "", secret = ""] = waiter.split(":");
    const pass = (await program("rclone", "obscure", "--", secret)).stdout.trim();
    const dav = [`--webdav-url=${url("")}`, `--webdav-user=${name}`, `--webdav-pass=${pass}`];
    expect((await curl("-o", "one", url("large"))).exitCode).toBe(0);
    const wgetAs = [`--user=${name}`, `--password=${secret}`, "-q", "--retry-on-http-error=503", "--waitretry=5"];
    const aria2cAs = [`--http-user=${name}`, `--http-passwd=${secret}`, "-q", "--retry-wait=5"];
    const rcloneAs = ["--config=/dev/null", "--low-level-retries=30", ...dav];
    const went = await Promise.all([
      program("wget", ...wgetAs, "-O", "waited-wget", url("large")),
      program("aria2c", ...aria2cAs, "-o", "waited-aria2c", url("large")),
      program("rclone", ...rcloneAs, "copyto", ":webdav:large", "waited-rclone"),
      program(
        "lftp",
        "-u",
        `${name},${secret}`,
        "-e",
        "set net:reconnect-interval-base 5; get large -o waited-lftp; exit",
        url(""),
      ),
    ]);
    expect(went.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0, 0]);
    for (const one of ["wget", "aria2c", "rclone", "lftp"]) {
      expect([one, readFileSync(mine(`waited-${one}`)).equals(content)]).toEqual([one, true]);
    }
  });

  test("a token that is revoked ends a download of curl in the middle", async () => {
    // More than the system holds on its way.
    writeFileSync(site.folder.join("files", "huge"), "");
    truncateSync(site.folder.join("files", "huge"), 256 * MIB);
    const token = await newToken("leaver", "read");
    const download = await begin("revoked", { from: "huge", rate: "8M", token });
    expect((await site.operate("token", "revoke", "leaver")).exitCode).toBe(0);
    expect([18, 56]).toContain(await download.exited);
    expect(statSync(mine("revoked")).size).toBeLessThan(256 * MIB);
    const again = ["-sS", "--user", token, "-o", "answer", "-w", "%{http_code}", url("large")];
    expect((await program("curl", ...again)).stdout).toBe("401");
    // It would fill the quota.
    rmSync(site.folder.join("files", "huge"));
  });

  test("curl is refused on a full disk, before a byte of the file", async () => {
    const late = await newToken("late", "write");
    await site.restart(() => {}, "--keep-free", "1000TB");
    const answer = ["-o", "answer", "-w", "%{http_code} %{size_upload}"];
    const put = ["-sS", "--user", late, "-T", "too-large", "-H", "Expect: 100-continue"];
    expect((await program("curl", ...put, ...answer, url("x"))).stdout).toBe("507 0");
    expect(readFileSync(mine("answer"), "utf8")).toMatch(/^(NO_SPACE|DISK_FULL|QUOTA_EXCEEDED): /);
    await site.restart();
  });
});
