import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { ArgsDef } from "citty";
import { binaries } from "../support/binaries.ts";
import { run } from "../support/processes.ts";
import { TransferSite } from "../support/transfer-site.ts";
import { wholeClient, wholeServer } from "../support/whole-programs.ts";

let site: TransferSite;
beforeAll(async () => {
  site = await TransferSite.open({ "a.txt": "a" }, ["--writable", "--max-clients", "9"]);
}, 180_000);
afterAll(() => site[Symbol.asyncDispose]());

const CONNECTION = [
  "nick",
  "server",
  "wait",
  "timeout",
  "token-file",
  "invite-file",
  "accept-new",
  "ca",
  "plaintext",
  "state-dir",
  "json",
];
const FILTERS = ["exclude", "include", "exclude-from", "max-size", "newer"];
const RECONNECT = ["reconnect", "retries"];
const TRANSFER = [
  "overwrite",
  "whole-file",
  "skip-existing",
  "rename",
  "digest",
  "strict",
  "limit-rate",
  ...RECONNECT,
  ...CONNECTION,
];
const LIMITS = ["folder", "quota", "drop", "uses"];
const SERVE = [
  "repository",
  "writable",
  "host",
  "port",
  "advertise",
  "announce",
  "announce-name",
  "sharing",
  "sharing-size",
  "open",
  "plaintext",
  "cert",
  "key",
  "max-clients",
];

/** Every flag of every command, each of which does something there. Whoever adds one says so here. */
const FLAGS: Record<string, readonly string[]> = {
  "client shell": ["limit-rate", ...RECONNECT, ...CONNECTION],
  "client status": ["all", "limit", ...CONNECTION],
  "client list": ["depth", "sort", "long", ...FILTERS, ...CONNECTION],
  "client gui": ["open", "port", ...CONNECTION],
  "client get": ["files-from", "null", "output", "as", ...FILTERS, ...TRANSFER],
  "client put": ["untar", "files-from", "null", "to", "as", ...FILTERS, ...TRANSFER],
  "client share": ["expires", "leave", "limit-rate", ...RECONNECT, ...CONNECTION],
  "client fetch": [
    ...["output", "overwrite", "skip-existing", "rename", "digest", "limit-rate", ...RECONNECT],
    ...["server", "nick", "wait", "timeout", "plaintext", "state-dir", "json"],
  ],
  "client sync": [
    ...[
      "delete",
      "dry-run",
      "update",
      "whole-file",
      "checksum",
      "delete-excluded",
      "max-delete",
      "allow-empty",
      "backup-dir",
      "strict",
      "watch",
      "quiet",
    ],
    ...[...FILTERS, "limit-rate", ...RECONNECT, ...CONNECTION],
  ],
  "client send": ["to", ...CONNECTION],
  "client messages": ["follow", ...RECONNECT, ...CONNECTION],
  "client watch": [...RECONNECT, ...CONNECTION],
  "client digest": [
    "files-from",
    "null",
    "check",
    "in",
    "quiet",
    "ignore-missing",
    "strict",
    ...RECONNECT,
    ...CONNECTION,
  ],
  "client mkdir": ["parents", ...RECONNECT, ...CONNECTION],
  "client du": ["depth", ...CONNECTION],
  "client remove": ["files-from", "null", "recursive", "yes", "dry-run", ...CONNECTION],
  "client rename": ["overwrite", ...CONNECTION],
  "client ping": ["count", ...CONNECTION],
  "client unfinished": ["remove", "json"],
  "client join": ["server", "plaintext", "name", "overwrite", "offline", "timeout", "state-dir", "json"],
  "client use": ["clear", "state-dir", "json"],
  "client config": ["json"],
  "client find": ["listen", "state-dir", "json"],
  "client servers": ["state-dir", "json"],
  "client forget": ["state-dir", "json"],
  "client version": ["json"],
  "server version": ["json"],
  "server config": ["json"],
  "server console": ["all", "limit", "expires", ...LIMITS, "yes", ...CONNECTION],
  "server invite": ["code", "code-expires", "qr", "role", "expires", ...LIMITS, "advertise", "state-dir", "json"],
  "server token": ["role", "expires", ...LIMITS, "advertise", "state-dir", "json"],
  "server identity": ["state-dir", "json"],
};

