import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { formatInvite, parseInvite } from "../../lib/protocol/invite.ts";
import { AccessSite, errorOf, filesBelow } from "../support/access-site.ts";
import { binaries } from "../support/binaries.ts";
import { run } from "../support/processes.ts";
import { TempFolder } from "../support/temp-folder.ts";

let site: AccessSite;
beforeAll(async () => {
  site = await AccessSite.start("--writable", "--max-clients", "50");
}, 180_000);
afterAll(() => site[Symbol.asyncDispose]());

/** A user of a home of one's own. */
class User extends TempFolder {
  readonly env = { XDG_STATE_HOME: this.path };

  run(args: string[], options: { stdin?: string; env?: Record<string, string> } = {}) {
    return site.client(args, { ...options, env: { ...this.env, ...options.env } });
  }
}

/** An invite of a server on a machine of that name; undefined where no machine can be made to have it. */
async function inviteAt(hostname: string): Promise<string | undefined> {
  using folder = new TempFolder();
  const { server } = await binaries();
  const script = 'hostname "$1" && exec "$2" token add laptop --json --state-dir "$3"';
  const command = ["unshare", "--uts", "sh", "-c", script, "sh", hostname, server, folder.path];
  const { exitCode, stdout } = await run(command, { env: { PATH: process.env["PATH"] ?? "" } });
  return exitCode === 0 ? JSON.parse(stdout).invite : undefined;
}

