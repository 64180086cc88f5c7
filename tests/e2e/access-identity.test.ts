import { beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, statSync } from "node:fs";
import { AccessSite, errorOf, filesBelow } from "../support/access-site.ts";
import { binaries } from "../support/binaries.ts";
import { Screen } from "../support/screen.ts";

beforeAll(async () => {
  await binaries();
}, 180_000);

/** A client that has a token and knows nothing of the server. */
function stranger(site: AccessSite, ...args: string[]) {
  return site.client([...args, "-s", site.address, "--json"], { env: { COMMSERVER_TOKEN: site.token } });
}

const stored = (site: AccessSite) => filesBelow(site.folder.join("home"));

describe("a server that is not known", () => {
  test("off a terminal is refused with its fingerprint, and not remembered", async () => {
    await using site = await AccessSite.start();
    const error = errorOf(await stranger(site, "list"));
    expect(error).toMatchObject({ code: "UNKNOWN_IDENTITY", exit: 5 });
    expect(error.message).toContain(site.fingerprint);
    expect(readdirSync(site.folder.join("home"))).toEqual([]);
    // Not a word of a session.
    expect(site.server.events.map(({ event }) => event)).not.toContain("joined");
  });

  test("is remembered with --accept-new, for the user alone, without the token", async () => {
    await using site = await AccessSite.start();
    expect((await stranger(site, "list", "--accept-new")).exitCode).toBe(0);
    expect((await stranger(site, "list")).exitCode).toBe(0);
    const [entry] = stored(site);
    expect(entry?.mode).toBe(0o600);
    expect(JSON.parse(entry?.text ?? "")).toMatchObject({ name: site.address, identity: site.fingerprint });
    expect(entry?.text).not.toContain(site.secret);
  });
});

describe("on a terminal", () => {
  async function asked(site: AccessSite): Promise<Screen> {
    const { client } = await binaries();
    const env = { ...site.env, COMMSERVER_TOKEN: site.token };
    const screen = new Screen([client, "list", "-s", site.address], { cwd: site.folder.path, env });
    await screen.prompts("Trust it from now on? [y/N] ");
    expect(screen.text).toContain(site.fingerprint);
    return screen;
  }

  test.each(["y", "yes", "Y"])("a person who says %s is let in, and not asked again", async (word) => {
    await using site = await AccessSite.start();
    await using screen = await asked(site);
    screen.type(`${word}\r`);
    await screen.shows("a.txt");
    expect(await screen.exited).toBe(0);
    expect((await stranger(site, "list")).exitCode).toBe(0);
  });

  test.each([
    ["n", "n\r", 5],
    ["nothing", "\r", 5],
    ["something else", "yesno\r", 5],
    ["Ctrl-D", "\x04", 5],
    ["Ctrl-C", "\x03", 130],
  ])("a person who says %s is not, and nothing is remembered", async (_, keys, exit) => {
    await using site = await AccessSite.start();
    await using screen = await asked(site);
    screen.type(keys);
    expect(await screen.exited).toBe(exit);
    expect(screen.text).not.toContain("a.txt");
    expect(stored(site)).toEqual([]);
  });
});

test("a question that gets SIGTERM instead of an answer ends, and nothing is remembered", async () => {
  await using site = await AccessSite.start();
  const { client } = await binaries();
  const env = { ...site.env, COMMSERVER_TOKEN: site.token };
  await using screen = new Screen([client, "list", "-s", site.address], { cwd: site.folder.path, env });
  await screen.prompts("[y/N] ");
  process.kill(screen.pid, "SIGTERM");
  expect(await screen.exited).toBe(130);
  expect(stored(site)).toEqual([]);
});

