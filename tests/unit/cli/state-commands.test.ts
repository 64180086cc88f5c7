/** The commands token and identity, on a state folder without a running server. */
import { afterEach, beforeEach, describe, expect, setSystemTime, test } from "bun:test";
import { chmodSync, chownSync, existsSync, readdirSync } from "node:fs";
import type { Command } from "../../../lib/cli/command.ts";
import { parseFlags } from "../../../lib/cli/flags.ts";
import { reportError } from "../../../lib/cli/report.ts";
import { identity } from "../../../lib/cli/server/identity-command.ts";
import { token } from "../../../lib/cli/server/token-command.ts";
import { CommError } from "../../../lib/errors.ts";
import { parseInvite } from "../../../lib/protocol/invite.ts";
import { faultOf } from "../../support/fault.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { TestIo } from "../../support/test-io.ts";

let folder: TempFolder;

beforeEach(() => {
  folder = new TempFolder();
});

afterEach(() => {
  setSystemTime();
  folder[Symbol.dispose]();
});

async function run(command: Command, argv: readonly string[], io = new TestIo()) {
  const exit = await command.run(parseFlags(["--state-dir", folder.join("state"), ...argv], command.args), io);
  return { exit, out: io.written.join(""), notes: io.notes };
}

const listed = async () => JSON.parse((await run(token, ["list", "--json"])).out);

describe("token add", () => {
  test("makes a token that may read, and shows its invite", async () => {
    const { exit, out, notes } = await run(token, ["add", "laptop"]);
    expect(exit).toBe(0);
    expect(notes).toEqual([expect.stringMatching(/^Warning: No server has ever run with the state folder/)]);
    const [, invite = ""] = /commserver-client join (\S+)/.exec(out) ?? [];
    expect(parseInvite(invite).token.name).toBe("laptop");
    expect(await listed()).toMatchObject([{ name: "laptop", role: "read", expiresAt: null }]);
  });

  test("makes it with the role, the end and the addresses that are asked for", async () => {
    setSystemTime(1_800_000_000_000);
    const flags = ["--role", "operator", "--expires", "12h", "--advertise", "files.test", "--json"];
    const made = JSON.parse((await run(token, ["add", "laptop", ...flags])).out);
    expect(made).toEqual({
      name: "laptop",
      role: "operator",
      expiresAt: 1_800_043_200_000,
      token: expect.stringMatching(/^laptop:/),
      invite: expect.any(String),
    });
    expect(parseInvite(made.invite).addresses).toEqual(["files.test:5050"]);
    expect(await listed()).toMatchObject([{ role: "operator", expiresAt: 1_800_043_200_000 }]);
  });

  test("takes a token back that could not be shown", async () => {
    class BrokenIo extends TestIo {
      override async out(): Promise<void> {
        throw new CommError("DISK_FAILED", "The disk is full.");
      }
    }
    const { code, message } = await faultOf(() => run(token, ["add", "laptop"], new BrokenIo()));
    expect([code, message]).toEqual([
      "DISK_FAILED",
      'The token "laptop" could not be shown: The disk is full. It was revoked.',
    ]);
    expect(await listed()).toEqual([]);
  });
});

