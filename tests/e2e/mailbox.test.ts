/** Messages for people who are not here, by the compiled programs. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { AccessSite, errorOf } from "../support/access-site.ts";
import { binaries } from "../support/binaries.ts";
import { Program } from "../support/program.ts";
import { Screen } from "../support/screen.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { until } from "../support/until.ts";

let site: AccessSite;
const invites = new Map<string, string>();
beforeAll(async () => {
  site = await AccessSite.start("--max-clients", "20", "--mailbox", "--mailbox-messages", "6");
  for (const name of ["alice", "bob", "carol"]) {
    const made = await site.operate("token", "add", name, "--role", "read", "--json");
    invites.set(name, JSON.parse(made.stdout).invite);
  }
}, 180_000);
afterAll(() => site[Symbol.asyncDispose]());

const envOf = (name: string) => ({ ...site.env, COMMSERVER_INVITE: invites.get(name) ?? "" });
const as = (name: string, ...args: string[]) => site.client(args, { env: envOf(name) });
const send = (text: string, to: string) => as("alice", "send", text, "--to", to, "--json");

/** All kept messages of that name, which are taken with this. */
async function take(name: string): Promise<Record<string, unknown>[]> {
  const { stdout, exitCode } = await as(name, "messages", "--json");
  expect(exitCode).toBe(0);
  return stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

test("what is kept survives kill -9 of the server, and comes once, in order, with its time and who sent it", async () => {
  await take("bob");
  const before = Date.now();
  const kept = await as("alice", "send", "one", "--to", "bob");
  expect(kept).toMatchObject({ exitCode: 0 });
  expect(kept.stdout).toMatch(/^Kept for bob, who is not here, until \d{4}-\d\d-\d\d\.\n$/);
  expect(JSON.parse((await send("two", "bob")).stdout)).toMatchObject({ delivered: [], kept: { name: "bob" } });
  site.server.signal("SIGKILL");
  await site.server.exited();
  await site.restart();
  // A command that does not ask for them takes none.
  expect((await as("bob", "list")).exitCode).toBe(0);
  const got = await take("bob");
  expect(got).toMatchObject([
    { token: "alice", to: "bob", text: "one" },
    { token: "alice", to: "bob", text: "two" },
  ]);
  for (const { sentAt, again } of got) {
    expect(sentAt).toBeWithin(before, Date.now() + 1);
    expect(again).toBeUndefined();
  }
  expect(await take("bob")).toEqual([]);
});

test("delivered, kept, nobody and full are told apart by words, JSON and exit codes", async () => {
  await take("carol");
  const nobody = await send("x", "nobody");
  expect(errorOf(nobody)).toMatchObject({ code: "NO_SUCH_CLIENT", exit: 6 });
  for (let each = 0; each < 3; each++) expect((await send("x", "carol")).exitCode).toBe(0);
  const full = await send("x", "carol");
  expect(errorOf(full)).toMatchObject({ code: "MAILBOX_FULL", exit: 11 });
  const { client } = await binaries();
  await using carol = new Program([client], { env: envOf("carol") });
  await carol.hear((line) => line.startsWith("Connected as "));
  expect(JSON.parse((await send("x", "carol")).stdout)).toMatchObject({
    delivered: [expect.stringMatching(/^Client/)],
  });
  carol.say("exit");
  await carol.ended();
  // A piped shell has taken nothing of what was kept.
  expect(await take("carol")).toHaveLength(3);
});

test("messages --follow goes on with those that come", async () => {
  await take("bob");
  await send("before", "bob");
  const { client } = await binaries();
  await using follower = new Program([client, "messages", "--follow"], { env: envOf("bob") });
  const time = "\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d";
  expect(await follower.hear((line) => line.endsWith("before"))).toMatch(
    new RegExp(`^${time} alice \\(Client\\d+\\): before$`),
  );
  await send("after", "bob");
  expect(await follower.hear((line) => line.endsWith("after"))).toMatch(
    new RegExp(`^${time} alice \\(Client\\d+\\): after$`),
  );
  follower.signal("SIGINT");
  expect((await follower.ended()).exitCode).toBe(130);
});

test.each([
  ["watch", "2>&-"],
  ["watch", "2> >(:)"],
  ["sync --watch : mirror", "2>/dev/null"],
  ["messages --follow", ">&-"],
  ["shell", ">/dev/null"],
])("%s with %s shows nobody a message, and so accepts none", async (command, redirection) => {
  await take("bob");
  const { client } = await binaries();
  using home = new TempFolder();
  const line = `exec "$0" ${command} ${redirection}`;
  const env = { ...envOf("bob"), PATH: process.env["PATH"] ?? "" };
  await using deaf = new Program(["bash", "-c", line, client], { cwd: home.path, env });
  await until(async () => (await as("alice", "status", "--json")).stdout.includes('"bob"'));
  expect(JSON.parse((await send("hear me", "bob")).stdout)).toMatchObject({ delivered: [], kept: { name: "bob" } });
  deaf.signal("SIGKILL");
  await deaf.ended();
  expect(await take("bob")).toMatchObject([{ text: "hear me", again: true }]);
});

test("a shell in a terminal shows what was kept above its prompt", async () => {
  await take("bob");
  await send("while you were away", "bob");
  const { client } = await binaries();
  await using screen = new Screen([client], { cwd: "/", env: envOf("bob"), cols: 80, rows: 20 });
  await screen.shows("while you were away");
  await screen.prompts("> ");
  expect(screen.lines.find((line) => line.includes("while you were away"))).toMatch(
    /^\d{4}-\d\d-\d\d \d\d:\d\d alice \(Client\d+\): while you were away/,
  );
  screen.type("@alice are you there\r");
  await screen.shows("Kept for alice");
});

test("the operator sees what is kept, and can remove it", async () => {
  await take("bob");
  await send("x", "bob");
  expect((await site.operate("console", "status")).stdout).toMatch(/^Kept: \d+ messages?, .* of 16 MB\.$/m);
  const { mailboxes } = JSON.parse((await site.operate("console", "mailbox", "--json")).stdout);
  expect(mailboxes).toContainEqual(expect.objectContaining({ name: "bob", messages: 1 }));
  expect((await site.operate("console", "mailbox", "clear", "bob")).stdout).toBe("1 message for bob removed.\n");
  expect((await site.operate("console", "mailbox", "clear", "bob")).exitCode).toBe(6);
  expect((await site.operate("console", "@bob", "from", "above")).stdout).toStartWith("Kept for bob");
  expect(await take("bob")).toMatchObject([{ from: "Server", text: "from above" }]);
});

test("what is kept for a token that was revoked while no server ran is not for the next one of that name", async () => {
  await site.operate("token", "add", "dave", "--json");
  expect((await send("for the first dave", "dave")).exitCode).toBe(0);
  await site.restart(async () => {
    await site.operate("token", "revoke", "dave");
    const made = await site.operate("token", "add", "dave", "--json");
    invites.set("dave", JSON.parse(made.stdout).invite);
  });
  expect(await take("dave")).toEqual([]);
});

test("a server without a mailbox says so to who asks", async () => {
  await using plain = await AccessSite.start("--open");
  const env = { XDG_STATE_HOME: site.folder.join("home") };
  const asked = await plain.client(["messages", "--server", plain.address, "--accept-new", "--json"], { env });
  expect(errorOf(asked)).toMatchObject({ code: "NOT_ALLOWED", message: "This server keeps no messages.", exit: 5 });
});