describe("a server that has another identity than before", () => {
  const ways: [string, (site: AccessSite) => Promise<unknown>, (site: AccessSite) => string][] = [
    ["joined", (site) => site.client(["join", site.invite, "-n", "lab"]), () => "lab"],
    ["trusted at first sight", (site) => stranger(site, "list", "--accept-new"), (site) => site.address],
  ];
  test.each(ways)("is refused with both fingerprints and what to do, when it was %s", async (_, know, nameOf) => {
    await using site = await AccessSite.start();
    await know(site);
    const known = site.fingerprint;
    const name = nameOf(site);
    const env = { COMMSERVER_TOKEN: site.token };
    await site.restart(async () => expect((await site.operate("identity", "rotate")).exitCode).toBe(0));
    expect(site.fingerprint).not.toBe(known);
    for (const flags of [[], ["--accept-new"], ["--timeout", "5"]]) {
      const refused = await site.client(["list", "-s", name, ...flags], { env });
      expect(refused.exitCode).toBe(5);
      for (const text of [known, site.fingerprint, "commserver-client forget"]) expect(refused.stderr).toContain(text);
    }
    expect(stored(site).map(({ text }) => JSON.parse(text).identity)).toEqual([known]);
    expect((await site.client(["forget", name])).exitCode).toBe(0);
    expect((await stranger(site, "list", "--accept-new")).exitCode).toBe(0);
  });

  test("is refused on a terminal without a question", async () => {
    await using site = await AccessSite.start();
    await stranger(site, "list", "--accept-new");
    await site.restart(() => site.operate("identity", "rotate"));
    const { client } = await binaries();
    await using screen = new Screen([client, "list", "-s", site.address], { cwd: "/", env: site.env });
    expect(await screen.exited).toBe(5);
    expect(screen.text).not.toContain("[y/N]");
  });

  test("is refused by an invite in the environment as well", async () => {
    await using site = await AccessSite.start();
    const env = { COMMSERVER_INVITE: site.invite };
    await site.restart(() => site.operate("identity", "rotate"));
    expect((await site.client(["list", "--accept-new"], { env })).exitCode).toBe(5);
  });

  test("is known to its own user at once", async () => {
    await using site = await AccessSite.start();
    await site.restart(() => site.operate("identity", "rotate"));
    expect((await site.client(["list", "-s", site.address], { env: site.ownerEnv })).exitCode).toBe(0);
  });

  test.each([
    ["NODE_TLS_REJECT_UNAUTHORIZED", () => "0"],
    ["NODE_EXTRA_CA_CERTS", (site: AccessSite) => site.folder.join("state", "identity.pem")],
    ["SSL_CERT_FILE", (site: AccessSite) => site.folder.join("state", "identity.pem")],
    ["NODE_OPTIONS", () => "--use-openssl-ca"],
    ["BUN_OPTIONS", () => "--use-system-ca"],
  ])("is refused whatever %s says, and so is one that is not known", async (variable, make) => {
    await using site = await AccessSite.start();
    const env = { COMMSERVER_TOKEN: site.token, [variable]: make(site) };
    const unknown = await site.client(["list", "-s", site.address, "--json"], { env });
    expect(errorOf(unknown)).toMatchObject({ code: "UNKNOWN_IDENTITY" });
    await site.client(["join", site.invite, "-n", "lab"]);
    await site.restart(() => site.operate("identity", "rotate"));
    const changed = await site.client(["list", "-s", "lab", "--json"], { env });
    expect(errorOf(changed)).toMatchObject({ code: "WRONG_IDENTITY", exit: 5 });
  });
});

describe("identity", () => {
  test("shows the fingerprint, the same as the server, also while it runs", async () => {
    await using site = await AccessSite.start();
    expect(await site.operate("identity")).toEqual({ exitCode: 0, stdout: `${site.fingerprint}\n`, stderr: "" });
    const { stdout } = await site.operate("identity", "--json");
    expect(JSON.parse(stdout)).toEqual({
      fingerprint: site.fingerprint,
      file: site.folder.join("state", "identity.pem"),
    });
  });

  test("rotate is refused while the server runs, and changes nothing", async () => {
    await using site = await AccessSite.start();
    const refused = await site.operate("identity", "rotate", "--json");
    expect(errorOf(refused)).toMatchObject({ code: "STATE_IN_USE", exit: 8 });
    expect((await site.operate("identity")).stdout).toBe(`${site.fingerprint}\n`);
  });

  test("rotate makes another, for its owner alone, and says what follows", async () => {
    await using site = await AccessSite.start();
    const before = site.fingerprint;
    await site.restart(async () => {
      const { exitCode, stdout, stderr } = await site.operate("identity", "rotate");
      expect(exitCode).toBe(0);
      expect(stdout).toMatch(/^SHA256:\S{43}\n$/);
      expect(stdout).not.toContain(before);
      expect(stderr).toContain("join again");
    });
    expect(statSync(site.folder.join("state", "identity.pem")).mode & 0o777).toBe(0o600);
    expect((await site.operate("identity")).stdout).toBe(`${site.fingerprint}\n`);
  });

  test("with a word that it does not know is a mistake that changes nothing", async () => {
    await using site = await AccessSite.start();
    expect((await site.operate("identity", "destroy")).exitCode).toBe(2);
    expect(existsSync(site.folder.join("state", "identity.pem"))).toBe(true);
  });
});

describe("without encryption", () => {
  test("a client is warned off this machine, and not on it", async () => {
    await using site = await AccessSite.start("--plaintext");
    const away = await site.client(["list", "-s", "192.0.2.1:5050", "--plaintext", "--timeout", "0.1"]);
    expect(away.exitCode).toBe(3);
    expect(away.stderr).toContain("Warning: the connection to 192.0.2.1:5050 is not encrypted (--plaintext).");
    const here = await site.client(["list", "-s", site.address, "--plaintext"], {
      env: { COMMSERVER_TOKEN: site.token },
    });
    expect(here).toMatchObject({ exitCode: 0, stderr: "" });
  });

  test("both sides must say so: neither falls back by itself", async () => {
    await using plain = await AccessSite.start("--plaintext");
    expect(plain.server.events[0]).toMatchObject({ tls: false, fingerprint: null });
    const env = { COMMSERVER_TOKEN: plain.token };
    const list = (...flags: string[]) => plain.client(["list", "-s", plain.address, "--json", ...flags], { env });
    expect(errorOf(await list("--timeout", "1"))).toMatchObject({ exit: 3 });
    expect((await list("--plaintext")).exitCode).toBe(0);
    expect(readdirSync(plain.folder.join("home"))).toEqual([]);
    await using tls = await AccessSite.start();
    const open = await tls.client(["list", "-s", tls.address, "--plaintext", "--json", "--timeout", "1"], { env });
    expect(errorOf(open)).toMatchObject({ exit: 3 });
  });
});