describe("token", () => {
  test("lists and revokes what was made", async () => {
    await run(token, ["add", "laptop"]);
    expect((await run(token, ["list"])).out).toMatch(/^NAME .*\nlaptop {2}read {2}.* never\n$/);
    expect((await run(token, ["revoke", "laptop"])).out).toBe(
      "laptop is revoked: it admits nobody any more, and its sessions have ended.\n",
    );
    expect((await run(token, ["list"])).out).toStartWith("There are no tokens. Make one with: ");
    await run(token, ["add", "phone"]);
    expect(JSON.parse((await run(token, ["revoke", "phone", "--json"])).out)).toEqual({ name: "phone", revoked: true });
  });

  test("gives the state folder back after each command, also after one that failed", async () => {
    await run(token, ["add", "laptop"]);
    expect((await faultOf(() => run(token, ["add", "laptop"]))).code).toBe("TOKEN_EXISTS");
    expect((await faultOf(() => run(token, ["revoke", "phone"]))).code).toBe("NO_SUCH_TOKEN");
    expect(await listed()).toHaveLength(1);
  });

  test.each([
    [[], "Write: token add NAME, token list, or token revoke NAME."],
    [["make", "a"], "Write: token add NAME, token list, or token revoke NAME."],
    [["list", "a"], "token list takes no name."],
    [["add"], "Name the token: token add NAME"],
    [["revoke"], "Name the token: token revoke NAME"],
    [["revoke", "a", "--role", "read"], "--role is only for token add."],
    [["list", "--expires", "1h"], "--expires is only for token add."],
    [["revoke", "a", "--advertise", "x"], "--advertise is only for token add."],
    [["add", "a", "--role", "admin"], '--role takes read, write or operator, not "admin".'],
  ])("refuses %j, and makes no state folder", async (argv, message) => {
    const fault = await faultOf(() => run(token, argv));
    expect([fault.code, fault.message]).toEqual(["USAGE", message]);
    expect(existsSync(folder.join("state"))).toBe(false);
  });

  test("looks for tokens only where a server has been", async () => {
    expect((await faultOf(() => run(token, ["list"]))).code).toBe("NO_SUCH_FILE");
    expect(existsSync(folder.join("state"))).toBe(false);
  });
});

describe("identity", () => {
  test("shows the same fingerprint each time, until it is replaced", async () => {
    const first = await run(identity, []);
    expect(first).toEqual({ exit: 0, out: expect.stringMatching(/^SHA256:[A-Za-z0-9+/]{43}\n$/), notes: [] });
    const { fingerprint, file } = JSON.parse((await run(identity, ["--json"])).out);
    expect([`${fingerprint}\n`, file]).toEqual([first.out, folder.join("state/identity.pem")]);
    const second = await run(identity, ["rotate"]);
    expect(second.out).not.toBe(first.out);
    expect(second.notes).toEqual([expect.stringContaining("until they forget the old one or join again")]);
    expect((await run(identity, [])).out).toBe(second.out);
  });

  test("takes no other action", async () => {
    const fault = await faultOf(() => run(identity, ["remove"]));
    expect([fault.code, fault.message]).toEqual(["USAGE", 'Write identity, or identity rotate, not "remove".']);
  });

  test.skipIf(process.platform === "win32")("warns where others can reach the key", async () => {
    await run(identity, []);
    chmodSync(folder.path, 0o755);
    chmodSync(folder.join("state"), 0o755);
    chmodSync(folder.join("state/identity.pem"), 0o644);
    expect((await run(identity, [])).notes).toEqual([
      expect.stringMatching(
        /^Warning: Others on this machine can read this server's key.* \(its mode is 0644\), and impersonate/,
      ),
    ]);
  });
});

describe.skipIf(process.getuid?.() !== 0)("root, at the state of another user's server", () => {
  const MALLORY = 54_323;
  const owned = () => {
    const names = readdirSync(folder.join("state")).sort();
    for (const name of names) chownSync(folder.join("state", name), MALLORY, MALLORY);
    return names;
  };

  test.each([
    ["token add", token, ["add", "phone"]],
    ["token revoke", token, ["revoke", "laptop"]],
    ["token list", token, ["list"]],
    ["identity rotate", identity, ["rotate"]],
  ] as const)("changes nothing with %s, and says as whom to do it", async (_, command, argv) => {
    await run(token, ["add", "laptop"]);
    const before = owned();
    const fault = await faultOf(() => run(command, argv));
    expect(fault.code).toBe("DISK_DENIED");
    expect(fault.message).toContain("another user's server");
    const { notes } = reported(fault);
    expect(notes).toEqual([expect.any(String), `  Run the same command as that user: sudo -u '#${MALLORY}' …`]);
    expect(readdirSync(folder.join("state")).sort()).toEqual(before);
  });

  test("may show its fingerprint, which writes nothing", async () => {
    const { out } = await run(identity, []);
    await run(token, ["add", "laptop"]);
    owned();
    expect((await run(identity, [])).out).toBe(out);
  });
});

function reported(thrown: unknown): { notes: string[] } {
  const io = new TestIo();
  reportError(thrown, io, { program: "commserver-server", json: false });
  return { notes: io.notes };
}
