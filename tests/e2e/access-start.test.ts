import { beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, statSync } from "node:fs";
import { parseInvite } from "../../lib/protocol/invite.ts";
import { AccessSite, errorOf, filesBelow } from "../support/access-site.ts";
import { binaries } from "../support/binaries.ts";
import { Program } from "../support/program.ts";
import { Screen } from "../support/screen.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { until } from "../support/until.ts";

beforeAll(async () => {
  await binaries();
}, 180_000);

describe("the first start", () => {
  test("tells an invite and the fingerprint, the second one the fingerprint alone", async () => {
    await using site = await AccessSite.start();
    const [listening] = site.server.events;
    expect(listening).toMatchObject({ event: "listening", tls: true, open: false });
    expect(listening?.["fingerprint"]).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/);
    expect(parseInvite(site.invite)).toMatchObject({
      addresses: [site.address],
      identity: site.fingerprint,
      token: { name: "default" },
    });
    const { fingerprint } = site;
    await site.restart();
    expect(site.server.events[0]).toMatchObject({ invite: null, fingerprint });
  });

  test("leaves what only the owner may read, and the secret in none of it", async () => {
    await using site = await AccessSite.start();
    expect(statSync(site.stateDir).mode & 0o777).toBe(0o700);
    const files = filesBelow(site.stateDir);
    const private_ = files.filter(({ name }) => /^(identity\.pem|tokens\.json)$/.test(name));
    expect(private_.map(({ name, mode }) => [name, mode]).sort()).toEqual([
      ["identity.pem", 0o600],
      ["tokens.json", 0o600],
    ]);
    for (const { text } of files) expect(text).not.toContain(site.secret);
  });

  test("shows the invite on a terminal, and with it a client gets in", async () => {
    using folder = new TempFolder();
    const { server, client } = await binaries();
    const command = [server, "-r", folder.path, "--port", "0", "--host", "127.0.0.1", "--state-dir", folder.join("s")];
    await using screen = new Screen(command, { cwd: folder.path, env: { XDG_STATE_HOME: folder.join("owner") } });
    await screen.prompts("server> ");
    const invite = /join (csinvite1_[\w-]+)/.exec(screen.text.replaceAll("\n", ""))?.[1] as string;
    const fingerprint = /Identity\s+(SHA256:\S{43})/.exec(screen.text)?.[1] as string;
    expect(parseInvite(invite).identity).toBe(fingerprint);
    const env = { XDG_STATE_HOME: folder.join("home"), COMMSERVER_INVITE: invite };
    await using listing = new Program([client, "status", "--json"], { env });
    expect((await listing.ended()).exitCode).toBe(0);
  });

  test("that does not come about, for the port is in use, leaves the invite to the next one", async () => {
    using folder = new TempFolder();
    using taken = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    const { server } = await binaries();
    const command = [server, "-r", folder.path, "--host", "127.0.0.1", "--json", "--state-dir", folder.join("s")];
    const env = { XDG_STATE_HOME: folder.join("owner") };
    await using failing = new Program([...command, "--port", `${taken.port}`], { env });
    expect((await failing.ended()).exitCode).toBe(10);
    await using next = new Program([...command, "--port", "0"], { env });
    expect((await next.event("listening"))["invite"]).toStartWith("csinvite1_");
  });

  test("into a pipe makes no token that nobody could read: token add makes it", async () => {
    using folder = new TempFolder();
    const { server } = await binaries();
    const command = [server, "-r", folder.path, "--port", "0", "--host", "127.0.0.1", "--state-dir", folder.join("s")];
    await using program = new Program(command, { env: { XDG_STATE_HOME: folder.join("owner") } });
    await program.hear((line) => line.includes("token add NAME"));
    const kept = JSON.parse(readFileSync(folder.join("s", "tokens.json"), "utf8"));
    expect(kept).toMatchObject({ issued: false, tokens: [] });
    expect(program.lines.join("\n")).not.toContain("csinvite1_");
  });
});

