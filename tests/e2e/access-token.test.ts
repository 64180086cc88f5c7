import { beforeAll, describe, expect, test } from "bun:test";
import { rmSync, statSync } from "node:fs";
import { parseInvite } from "../../lib/protocol/invite.ts";
import { AccessSite, errorOf, filesBelow } from "../support/access-site.ts";
import { binaries } from "../support/binaries.ts";
import { Program } from "../support/program.ts";
import { Screen } from "../support/screen.ts";

beforeAll(async () => {
  await binaries();
}, 180_000);

/** The server's command while it runs, or after it has stopped. */
const STATES: [string, (site: AccessSite) => Promise<unknown>, (site: AccessSite) => Promise<unknown>][] = [
  ["while the server runs", async () => {}, async () => {}],
  [
    "without a server",
    async (site) => {
      site.server.signal("SIGTERM");
      await site.server.exited();
    },
    (site) => site.restart(),
  ],
];

describe.each(STATES)("%s", (_, prepare, serve) => {
  test("token add makes one that works, and list shows it without its secret", async () => {
    await using site = await AccessSite.start("--writable");
    await prepare(site);
    const made = await site.operate("token", "add", "laptop", "--role", "write", "--expires", "12h", "--json");
    expect(made).toMatchObject({ exitCode: 0, stderr: "" });
    const { token, invite, ...rest } = JSON.parse(made.stdout);
    expect(rest).toEqual({ name: "laptop", role: "write", expiresAt: expect.any(Number) });
    expect(parseInvite(invite)).toMatchObject({ identity: site.fingerprint, token: { name: "laptop" } });
    const listed = await site.operate("token", "list", "--json");
    expect(JSON.parse(listed.stdout)).toEqual([
      { name: "default", role: "write", createdAt: expect.any(Number), expiresAt: null },
      { name: "laptop", role: "write", createdAt: expect.any(Number), expiresAt: rest.expiresAt },
    ]);
    const shown = await site.operate("token", "list");
    for (const text of ["NAME", "laptop", "write", "never"]) expect(shown.stdout).toContain(text);
    const secret = token.split(":")[1];
    for (const text of [listed.stdout, shown.stdout]) expect(text).not.toContain(secret);
    for (const { text } of filesBelow(site.stateDir)) expect(text).not.toContain(secret);
    expect(statSync(site.folder.join("state", "tokens.json")).mode & 0o777).toBe(0o600);
    await serve(site);
    const env = { COMMSERVER_TOKEN: token };
    const status = await site.client(["status", "-s", site.address, "--accept-new", "--json"], { env });
    expect(JSON.parse(status.stdout).self.role).toBe("write");
  });

  test("token revoke takes it back", async () => {
    await using site = await AccessSite.start();
    await prepare(site);
    expect((await site.operate("token", "revoke", "default", "--json")).stdout).toBe(
      '{"name":"default","revoked":true}\n',
    );
    expect((await site.operate("token", "list")).stdout).toBe(
      `There are no tokens. Make one with: commserver-server token add NAME --state-dir ${site.stateDir}\n`,
    );
    await serve(site);
    const env = { COMMSERVER_INVITE: site.invite };
    expect(errorOf(await site.client(["status", "--json"], { env }))).toMatchObject({ code: "ACCESS_DENIED", exit: 5 });
  });

  test("what can't be is told, with the exit code of the table", async () => {
    await using site = await AccessSite.start();
    await prepare(site);
    const failing: [string[], string, number][] = [
      [["add", "default"], "TOKEN_EXISTS", 8],
      [["add", "local"], "BAD_PARAMS", 2],
      [["add", "a b"], "BAD_PARAMS", 2],
      [["revoke", "nobody"], "NO_SUCH_TOKEN", 6],
      [["add"], "USAGE", 2],
      [["revoke"], "USAGE", 2],
      [["list", "default"], "USAGE", 2],
      [["make", "x"], "USAGE", 2],
      [["add", "x", "--role", "root"], "USAGE", 2],
      [["add", "x", "--advertise", "a b"], "USAGE", 2],
      ...["0d", "-1d", "1", "1w", "1.5h", "soon", "", "99999999d"].map((period): [string[], string, number] => [
        ["add", "x", `--expires=${period}`],
        "USAGE",
        2,
      ]),
    ];
    for (const [args, code, exit] of failing) {
      const finished = await site.operate("token", ...args, "--json");
      expect({ args, exitCode: finished.exitCode, ...errorOf(finished) }).toMatchObject({
        args,
        exitCode: exit,
        code,
        exit,
      });
      expect(finished.stdout).toBe("");
    }
    expect(JSON.parse((await site.operate("token", "list", "--json")).stdout)).toHaveLength(1);
  });

  test("the advice is about tokens, not about files", async () => {
    await using site = await AccessSite.start();
    await prepare(site);
    for (const args of [
      ["add", "default"],
      ["revoke", "nobody"],
    ]) {
      const { stderr } = await site.operate("token", ...args);
      expect(stderr).not.toMatch(/--skip-existing|commserver-client list/);
    }
  });
});

