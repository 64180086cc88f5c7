/** What is piped into `put -`. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { binaries } from "../support/binaries.ts";
import { FolderSite } from "../support/folder-site.ts";
import { USER_ENV } from "../support/processes.ts";
import { Random } from "../support/random.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { until } from "../support/until.ts";

let site: FolderSite;
let temporary: TempFolder;

beforeAll(async () => {
  site = await FolderSite.open();
  temporary = new TempFolder();
});
afterAll(async () => {
  temporary[Symbol.dispose]();
  await site[Symbol.asyncDispose]();
});

/** Starts `put` with these words; its input is a pipe. */
async function start(words: string[], env: Record<string, string> = {}) {
  const { client } = await binaries();
  return Bun.spawn([client, "put", ...words, "-s", site.address], {
    cwd: site.here,
    env: { ...USER_ENV, TMPDIR: temporary.path, ...env },
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
}

async function put(input: string | Uint8Array, words: string[], env: Record<string, string> = {}) {
  const child = await start(words, env);
  // It may end before it has read all.
  const written = (async () => {
    await child.stdin.write(input);
    await child.stdin.end();
  })().catch(() => {});
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  await written;
  return { exitCode: await child.exited, stdout, stderr };
}

const stored = (path: string) => readFileSync(`${site.repository}/${path}`);

describe("put -", () => {
  test.each([0, 1, 5_000_000])("stores the %i bytes of standard input under the given name", async (size) => {
    const bytes = new Random(`standard input of ${size} bytes`).bytes(size);
    const { exitCode, stdout, stderr } = await put(bytes, ["-", "--as", `dumps/${size}.bin`]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toStartWith(`Sent - as dumps/${size}.bin (`);
    expect(stored(`dumps/${size}.bin`).equals(bytes)).toBe(true);
    expect(Date.now() - statSync(`${site.repository}/dumps/${size}.bin`).mtimeMs).toBeLessThan(3_600_000);
    expect(readdirSync(temporary.path)).toEqual([]);
  });

  test("goes to the folder of --to, and is compared by --digest", async () => {
    const { exitCode, stdout } = await put("dump\n", ["-", "--as", "a.sql", "--to", "in", "--digest", "--json"]);
    const events = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(exitCode).toBe(0);
    const sha256 = new Bun.CryptoHasher("sha256").update("dump\n").digest("hex");
    expect(events.find(({ event }) => event === "done")).toMatchObject({ path: "-", target: "in/a.sql", sha256 });
  });

  test("does not replace a file unasked", async () => {
    await put("first", ["-", "--as", "same"]);
    expect(await put("second", ["-", "--as", "same"])).toMatchObject({ exitCode: 8 });
    expect(stored("same").toString()).toBe("first");
    expect(await put("second", ["-", "--as", "same", "--overwrite"])).toMatchObject({ exitCode: 0 });
    expect(stored("same").toString()).toBe("second");
  });

  test("is standard input even where there is a file of this name", async () => {
    writeFileSync(`${site.here}/-`, "the file");
    await put("the input", ["-", "--as", "which"]);
    await put("the input", ["./-", "--as", "which file"]);
    expect([stored("which").toString(), stored("which file").toString()]).toEqual(["the input", "the file"]);
  });

  test.each([
    [["-"], "Standard input has no name: put - --as NAME"],
    [["-", "other", "--as", "x"], "Standard input (-) can't be sent together with others."],
    [["-", "--as", "x", "--token-file", "-"], "Standard input can't be both what is sent and --token-file."],
    [["-", "--as", "x", "--exclude-from", "-"], "Standard input can't be both what is sent and --exclude-from."],
    [["-", "--as", "../x"], "../x"],
  ])("%j is a usage error", async (words, why) => {
    const { exitCode, stderr } = await put("x", words);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(why);
  });

  test("says that there is no place for temporary files", async () => {
    const { exitCode, stderr } = await put("x", ["-", "--as", "nowhere"], { TMPDIR: temporary.join("none") });
    expect({ exitCode, has: stderr.includes(temporary.join("none")) }).toEqual({ exitCode: 9, has: true });
    expect(existsSync(`${site.repository}/nowhere`)).toBe(false);
  });

  test.skipIf(process.getuid?.() !== 0)("says where there is no room, and leaves nothing there", async () => {
    const small = temporary.join("small");
    mkdirSync(small);
    expect(Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=1m", "none", small]).exitCode).toBe(0);
    try {
      const { exitCode, stderr } = await put(new Uint8Array(3_000_000), ["-", "--as", "large"], { TMPDIR: small });
      expect(exitCode).toBe(9);
      expect(stderr).toContain(`The disk of this machine has no room left for "${small}`);
      expect(stderr).toEndWith("or choose another folder for temporary files: TMPDIR=FOLDER\n");
      expect(readdirSync(small)).toEqual([]);
    } finally {
      Bun.spawnSync(["umount", small]);
      rmSync(small, { recursive: true });
    }
  });

  test.each(["SIGINT", "SIGTERM"] as const)("%s while it reads leaves nothing", async (signal) => {
    const child = await start(["-", "--as", "never"]);
    child.stdin.write("the beginning");
    const file = () => readdirSync(temporary.path).map((name) => temporary.join(`${name}/-`))[0];
    await until(() => existsSync(file() ?? "") && statSync(file() ?? "").size > 0);
    expect(statSync(file() ?? "").mode & 0o777).toBe(0o600);
    child.kill(signal);
    expect(await child.exited).toBe(130);
    expect(readdirSync(temporary.path)).toEqual([]);
    expect(existsSync(`${site.repository}/never`)).toBe(false);
  });
});
