/** The names of tokens and nicks beside those of sessions, by the compiled programs. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { AccessSite, errorOf } from "../support/access-site.ts";
import { binaries } from "../support/binaries.ts";
import { Program } from "../support/program.ts";
import { Screen } from "../support/screen.ts";

let site: AccessSite;
const invites = new Map<string, string>();
beforeAll(async () => {
  site = await AccessSite.start("--max-clients", "20");
  for (const name of ["alice", "bob"]) {
    const made = await site.operate("token", "add", name, "--role", "read", "--json");
    invites.set(name, JSON.parse(made.stdout).invite);
  }
}, 180_000);
afterAll(() => site[Symbol.asyncDispose]());

const envOf = (name: string) => ({ ...site.env, COMMSERVER_INVITE: invites.get(name) ?? "" });

/** A shell whose lines are piped, up to its first line. */
async function shellOf(name: string, ...flags: string[]): Promise<{ shell: Program; session: string }> {
  const { client } = await binaries();
  const shell = new Program([client, ...flags], { env: envOf(name) });
  const line = await shell.hear((text) => text.startsWith("Connected as "));
  return { shell, session: /Client\d+/.exec(line)?.[0] ?? "" };
}

test("a message for a token's name reaches its sessions, and says from whom", async () => {
  const bob = await shellOf("bob");
  await using _ = bob.shell;
  expect(bob.shell.lines[0]).toBe(`Connected as bob (${bob.session}).`);
  const sent = await site.client(["send", "hi", "--to", "bob"], { env: envOf("alice") });
  expect(sent).toMatchObject({ exitCode: 0, stdout: `Delivered to bob (${bob.session}).\n` });
  expect(await bob.shell.hear((line) => line.endsWith(": hi"))).toMatch(/^alice \(Client\d+\): hi$/);
  bob.shell.say(`@bob to myself`);
  bob.shell.say("exit");
  expect(await bob.shell.ended()).toMatchObject({ exitCode: 6 });
});

test("a nick is marked, and is not the token of that name", async () => {
  const thief = await shellOf("alice", "--nick", "bob");
  await using _ = thief.shell;
  const refused = await site.client(["send", "secret", "--to", "bob", "--json"], { env: envOf("alice") });
  expect(errorOf(refused)).toMatchObject({ code: "NO_SUCH_CLIENT", exit: 6 });
  const sent = await site.client(["send", "hi", "--to", "~bob"], { env: envOf("bob") });
  expect(sent.stdout).toBe(`Delivered to ~bob (${thief.session}).\n`);
  const status = await site.client(["status"], { env: envOf("bob") });
  expect(status.stdout).toContain(`alice ~bob (${thief.session})`);
  const { here, sessions } = JSON.parse((await site.client(["status", "--json"], { env: envOf("bob") })).stdout);
  expect(here[0]).toMatchObject({ name: thief.session, token: "alice", nick: "bob" });
  expect(sessions.length).toBeGreaterThan(1);
  expect((await site.client(["status", "--nick", "a b"], { env: envOf("bob") })).exitCode).toBe(2);
});

test.each([40, 80, 100])("status fits a window of %d columns", async (cols) => {
  const { client } = await binaries();
  // With a session that has ended, there is more in the ledger.
  await site.client(["send", "hi"], { env: envOf("alice") });
  await using screen = new Screen([client], { cwd: "/", env: envOf("bob"), cols, rows: 60 });
  await screen.shows("> ");
  await screen.prompts("> ");
  screen.type("status\r");
  await screen.shows("status --all");
  await screen.prompts("> ");
  const table = screen.lines.slice(
    screen.lines.findIndex((line) => line.startsWith("WHO")),
    -2,
  );
  expect(table.length).toBeGreaterThan(1);
  for (const line of table) expect(line).toMatch(/^(?:WHO|bob|alice| {4})/);
  screen.type("status --all\r");
  await screen.shows("STARTED");
});
