/** Files that one person gives another by a code, by the programs. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AccessSite, errorOf } from "../support/access-site.ts";
import { binaries } from "../support/binaries.ts";
import { run } from "../support/processes.ts";
import { Screen } from "../support/screen.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { until } from "../support/until.ts";

const shares = new TempFolder();
let site: AccessSite;
beforeAll(async () => {
  site = await AccessSite.start("--sharing", shares.join("kept"), "--max-clients", "50");
}, 180_000);
afterAll(async () => {
  await site[Symbol.asyncDispose]();
  shares[Symbol.dispose]();
});

const keptAt = shares.join("kept");
const kept = () => readdirSync(keptAt).filter((name) => name.startsWith("share-"));

/** A person with a folder and a home. */
class Person extends TempFolder {
  readonly folder = this.join("work");
  readonly env = { XDG_STATE_HOME: this.join("home") };

  constructor() {
    super();
    mkdirSync(this.folder);
  }

  run(args: string[]) {
    return site.client(args, { env: this.env, cwd: this.folder } as never);
  }

  read(name: string): string {
    return readFileSync(join(this.folder, name), "latin1");
  }
}

/** A person with a token of the role write, and a file and a folder to share. */
async function sharer(): Promise<Person> {
  const person = new Person();
  writeFileSync(join(person.folder, "report.txt"), "report");
  mkdirSync(join(person.folder, "photos"));
  writeFileSync(join(person.folder, "photos/a.jpg"), "photo");
  await person.run(["join", site.invite, "--name", "lab", "--offline"]);
  return person;
}

async function shareLeft(person: Person, ...args: string[]): Promise<string> {
  const { stdout, stderr, exitCode } = await person.run([
    "share",
    "report.txt",
    "photos",
    "--leave",
    "--json",
    "--server",
    "lab",
    ...args,
  ]);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  const lines = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  return lines.find(({ event }) => event === "offered").code;
}

test("what is shared comes to the one who has the code, who needs nothing else; then it is gone", async () => {
  using anna = await sharer();
  using bob = new Person();
  const code = await shareLeft(anna);
  expect(kept()).toHaveLength(1);
  expect(readdirSync(site.folder.join("files"))).toEqual(["a.txt"]);
  const { exitCode, stdout } = await bob.run(["fetch", code, "--server", site.address]);
  expect({ exitCode, stdout }).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("Fetched report.txt") });
  expect([bob.read("report.txt"), bob.read("photos/a.jpg")]).toEqual(["report", "photo"]);
  await until(() => kept().length === 0);
  const again = await bob.run(["fetch", code, "--server", site.address, "--json"]);
  expect({ exitCode: again.exitCode, error: errorOf(again).code }).toEqual({ exitCode: 6, error: "NO_SUCH_CODE" });
  expect((await bob.run(["servers"])).stdout).toBe("");
});

test("a fetch that is killed goes on with the same command", async () => {
  using anna = await sharer();
  using bob = new Person();
  const content = randomBytes(12_000_000);
  writeFileSync(join(anna.folder, "report.txt"), content);
  const code = await shareLeft(anna);
  const { client } = await binaries();
  const killed = Bun.spawn([client, "fetch", code, "--server", site.address, "--limit-rate", "4MB"], {
    cwd: bob.folder,
    env: bob.env,
    stdout: "ignore",
    stderr: "ignore",
  });
  await until(() => existsSync(join(bob.folder, "report.txt.commserver-part")));
  killed.kill("SIGKILL");
  await killed.exited;
  expect(kept()).toHaveLength(1);
  expect((await bob.run(["fetch", code])).exitCode).toBe(0);
  expect(readFileSync(join(bob.folder, "report.txt")).equals(content)).toBe(true);
  await until(() => kept().length === 0);
});

test("the one who shares sees the code, and when it was fetched; Ctrl-C takes it back", async () => {
  using anna = await sharer();
  using bob = new Person();
  const { client } = await binaries();
  const share = () =>
    new Screen([client, "share", "report.txt", "--server", "lab"], { cwd: anna.folder, env: anna.env, cols: 80 });
  const codeOn = async (screen: Screen) => {
    await screen.shows("Ctrl-C takes it back.");
    return /^ {2}(\d{3}-\d{3}-\d{4})$/m.exec(screen.text)?.[1] ?? "";
  };
  await using first = share();
  await bob.run(["fetch", await codeOn(first), "--server", site.address]);
  expect(await first.exited).toBe(0);
  expect(first.text).toContain("It was fetched from 127.0.0.1:");
  await using second = share();
  const code = await codeOn(second);
  second.type("\x03");
  expect(await second.exited).toBe(130);
  await until(() => kept().length === 0);
  expect((await bob.run(["fetch", code, "--server", site.address])).exitCode).toBe(6);
});

describe("a share of an earlier run of the server", () => {
  test("is gone, and what is no share stays", async () => {
    using anna = await sharer();
    await shareLeft(anna);
    await site.restart(() => writeFileSync(shares.join("kept/mine.txt"), "mine"));
    expect(readdirSync(keptAt)).toEqual(["mine.txt"]);
  });
});

test("nothing is shared when a part of it could not be sent", async () => {
  using anna = await sharer();
  const { exitCode, stdout } = await anna.run(["share", "report.txt", "missing", "--leave", "--server", "lab"]);
  expect(exitCode).toBe(7);
  expect(stdout).not.toContain("fetch");
  await until(() => kept().length === 0);
});

test.each(["files", "files/inside", "."])(
  "shares can't be kept in %s: it is not apart from the repository",
  async (place) => {
    using folder = new TempFolder();
    mkdirSync(folder.join("files"));
    const { server } = await binaries();
    const args = [
      "-r",
      folder.join("files"),
      "--port",
      "0",
      "--state-dir",
      folder.join("state"),
      "--sharing",
      folder.join(place),
      "--json",
    ];
    const failed = await run([server, ...args], {});
    expect({ exitCode: failed.exitCode, error: errorOf(failed).code }).toEqual({ exitCode: 5, error: "OWN_STATE" });
  },
);