describe("on the same machine, for the same user", () => {
  test("two terminals need no flag: the server's own user is in, and may write", async () => {
    await using site = await AccessSite.start("--writable");
    for (const server of [site.address, `localhost:${site.server.port}`]) {
      const status = await site.client(["status", "--json", "-s", server], { env: site.ownerEnv });
      expect({ ...status, stdout: JSON.parse(status.stdout).self.role }).toEqual({
        exitCode: 0,
        stdout: "write",
        stderr: "",
      });
    }
    expect(existsSync(site.folder.join("owner", "commserver", "servers"))).toBe(false);
  });

  test("another user needs an invite", async () => {
    await using site = await AccessSite.start();
    expect((await site.client(["status", "-s", site.address])).exitCode).toBe(5);
    const trusting = await site.client(["status", "-s", site.address, "--accept-new", "--json"]);
    expect(errorOf(trusting)).toMatchObject({ code: "TOKEN_REQUIRED", exit: 5 });
  });

  test("what it leaves is for its user alone, and goes when it stops", async () => {
    await using site = await AccessSite.start();
    const file = site.folder.join("owner", "commserver", "local", `${site.server.port}.json`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    site.server.signal("SIGTERM");
    expect(await site.server.exited()).toBe(0);
    expect(existsSync(file)).toBe(false);
  });

  test("what a killed server has left is not used, and the next one at the port is known", async () => {
    await using site = await AccessSite.start();
    const { port } = site.server;
    const file = site.folder.join("owner", "commserver", "local", `${port}.json`);
    const left = readFileSync(file, "utf8");
    site.server.signal("SIGKILL");
    await site.server.exited();
    expect(readFileSync(file, "utf8")).toBe(left);
    expect((await site.client(["status", "-s", site.address], { env: site.ownerEnv })).exitCode).toBe(3);
    await site.restart();
    expect((await site.client(["status", "-s", site.address], { env: site.ownerEnv })).exitCode).toBe(0);
    expect(readFileSync(file, "utf8")).not.toBe(left);
  });

  test("a server without a home still serves, and says that it leaves nothing", async () => {
    await using site = await AccessSite.start();
    const { server } = await binaries();
    const command = [
      server,
      "-r",
      site.folder.join("files"),
      "--port",
      "0",
      "--json",
      "--state-dir",
      site.folder.join("s2"),
    ];
    // A file where the folder should be.
    await using homeless = new Program(command, { env: { XDG_STATE_HOME: site.folder.join("files", "a.txt") } });
    const warning = await homeless.event("warning");
    expect(warning["message"]).toStartWith("No invite for this machine: ");
  });
});

describe("a server that is open", () => {
  test("lets anyone read, and nobody write without a token; its identity is checked all the same", async () => {
    await using site = await AccessSite.start("--open", "--writable");
    expect(site.server.events[0]).toMatchObject({ open: true });
    expect((await site.client(["list", "-s", site.address])).exitCode).toBe(5);
    const flags = ["-s", site.address, "--accept-new", "--json"];
    expect(JSON.parse((await site.client(["status", ...flags])).stdout).self.role).toBe("read");
    expect(errorOf(await site.client(["remove", "a.txt", ...flags]))).toMatchObject({ code: "NOT_ALLOWED", exit: 5 });
    const env = { COMMSERVER_TOKEN: site.token };
    expect((await site.client(["remove", "a.txt", ...flags], { env })).exitCode).toBe(0);
  });
});

describe("who guesses", () => {
  test("is told so after ten times, and the right token comes in all the same", async () => {
    await using site = await AccessSite.start();
    const env = { COMMSERVER_TOKEN: `default:${"w".repeat(43)}` };
    const guess = () => site.client(["list", "-s", site.address, "--accept-new", "--json"], { env });
    for (let round = 0; round < 10; round++) expect(errorOf(await guess()).code).toBe("ACCESS_DENIED");
    // One more every 5 s is told as the first ten are, which a slow machine may take.
    await until(async () => errorOf(await guess()).code === "THROTTLED");
    await site.server.event("refused", { code: "THROTTLED" });
    const right = { COMMSERVER_TOKEN: site.token };
    expect((await site.client(["list", "-s", site.address, "--accept-new"], { env: right })).exitCode).toBe(0);
  });
});

describe("what a server tells never holds a secret", () => {
  test("but for the invite: neither its events nor its log, whatever is tried", async () => {
    await using site = await AccessSite.start();
    const wrong = `default:${"w".repeat(43)}`;
    const { server } = await binaries();
    const command = [server, "-r", site.folder.path, "--port", "0", "--host", "127.0.0.1"];
    await using logging = new Program([...command, "--state-dir", site.folder.join("s2")], { env: site.ownerEnv });
    const line = await logging.hear((text) => text.includes("--server "));
    const address = /--server (\S+)/.exec(line)?.[1] as string;
    for (const at of [site.address, address]) {
      for (const token of [site.token, wrong]) {
        await site.client(["status", "-s", at, "--accept-new"], { env: { COMMSERVER_TOKEN: token } });
      }
    }
    await site.server.event("refused");
    logging.signal("SIGTERM");
    const { stderr } = await logging.ended();
    await until(() => stderr.includes("refused"));
    const left = filesBelow(site.folder.join("owner")).filter(({ name }) => name.endsWith(".json"));
    const local = left.map(({ text }) => JSON.parse(text).token.split(":")[1]);
    const told = JSON.stringify(site.server.events.slice(1)) + stderr + logging.lines.join("\n");
    for (const secret of [site.secret, "w".repeat(43), ...local]) expect(told).not.toContain(secret);
    expect(told).toContain('Token "default": The proof is wrong.'.replaceAll('"', '\\"'));
  });
});

describe("a damaged state folder stops the start in words", () => {
  test.each([
    ["identity.pem", "holds no identity"],
    ["tokens.json", "is damaged"],
  ])("%s", async (name, words) => {
    await using site = await AccessSite.start();
    site.server.signal("SIGTERM");
    await site.server.exited();
    await Bun.write(site.folder.join("state", name), "damaged");
    const { exitCode, stderr } = await site.operate("serve", "-r", site.folder.path, "--port", "0");
    expect(exitCode).toBe(9);
    expect(stderr).toContain(words);
    expect(stderr).toContain(name);
    expect(stderr).not.toContain("    at ");
  });
});
