import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { AccessSite, errorOf, filesBelow } from "../support/access-site.ts";
import { binaries } from "../support/binaries.ts";
import { LinkProxy, openTap } from "../support/link-proxy.ts";
import type { Finished } from "../support/processes.ts";
import { Program } from "../support/program.ts";
import { Screen } from "../support/screen.ts";

let site: AccessSite;
beforeAll(async () => {
  site = await AccessSite.start("--writable", "--max-clients", "50");
  writeFileSync(site.folder.join("token"), `${site.token}\n`, { mode: 0o600 });
  writeFileSync(site.folder.join("invite"), `${site.invite}\n`, { mode: 0o600 });
  writeFileSync(site.folder.join("mine.txt"), "mine\n");
}, 180_000);
afterAll(() => site[Symbol.asyncDispose]());

/** Where a command gets its right from; the server is trusted at first sight where no invite names it. */
const SOURCES: [string, () => [string[], { env?: Record<string, string>; stdin?: string }]][] = [
  ["COMMSERVER_INVITE alone", () => [[], { env: { COMMSERVER_INVITE: site.invite } }]],
  ["--invite-file", () => [["--invite-file", site.folder.join("invite")], {}]],
  ["--invite-file -", () => [["--invite-file", "-"], { stdin: site.invite }]],
  ["COMMSERVER_TOKEN", () => [["-s", site.address, "--accept-new"], { env: { COMMSERVER_TOKEN: site.token } }]],
  ["--token-file", () => [["-s", site.address, "--accept-new", "--token-file", site.folder.join("token")], {}]],
  ["--token-file -", () => [["-s", site.address, "--accept-new", "--token-file", "-"], { stdin: site.token }]],
];

const COMMANDS: [string, string[]][] = [
  ["status", ["status"]],
  ["list", ["list"]],
  ["get", ["get", "a.txt", "--output", "fetched/", "--overwrite"]],
  ["put", ["put", "mine.txt", "--overwrite"]],
  ["digest", ["digest", "a.txt"]],
  ["rename", ["rename", "mine.txt", "yours.txt", "--overwrite"]],
  ["remove", ["remove", "yours.txt"]],
  ["send", ["send", "hello"]],
  ["ping", ["ping", "--count", "1"]],
];

function expectNoSecret({ stdout, stderr }: Finished): void {
  expect(stdout + stderr).not.toContain(site.secret);
  expect(stdout + stderr).not.toContain(site.invite.slice(60, 100));
}

describe.each(SOURCES)("with %s", (_, source) => {
  test("every command works, and shows no secret", async () => {
    const [args, options] = source();
    for (const [name, command] of COMMANDS) {
      const finished = await site.client([...command, ...args], options);
      expect({ name, ...finished }).toMatchObject({ name, exitCode: 0 });
      expectNoSecret(finished);
    }
  });
});

test("watch and the shell are let in as well", async () => {
  const { client } = await binaries();
  const env = { ...site.env, COMMSERVER_INVITE: site.invite };
  await using watching = new Program([client, "watch"], { env });
  // Until it is there, and so sees a change.
  for (let round = 0; !watching.lines.some((line) => line.includes("watched.txt")); round++) {
    writeFileSync(site.folder.join("files", "watched.txt"), `${round}`);
    await Bun.sleep(2);
  }
  await using shell = new Program([client], { env });
  shell.say("hello");
  await shell.hear((line) => line === "hello ACK");
});

describe("the shell on a terminal", () => {
  test("keeps no secret in its history", async () => {
    const { client } = await binaries();
    const env = { ...site.env, COMMSERVER_INVITE: site.invite };
    await using screen = new Screen([client], { cwd: site.folder.path, env });
    await screen.shows("> ");
    screen.type("hello\r");
    await screen.shows("hello ACK");
    screen.type("exit\r");
    expect(await screen.exited).toBe(0);
    expect(screen.text).not.toContain(site.secret);
    for (const { name, mode, text } of filesBelow(site.folder.join("home"))) {
      expect(text).not.toContain(site.secret);
      expect(text).not.toContain(site.invite.slice(60, 100));
      expect({ name, mode }).toEqual({ name, mode: 0o600 });
    }
  });
});

describe("a secret that does not fit", () => {
  const wrong = () => `default:${"w".repeat(43)}`;
  const to = () => ["-s", site.address, "--accept-new", "--json"];

  test.each([
    ["a wrong token", () => wrong(), "ACCESS_DENIED", 5],
    ["an unknown name", () => `nobody:${"w".repeat(43)}`, "ACCESS_DENIED", 5],
    ["no token", () => "", "TOKEN_REQUIRED", 5],
    ["what is no token", () => "w".repeat(43), "USAGE", 2],
    ["an invite for a token", () => site.invite, "USAGE", 2],
  ])("%s in COMMSERVER_TOKEN", async (_, make, code, exit) => {
    const finished = await site.client(["list", ...to()], { env: { COMMSERVER_TOKEN: make() } });
    expect({ exitCode: finished.exitCode, ...errorOf(finished) }).toMatchObject({ exitCode: exit, code, exit });
    expect(finished.stderr).not.toContain("w".repeat(43));
    expectNoSecret(finished);
  });

  test.each(["--token-file", "--invite-file"])("%s that is not there, or is empty", async (flag) => {
    const missing = await site.client(["list", ...to(), flag, site.folder.join("none")]);
    expect(errorOf(missing)).toMatchObject({ code: "NO_SUCH_FILE", exit: 6 });
    const empty = await site.client(["list", ...to(), flag, "-"], { stdin: "" });
    expect(errorOf(empty)).toMatchObject({ code: "USAGE", exit: 2 });
  });

  test("a read token puts nothing: not allowed, in words", async () => {
    const { stdout } = await site.operate("token", "add", "reader", "--json");
    const { token } = JSON.parse(stdout);
    const finished = await site.client(["put", "mine.txt", ...to()], { env: { COMMSERVER_TOKEN: token } });
    expect(finished.exitCode).toBe(5);
    expect(existsSync(site.folder.join("files", "mine.txt"))).toBe(false);
  });
});

describe("a link that is lost is made again", () => {
  test.each([
    ["COMMSERVER_TOKEN", () => ({ args: [], env: { COMMSERVER_TOKEN: site.token }, stdin: undefined })],
    ["--token-file", () => ({ args: ["--token-file", site.folder.join("token")], env: {}, stdin: undefined })],
    ["--token-file -", () => ({ args: ["--token-file", "-"], env: {}, stdin: site.token })],
  ])("with %s", async (_, make) => {
    const { args, env, stdin } = make();
    using proxy = new LinkProxy(site.server.port, () => openTap);
    const { client } = await binaries();
    const command = [client, "watch", "--json", "-s", `127.0.0.1:${proxy.port}`, "--accept-new", ...args];
    await using watching = new Program(command, { env: { ...site.env, ...env } });
    if (stdin !== undefined) watching.say(stdin);
    watching.endInput();
    const change = async (name: string) => {
      for (let round = 0; !watching.isOver && !watching.lines.some((line) => line.includes(name)); round++) {
        writeFileSync(site.folder.join("files", name), `${round}`);
        await Bun.sleep(2);
      }
    };
    await change("before.txt");
    for (const link of proxy.links) link.cut();
    await change("after.txt");
    expect(watching.lines.join("\n")).toContain("after.txt");
  });
});
