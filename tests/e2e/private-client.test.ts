/** A client's own keys: neither sent by mistake nor replaced by a server that means no good. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { AccessSite } from "../support/access-site.ts";
import { binaries } from "../support/binaries.ts";
import { contentOf, STATE_PATH } from "../support/private-site.ts";
import { type Finished, run } from "../support/processes.ts";
import { writeTree } from "../support/repository.ts";
import { Screen } from "../support/screen.ts";

let site: AccessSite;
/** Of the client's user, who has joined the server. */
let home: string;

beforeEach(async () => {
  site = await AccessSite.start("--writable");
  home = site.folder.join("user");
  writeTree(home, { "docs/a.txt": "mine\n" });
  const joined = await client("join", site.invite, "--name", "lab");
  expect(joined).toMatchObject({ exitCode: 0 });
}, 180_000);

afterEach(() => site[Symbol.asyncDispose]());

async function client(...args: string[]): Promise<Finished> {
  const { client: program } = await binaries();
  return run([program, ...args], { cwd: home, env: { HOME: home } });
}

const ask = (command: string, ...args: string[]) => client(command, "-s", "lab", ...args);

/** What the server has. */
const served = () =>
  Object.keys(contentOf(site.folder.join("files"))).map((name) => name.slice(site.folder.join("files").length + 1));

test("put of a home sends all but the state folder, and says so", async () => {
  const { exitCode, stderr } = await ask("put", ".");
  expect(exitCode).toBe(0);
  expect(stderr).toContain(`Left out "${STATE_PATH}": where CommServer keeps its own keys`);
  expect(served().sort()).toEqual(["a.txt", "docs/a.txt"]);
});

test("put of what is named in the state folder refuses it by name, and sends the others", async () => {
  symlinkSync(STATE_PATH, `${home}/link`);
  for (const source of [
    STATE_PATH,
    `${STATE_PATH}/servers`,
    `${STATE_PATH}/servers/lab.json`,
    "link",
    "link/servers",
  ]) {
    const { exitCode, stdout, stderr } = await ask("put", source, "docs", "--overwrite");
    expect({ source, exitCode }).toEqual({ source, exitCode: 5 });
    expect(stderr).toContain("CommServer keeps its own keys");
    expect(stdout).toMatch(/(Sent|Unchanged) a\.txt/);
  }
  expect(served().sort()).toEqual(["a.txt", "docs/a.txt"]);
});

test("put sends no file of the state folder by another name, nor the token that it proves itself with", async () => {
  linkSync(`${home}/${STATE_PATH}/servers/lab.json`, `${home}/docs/hard.json`);
  writeFileSync(`${home}/docs/token`, `${site.token}\n`, { mode: 0o600 });
  writeFileSync(`${home}/docs/invite`, `${site.invite}\n`, { mode: 0o600 });
  const byToken = await ask("put", "docs", "--token-file", "docs/token");
  expect(byToken.exitCode).toBe(0);
  expect(byToken.stderr).toContain('Left out "token": where');
  expect(served().sort()).toEqual(["a.txt", "docs/a.txt", "docs/invite"]);
  const byInvite = await client("put", "docs/invite", "docs/a.txt", "--to", "x", "--invite-file", "docs/invite");
  expect(byInvite.exitCode).toBe(5);
  expect(served().sort()).toEqual(["a.txt", "docs/a.txt", "docs/invite", "x/a.txt"]);
});

test("get into a home stores nothing into the state folder that a server sends there, and stores the rest", async () => {
  const own = { [`${STATE_PATH}/servers/lab.json`]: "{}", [`${STATE_PATH}/servers/evil.json`]: "{}" };
  writeTree(site.folder.join("files"), { ...own, ".local/share/b.txt": "good\n", "docs/new.txt": "good\n" });
  const before = contentOf(`${home}/${STATE_PATH}`);
  for (const args of [["-o", home], ["-o", "."], []]) {
    const { exitCode, stderr } = await ask("get", ".", "--overwrite", ...args);
    expect({ args, exitCode }).toEqual({ args, exitCode: 5 });
    expect(stderr).toContain("CommServer keeps its own keys");
    expect(contentOf(`${home}/${STATE_PATH}`)).toEqual(before);
  }
  expect(readFileSync(`${home}/.local/share/b.txt`, "utf8")).toBe("good\n");
  expect(readFileSync(`${home}/docs/new.txt`, "utf8")).toBe("good\n");
});

test("get makes no state folder either where there is none yet", async () => {
  writeTree(site.folder.join("files"), {
    [`${STATE_PATH}/servers/lab.json`]: "{}",
    ".local/state/CommServer/servers/lab.json": "{}",
    ".local/state/other/x.txt": "good\n",
  });
  const fresh = site.folder.join("fresh");
  mkdirSync(fresh);
  const { client: program } = await binaries();
  const env = { HOME: fresh, COMMSERVER_INVITE: site.invite };
  const { exitCode } = await run([program, "get", "."], { cwd: fresh, env });
  expect(exitCode).toBe(5);
  expect(existsSync(`${fresh}/${STATE_PATH}`)).toBe(false);
  expect(existsSync(`${fresh}/.local/state/CommServer`)).toBe(false);
  expect(readFileSync(`${fresh}/.local/state/other/x.txt`, "utf8")).toBe("good\n");
});

test.each([
  STATE_PATH,
  `${STATE_PATH}/`,
  `${STATE_PATH}/servers`,
  `${STATE_PATH}/servers/evil.json`,
  `${STATE_PATH}/new/`,
])("get to %s is refused before anything moves", async (output) => {
  const names = () => readdirSync(`${home}/${STATE_PATH}`, { recursive: true });
  const before = names();
  const { exitCode, stderr } = await ask("get", "a.txt", "--output", output);
  expect(exitCode).toBe(5);
  expect(stderr).toContain("keeps its own keys");
  expect(names()).toEqual(before);
});

test("get where --state-dir is refuses it as well, and leaves the token alone that it proves itself with", async () => {
  writeTree(site.folder.join("files"), { "my state/servers/lab.json": "{}", token: "theirs\n" });
  writeFileSync(`${home}/token`, `${site.token}\n`, { mode: 0o600 });
  await client("join", site.invite, "--name", "lab", "--state-dir", "my state");
  const before = contentOf(`${home}/my state`);
  const args = ["--overwrite", "--state-dir", "my state", "--token-file", "token"];
  expect(await ask("get", ".", ...args)).toMatchObject({ exitCode: 5 });
  expect(contentOf(`${home}/my state`)).toEqual(before);
  expect(readFileSync(`${home}/token`, "utf8")).toBe(`${site.token}\n`);
  await client("join", site.invite, "--name", "lab", "--state-dir", ".");
  expect(await ask("get", "a.txt", "--state-dir", ".")).toMatchObject({ exitCode: 5 });
});

test("the shell keeps it, and its own history, to itself too", async () => {
  const { client: program } = await binaries();
  const env = { HOME: home, XDG_STATE_HOME: `${home}/.local/state` };
  await using shell = new Screen([program, "-s", "lab"], { cwd: home, env, cols: 200 });
  await shell.shows("Connected as");
  shell.type(`put ".local" --overwrite\r`);
  await shell.shows(`"state/commserver": where CommServer keeps its own keys`);
  shell.type(`put "${STATE_PATH}/history"\r`);
  await shell.shows(`The folder "${home}/${STATE_PATH}" is`);
  shell.type("exit\r");
  expect(await shell.exited).toBe(0);
  expect(readFileSync(`${home}/${STATE_PATH}/history`, "utf8")).toContain("put");
  expect(served()).toEqual(["a.txt"]);
});