describe("flags", () => {
  test("of every command are those of the table", () => {
    for (const [program, { commands }] of Object.entries({ client: wholeClient, server: wholeServer })) {
      for (const [name, { args }] of Object.entries(commands)) {
        const flags = Object.entries(args as ArgsDef).filter(([, { type }]) => type !== "positional");
        const names = flags.map(([flag]) => flag).sort();
        const key = `${program} ${name}`;
        if (key === "server serve") expect(names).toEqual(expect.arrayContaining(SERVE));
        else expect({ key, names }).toEqual({ key, names: [...(FLAGS[key] ?? [])].sort() });
      }
    }
  });

  test.each([
    [["get", "a.txt", "-o", "-", "--digest"]],
    [["get", "a.txt", "-o", "-", "--overwrite"]],
    [["get", "a.txt", "-o", "-", "--json"]],
    [["get", "a.txt", "-o", "-", "--as", "b"]],
    [["list", "--plaintext", "--ca", "none.pem"]],
    [["shell", "--json"]],
    [["status", "more"]],
    [["list", "a", "b"]],
    [["ping", "5"]],
    [["ping", "--count", "0"]],
    [["watch", "a", "b"]],
  ])("that would be ignored are a usage error: client %j", async (args) => {
    expect(await site.run(...args)).toMatchObject({ exitCode: 2, stdout: "" });
  });

  test.each([
    [["console", "--json"]],
    [["console", "--wait", "status"]],
    [["console", "--plaintext", "status"]],
    [["console", "status", "more"]],
    [["console", "unfinished", "more"]],
    [["console", "help", "more"]],
    [["console", "quit", "later"]],
    [["console", "drain", "later"]],
    [["console", "drain", "--limit", "1"]],
    [["console", "drain", "--yes"]],
    [["console", "drian"]],
    [["console", "drain", "--expires", "1d"]],
    [["console", "link", "list", "--expires", "1d"]],
    [["console", "link", "revoke", "x", "--expires", "1d"]],
    [["console", "link", "list", "more"]],
    [["token", "list", "--role", "read"]],
    [["token", "list", "--expires", "1d"]],
    [["token", "list", "--folder", "inbox"]],
    [["token", "revoke", "x", "--drop"]],
    [["token", "add", "x", "--folder", "inbox", "--drop"]],
    [["token", "add", "x", "--role", "write", "--quota", "5GB"]],
    [["console", "drain", "--uses", "3"]],
    [["token", "revoke", "x", "--advertise", "h"]],
    [["token", "list", "x"]],
    [["identity", "x"]],
    [["--mailbox-days", "2"]],
    [["console", "mailbox", "list", "more"]],
  ])("that would be ignored are a usage error: server %j", async (args) => {
    const { server } = await binaries();
    const finished = await run([server, ...args, "--state-dir", site.server.stateDir]);
    expect(finished).toMatchObject({ exitCode: 2, stdout: "" });
  });

  test.each([
    "status --limit 0",
    "status --json",
    "ping --server x",
    "help me",
    'list "a" "b"',
    'watch "a" "b"',
    'cd "a" "b"',
    'get "a.txt" "b" --json',
    'get "a.txt" "b" --reconnect 5',
    'put "a.txt" --output "b"',
    'rename "a"',
  ])("and words that would be ignored in a line of the shell are one: %s", async (line) => {
    const { exitCode, stdout } = await site.shell(line);
    expect({ exitCode, stdout }).toMatchObject({ exitCode: 2 });
  });

  test("do what they say: in the shell, and in the console", async () => {
    await site.shell("ping"); // an older session to leave out
    const { stdout, exitCode } = await site.shell("ping --count 3", "status --limit 1", "list .");
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^3 round trips: /m);
    expect(stdout).toMatch(/^… and \d+ older sessions?: status --limit \d+$/m);
    const { server } = await binaries();
    const status = await run([server, "console", "status", "--limit", "1", "--state-dir", site.server.stateDir]);
    const json = await run([server, "console", "drain", "off", "--json", "--state-dir", site.server.stateDir]);
    expect(JSON.parse(json.stdout)).toEqual({ text: "Clients are admitted again.", draining: false });
    expect(status.stdout.split("\n").filter((text) => text.startsWith("Client"))).toHaveLength(1);
  });
});
