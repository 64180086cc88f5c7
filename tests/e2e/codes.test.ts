/** One-time codes by the programs: made at the server's machine, typed at another. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { parseInvite } from "../../lib/protocol/invite.ts";
import { AccessSite, errorOf } from "../support/access-site.ts";
import { binaries } from "../support/binaries.ts";
import { run } from "../support/processes.ts";
import { Screen } from "../support/screen.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { until } from "../support/until.ts";

let site: AccessSite;
beforeAll(async () => {
  site = await AccessSite.start("--max-clients", "50");
}, 180_000);
afterAll(() => site[Symbol.asyncDispose]());

/** Another user, who knows nothing of the server. */
class User extends TempFolder {
  run(args: string[], options: { stdin?: string; env?: Record<string, string> } = {}) {
    return site.client(args, { ...options, env: { XDG_STATE_HOME: this.path, ...options.env } });
  }
}

let made = 0;
async function offer(...args: string[]): Promise<{ name: string; code: string; address: string }> {
  const name = `machine${++made}`;
  const { stdout } = await site.operate("invite", name, "--code", "--json", ...args);
  return JSON.parse(stdout);
}

test("a code leads to what an invite leads to: a known server, a pinned identity, a token of that name", async () => {
  using user = new User();
  const { name, code, address } = await offer("--role", "write");
  expect(address).toBe(site.address);
  const joined = await user.run(["join", code, "--server", site.address, "--name", "lab"]);
  expect(joined).toEqual({
    exitCode: 0,
    stderr: "",
    stdout:
      "Joined lab. Connect to it with: commserver-client --server lab\n" +
      `It answers at ${site.address}, and the token works: its role is write.\n`,
  });
  const [known] = JSON.parse((await user.run(["servers", "--json"])).stdout);
  expect(known).toMatchObject({ name: "lab", identity: site.fingerprint, hasToken: true });
  expect((await user.run(["list", "--server", "lab"])).stdout).toContain("a.txt");
  const { stdout } = await site.operate("token", "list", "--json");
  expect(JSON.parse(stdout)).toContainEqual(expect.objectContaining({ name, role: "write" }));
  const again = await user.run(["join", code, "--server", site.address, "--json"]);
  expect({ exitCode: again.exitCode, error: errorOf(again).code }).toEqual({ exitCode: 6, error: "NO_SUCH_CODE" });
});

test.each(["words", "standard input", "the environment"])("a code may come from %s", async (source) => {
  using user = new User();
  const { code } = await offer();
  const flags = ["--server", site.address, "--json"];
  const joined = {
    words: () => user.run(["join", ...code.split("-"), ...flags]),
    "standard input": () => user.run(["join", "-", ...flags], { stdin: `${code}\n` }),
    "the environment": () => user.run(["join", ...flags], { env: { COMMSERVER_INVITE: code.replaceAll("-", "") } }),
  }[source];
  expect(JSON.parse((await joined?.())?.stdout ?? "")).toMatchObject({ contact: { reached: true, role: "read" } });
});

test("a mistyped digit is found before anything is sent, and costs no code", async () => {
  using user = new User();
  const { code } = await offer();
  const wrong = code.replace(/\d$/, (digit) => String((Number(digit) + 1) % 10));
  const failed = await user.run(["join", wrong, "--server", site.address, "--json"]);
  expect({ exitCode: failed.exitCode, error: errorOf(failed).code }).toEqual({ exitCode: 2, error: "USAGE" });
  expect(failed.stderr).not.toContain(wrong);
  expect((await user.run(["join", code, "--server", site.address])).exitCode).toBe(0);
});

test("a server that is known by the name already gets another: the code has been used", async () => {
  using user = new User();
  const { label } = parseInvite(site.invite);
  await user.run(["join", site.invite, "--name", label]);
  await using elsewhere = await AccessSite.start();
  const { stdout } = await elsewhere.operate("invite", "machine", "--code", "--json");
  const joined = await user.run(["join", JSON.parse(stdout).code, "--server", elsewhere.address, "--json"]);
  expect(JSON.parse(joined.stdout)).toMatchObject({ name: `${label}-2`, identity: elsewhere.fingerprint });
});

test("without a running server there is no code, and no state folder is made for one", async () => {
  using folder = new TempFolder();
  const { server } = await binaries();
  const failed = await run([server, "invite", "laptop", "--code", "--json", "--state-dir", folder.join("none")], {});
  expect(failed.exitCode).toBe(6);
  const { exitCode, stdout } = await run([server, "invite", "laptop", "--json", "--state-dir", folder.join("new")], {});
  expect(exitCode).toBe(0);
  expect(parseInvite(JSON.parse(stdout).invite).token.name).toBe("laptop");
  const stopped = await run([server, "invite", "phone", "--code", "--json", "--state-dir", folder.join("new")], {});
  expect({ exitCode: stopped.exitCode, error: errorOf(stopped).code }).toEqual({
    exitCode: 3,
    error: "CANNOT_CONNECT",
  });
});

describe("mistakes of the command line are told:", () => {
  test.each([
    [["invite"]],
    [["invite", "a", "--code", "--qr"]],
    [["invite", "a", "--code-expires", "5m"]],
    [["invite", "a", "--code", "--code-expires", "59s"]],
    [["invite", "a", "--code", "--code-expires", "25h"]],
    [["invite", "a", "--qr", "--json"]],
  ])("%p", async (args) => {
    expect((await site.operate(...args)).exitCode).toBe(2);
  });

  test.each([
    [["join", "385-061-7726", "--offline"]],
    [["join", "385-061-7727"]],
    [["join", "csinvite1_x", "--server", "localhost"]],
    [["join", "csinvite1_x", "--plaintext"]],
  ])("%p", async (args) => {
    using user = new User();
    expect((await user.run(args)).exitCode).toBe(2);
  });
});

test("the QR code has its own colours on a terminal, and is left out of one that is too narrow", async () => {
  const { server } = await binaries();
  /** What is on the screen, without regard to its lines, once `last` is there. */
  const show = async (name: string, cols: number, last: string) => {
    // The terminal stays until all of it is shown.
    const command = ["sh", "-c", '"$0" "$@" && read _', server, "invite", name, "--qr", "--state-dir", site.stateDir];
    await using screen = new Screen(command, { cwd: site.folder.path, cols, rows: 100, env: site.ownerEnv });
    const text = () => screen.text.replaceAll(/\s+/g, " ");
    await until(() => text().includes("commserver-client join") && text().includes(last));
    screen.type("\r");
    expect(await screen.exited).toBe(0);
    return text();
  };
  // The corner of every QR code.
  await show("camera", 120, "█▀▀▀▀▀█");
  const narrow = await show("narrow", 40, "it is not shown");
  expect(narrow).toMatch(/The QR code is \d+ columns wide, and this terminal 40: it is not shown/);
  expect(narrow).not.toContain("█▀▀▀▀▀█");
});