describe("token add", () => {
  test("for people says what to do with it, and that it is shown once", async () => {
    await using site = await AccessSite.start();
    const { stdout } = await site.operate("token", "add", "laptop");
    const [, invite] = /commserver-client join (csinvite1_\S+)/.exec(stdout) as unknown as [string, string];
    expect(stdout).toContain("shown only once");
    expect(stdout).toMatch(/\n {2}laptop:[\w-]{43}\n/);
    expect((await site.client(["join", invite, "-n", "lab"])).exitCode).toBe(0);
    const status = await site.client(["status", "-s", "lab", "--json"]);
    expect(JSON.parse(status.stdout).self.role).toBe("read");
  });

  test("puts the addresses that one names into the invite", async () => {
    await using site = await AccessSite.start();
    const { stdout } = await site.operate(
      "token",
      "add",
      "x",
      "--advertise",
      "files.example.org,192.0.2.7:99",
      "--json",
    );
    expect(parseInvite(JSON.parse(stdout).invite).addresses).toEqual(["files.example.org:5050", "192.0.2.7:99"]);
  });

  test("makes one that ends, and the sessions with it, at its time", async () => {
    await using site = await AccessSite.start();
    const { stdout } = await site.operate("token", "add", "short", "--expires", "1s", "--json");
    const { client } = await binaries();
    const env = { ...site.env, COMMSERVER_TOKEN: JSON.parse(stdout).token };
    await using watching = new Program([client, "watch", "-s", site.address, "--accept-new"], { env });
    const { exitCode, stderr } = await watching.ended();
    expect(exitCode).toBe(5);
    expect(stderr).toContain('The token "short" has expired.');
  });

  test("of a server that has ended a session by it: live, over the socket, and told in the events", async () => {
    await using site = await AccessSite.start();
    const { client } = await binaries();
    const env = { ...site.env, COMMSERVER_INVITE: site.invite };
    await using watching = new Program([client, "watch"], { env });
    await site.server.event("joined", { token: "default", role: "write" });
    expect((await site.operate("token", "revoke", "default")).exitCode).toBe(0);
    const { exitCode, stderr } = await watching.ended();
    expect(exitCode).toBe(5);
    expect(stderr).toContain('The token "default" was revoked.');
    await site.server.event("revoked", { name: "Operator", token: "default" });
    await site.server.event("left", { reason: "revoked" });
  });
});

describe("a server that runs and can't be reached by its socket", () => {
  test("keeps its tokens to itself: STATE_IN_USE", async () => {
    await using site = await AccessSite.start();
    rmSync(site.folder.join("state", "operator.sock"));
    for (const args of [["add", "x"], ["list"], ["revoke", "default"]]) {
      expect(errorOf(await site.operate("token", ...args, "--json"))).toMatchObject({ code: "STATE_IN_USE", exit: 8 });
    }
    const status = await site.client(["status", "--json"], { env: { COMMSERVER_INVITE: site.invite } });
    expect(status.exitCode).toBe(0);
  });
});

describe("the server's own terminal", () => {
  test("makes, lists and revokes tokens, and keeps no secret in a history", async () => {
    await using site = await AccessSite.start();
    const { server } = await binaries();
    await using screen = new Screen([server, "console", "--state-dir", site.stateDir], {
      cwd: "/",
      env: site.ownerEnv,
    });
    await screen.prompts("server> ");
    screen.type("token add phone write\r");
    await screen.shows("The token alone");
    const secret = await screen
      .shows("phone:")
      .then(() => /phone:([\w-]{43})/.exec(screen.text.replaceAll("\n", ""))?.[1] as string);
    screen.type("token list\r");
    await screen.shows("EXPIRES");
    screen.type("token add\r");
    await screen.shows("Write: token add NAME");
    screen.type("token revoke phone\r");
    await screen.shows("phone is revoked.");
    screen.type("\x04");
    expect(await screen.exited).toBe(0);
    for (const { text } of [...filesBelow(site.stateDir), ...filesBelow(site.folder.join("owner"))]) {
      expect(text).not.toContain(secret);
    }
  });
});