describe("join", () => {
  test("keeps the server for its user alone, under the name that it goes by from then on", async () => {
    using user = new User();
    const joined = await user.run(["join", site.invite, "--name", "lab"]);
    expect(joined).toMatchObject({ exitCode: 0, stderr: "" });
    expect(joined.stdout).toStartWith("Joined lab. Connect to it with: commserver-client --server lab\n");
    for (const { mode } of filesBelow(user.path)) expect(mode).toBe(0o600);
    expect((await user.run(["list", "--server", "lab"])).stdout).toContain("a.txt");
  });

  // As machines are called: by their owners, by a cloud, by Docker.
  test.each(["lab", "Lab.example.org", "3f2a9c01d4e7", "-x", "süd", "localhost"])(
    "takes the name that a server calls itself at a machine named %s",
    async (hostname) => {
      using user = new User();
      const invite = await inviteAt(hostname);
      if (invite === undefined) return; // only root may name a machine
      const joined = await user.run(["join", invite, "--json"]);
      expect(joined).toMatchObject({ exitCode: 0, stderr: "" });
      // A name that means this machine itself would hide its own server.
      expect(JSON.parse(joined.stdout).name).toMatch(/^(?!localhost$)[a-z][a-z0-9_-]*$/);
    },
  );

  test("is not needed for one command: the line in the environment is enough, and nothing is kept", async () => {
    using user = new User();
    expect((await user.run(["status"], { env: { COMMSERVER_INVITE: site.invite } })).exitCode).toBe(0);
    expect(readdirSync(user.path)).toEqual([]);
  });

  const sources: [string, (user: User) => [string[], { stdin?: string; env?: Record<string, string> }]][] = [
    ["from standard input", () => [["join", "-"], { stdin: `${site.invite}\n` }]],
    ["from COMMSERVER_INVITE", () => [["join"], { env: { COMMSERVER_INVITE: site.invite } }]],
    ["as it was copied, with space around it", () => [["join", `  ${site.invite}\n`], {}]],
  ];
  test.each(sources)("%s", async (_, make) => {
    using user = new User();
    const [args, options] = make(user);
    const joined = await user.run([...args, "--name", "lab", "--json"], options);
    expect(joined.exitCode).toBe(0);
    expect(JSON.parse(joined.stdout)).toMatchObject({
      name: "lab",
      addresses: [site.address],
      identity: site.fingerprint,
    });
    expect((await user.run(["status", "-s", "lab"])).exitCode).toBe(0);
  });

  test("the token stays with the server when its identity is learned later", async () => {
    using user = new User();
    // Of a time when the server ran without encryption.
    await user.run(["join", formatInvite({ ...parseInvite(site.invite), identity: null }), "-n", "lab"]);
    expect((await user.run(["list", "-s", "lab", "--accept-new"])).exitCode).toBe(0);
    expect((await user.run(["list", "-s", "lab"])).exitCode).toBe(0);
  });

  test("again with another token replaces it; another server under its name needs --overwrite", async () => {
    using user = new User();
    await user.run(["join", site.invite, "-n", "lab"]);
    expect((await user.run(["join", site.invite, "-n", "lab"])).exitCode).toBe(0);
    const other = formatInvite({ ...parseInvite(site.invite), identity: `SHA256:${"A".repeat(43)}` });
    const refused = await user.run(["join", other, "-n", "lab", "--json"]);
    expect(errorOf(refused)).toMatchObject({ code: "SERVER_KNOWN", exit: 8 });
    expect((await user.run(["status", "-s", "lab"])).exitCode).toBe(0);
    expect((await user.run(["join", other, "-n", "lab", "--overwrite"])).exitCode).toBe(0);
    expect((await user.run(["status", "-s", "lab"])).exitCode).toBe(5);
  });

  test("says nothing of files when a name is taken", async () => {
    using user = new User();
    await user.run(["join", site.invite, "-n", "lab"]);
    const other = formatInvite({ ...parseInvite(site.invite), identity: null });
    expect((await user.run(["join", other, "-n", "lab"])).stderr).not.toContain("--skip-existing");
  });

  test.each(["a.b", "host:1", "[::1]", "../x", "", "1st", "x".repeat(65)])("takes no %j for a name", async (name) => {
    using user = new User();
    expect((await user.run(["join", site.invite, "--name", name])).exitCode).toBe(2);
    expect(readdirSync(user.path)).toEqual([]);
  });

  test.each([[["not an address"]], [["host:0"]], [["192.0.2.7:5050", "unix:/tmp/x.sock"]]])(
    "takes no invite whose addresses are none: %j",
    async (addresses) => {
      using user = new User();
      const invite = formatInvite({ ...parseInvite(site.invite), addresses });
      expect((await user.run(["join", invite, "-n", "lab"])).exitCode).toBe(2);
      expect(readdirSync(user.path)).toEqual([]);
    },
  );

  test("without anything to join says what to do", async () => {
    using user = new User();
    const { exitCode, stderr } = await user.run(["join"]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("join INVITE");
  });
});

describe("a damaged invite is refused, stored nowhere, and not shown", () => {
  const damaged: [string, (invite: string) => string][] = [
    ["cut", (invite) => invite.slice(0, -20)],
    ["with a letter changed", (invite) => `${invite.slice(0, 60)}${invite[60] === "A" ? "B" : "A"}${invite.slice(61)}`],
    ["with words around it", (invite) => `commserver-client join ${invite}`],
    ["without its beginning", (invite) => invite.slice(4)],
  ];
  const ways: [string, (line: string) => [string[], { stdin?: string; env?: Record<string, string> }]][] = [
    ["as an argument", (line) => [["join", "--", line], {}]],
    ["from standard input", (line) => [["join", "-"], { stdin: line }]],
    ["in the environment of another command", (line) => [["list"], { env: { COMMSERVER_INVITE: line } }]],
  ];
  test.each(damaged.flatMap(([what, damage]) => ways.map(([way, make]) => [what, way, damage, make] as const)))(
    "%s, %s",
    async (_what, _way, damage, make) => {
      using user = new User();
      const line = damage(site.invite);
      const [args, options] = make(line);
      const { exitCode, stdout, stderr } = await user.run(args, options);
      expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
      expect(stderr).not.toContain(site.invite.slice(70, 90));
      expect(readdirSync(user.path)).toEqual([]);
    },
  );

  const slips: [string, (invite: string) => string[]][] = [
    ["without the word join", (invite) => [invite]],
    ["as the server", (invite) => ["list", "--server", invite]],
  ];
  test.each(slips)("a good one in the wrong place is not shown: %s", async (_, make) => {
    using user = new User();
    const { exitCode, stdout, stderr } = await user.run(make(site.invite));
    expect(exitCode).toBe(2);
    expect(stdout + stderr).not.toContain(site.invite.slice(110, 150));
  });

  test("one in two pieces, as a line that was wrapped, is put together", async () => {
    using user = new User();
    expect((await user.run(["join", site.invite.slice(0, 100), site.invite.slice(100), "-n", "lab"])).exitCode).toBe(0);
    expect((await user.run(["list", "-s", "lab"])).exitCode).toBe(0);
  });
});

describe("servers and forget", () => {
  test("list what is known without its secrets, and forget it", async () => {
    using user = new User();
    expect((await user.run(["servers", "--json"])).stdout).toBe("[]\n");
    await user.run(["status", "-s", site.address, "--accept-new"], { env: { COMMSERVER_TOKEN: site.token } });
    await user.run(["join", site.invite, "-n", "lab"]);
    const { stdout } = await user.run(["servers", "--json"]);
    const identity = site.fingerprint;
    expect(JSON.parse(stdout)).toEqual([
      { name: site.address, addresses: [site.address], identity, hasToken: false },
      { name: "lab", addresses: [site.address], identity, hasToken: true },
    ]);
    const shown = await user.run(["servers"]);
    expect(shown.stdout).toMatch(/^lab /m);
    expect(shown.stdout).toContain(site.address);
    for (const text of [stdout, shown.stdout]) expect(text).not.toContain(site.secret);
    expect(await user.run(["forget", "lab"])).toMatchObject({ exitCode: 0, stdout: "lab is forgotten.\n" });
    expect(
      filesBelow(user.path)
        .map(({ text }) => text)
        .join(),
    ).not.toContain(site.secret);
    expect((await user.run(["list", "-s", "lab"])).exitCode).not.toBe(0);
  });

  test("forget also what was joined by an address in another spelling", async () => {
    using user = new User();
    await user.run(["status", "-s", site.address, "--accept-new"]);
    expect((await user.run(["forget", site.address])).exitCode).toBe(0);
    expect((await user.run(["status", "-s", site.address])).exitCode).toBe(5);
  });

  test("forget what is not known: not found, and nothing about the repository", async () => {
    using user = new User();
    const { exitCode, stderr } = await user.run(["forget", "nobody"]);
    expect(exitCode).toBe(6);
    expect(stderr).not.toContain("commserver-client list");
  });
});

test("servers shows the others when the token of one is damaged", async () => {
  using user = new User();
  for (const name of ["lab", "other"]) await user.run(["join", site.invite, "-n", name]);
  const [file] = filesBelow(user.path)
    .map(({ name }) => user.join(name))
    .filter((path) => path.endsWith("lab.json")) as [string];
  writeFileSync(file, readFileSync(file, "utf8").replace(site.token, "damaged"));
  const { exitCode, stdout } = await user.run(["servers"]);
  expect(exitCode).toBe(0);
  expect(stdout).toContain("other");
});

describe("a state folder of one's own", () => {
  test("holds the servers that are known there, and no other does", async () => {
    using user = new User();
    const folder = user.join("mine");
    await user.run(["join", site.invite, "-n", "lab", "--state-dir", folder]);
    expect(existsSync(user.join("commserver"))).toBe(false);
    expect((await user.run(["list", "-s", "lab", "--state-dir", folder])).exitCode).toBe(0);
    expect((await user.run(["list", "-s", "lab"])).exitCode).not.toBe(0);
  });

  test("whose entry is damaged is reported by its file", async () => {
    using user = new User();
    await user.run(["join", site.invite, "-n", "lab"]);
    const [file] = filesBelow(user.path).map(({ name }) => user.join(name)) as [string];
    writeFileSync(file, "{");
    const { exitCode, stderr } = await user.run(["list", "-s", "lab"]);
    expect(exitCode).toBe(9);
    expect(stderr.replaceAll("\n", "")).toContain(file);
  });
});
