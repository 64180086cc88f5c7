/** Which server a command talks to that names none, by the compiled programs. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { formatInvite, parseInvite } from "../../lib/protocol/invite.ts";
import { AccessSite, errorOf } from "../support/access-site.ts";
import { TempFolder } from "../support/temp-folder.ts";

let site: AccessSite;
beforeAll(async () => {
  site = await AccessSite.start("--max-clients", "50");
}, 180_000);
afterAll(() => site[Symbol.asyncDispose]());

/** A user with a home of their own, who has joined the server under these names. */
class User extends TempFolder {
  static async withServers(...names: string[]): Promise<User> {
    const user = new User();
    for (const name of names) {
      const { exitCode } = await user.run(["join", site.invite, "--name", name, "--offline"]);
      expect(exitCode).toBe(0);
    }
    return user;
  }

  run(args: string[], env: Record<string, string> = {}) {
    return site.client(args, { env: { XDG_STATE_HOME: this.path, ...env } });
  }
}

/** False where a server of somebody runs at the usual port: then no test can have none there. */
const isPortFree = await Bun.connect({ hostname: "127.0.0.1", port: 5050, socket: { data() {} } }).then(
  (socket) => {
    socket.end();
    return false;
  },
  () => true,
);

describe.skipIf(!isPortFree)("a command that names no server, where none runs on this machine,", () => {
  test("talks to the only one that is known", async () => {
    using user = await User.withServers("lab");
    expect(await user.run(["list"])).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("a.txt") });
  });

  test("says which are known when there are several, and how to choose", async () => {
    using user = await User.withServers("lab", "office");
    const refused = await user.run(["list"]);
    expect(refused.exitCode).toBe(3);
    expect(refused.stderr).toContain("No server runs at localhost:5050. Known here: lab, office.");
    expect(refused.stderr).toContain("commserver-client use NAME");
    expect(errorOf(await user.run(["list", "--json"]))).toMatchObject({ code: "CANNOT_CONNECT", exit: 3 });
  });

  test("talks to the chosen one, until the choice is cleared", async () => {
    using user = await User.withServers("lab", "office");
    expect((await user.run(["use", "lab"])).exitCode).toBe(0);
    expect((await user.run(["list"])).exitCode).toBe(0);
    expect((await user.run(["use", "--clear"])).exitCode).toBe(0);
    expect((await user.run(["list"])).exitCode).toBe(3);
  });

  test("with nothing known says so, and how to find and join one", async () => {
    using user = new User();
    const refused = await user.run(["list"]);
    expect([refused.exitCode, refused.stderr]).toEqual([3, expect.stringContaining("none is known here.")]);
    expect(refused.stderr).toContain("commserver-client join INVITE");
    expect(refused.stderr).toContain("commserver-client find");
  });
});

test("COMMSERVER_SERVER goes before the choice, and --server before both", async () => {
  using user = await User.withServers("lab");
  await user.run(["use", "127.0.0.1:1"]);
  expect((await user.run(["list"])).exitCode).toBe(3);
  expect((await user.run(["list"], { COMMSERVER_SERVER: "lab" })).exitCode).toBe(0);
  expect((await user.run(["list", "--server", "lab"], { COMMSERVER_SERVER: "127.0.0.1:1" })).exitCode).toBe(0);
});

test("a choice whose record is gone is an error, not the name of a machine", async () => {
  using user = await User.withServers("lab");
  await user.run(["use", "lab"]);
  Bun.spawnSync(["rm", "-r", user.join("commserver/servers")]);
  expect(errorOf(await user.run(["list", "--json"]))).toMatchObject({ code: "NO_SUCH_SERVER", exit: 6 });
});

test("the address of a joined server is enough", async () => {
  using user = await User.withServers("lab");
  expect((await user.run(["list", "--server", site.address])).exitCode).toBe(0);
});

test("a name that nobody has joined says which ones are known", async () => {
  using user = await User.withServers("lab");
  const { exitCode, stderr } = await user.run(["list", "--server", "labb"]);
  expect([exitCode, stderr]).toEqual([3, expect.stringContaining("Known here: lab.")]);
});

describe("join", () => {
  test("says that the server answers, and what the token allows", async () => {
    using user = new User();
    const joined = await user.run(["join", site.invite, "--name", "lab"]);
    expect(joined).toMatchObject({ exitCode: 0, stderr: "" });
    expect(joined.stdout).toContain(`It answers at ${site.address}, and the token works: its role is write.`);
    const { contact } = JSON.parse((await user.run(["join", site.invite, "--name", "lab", "--json"])).stdout);
    expect(contact).toEqual({ reached: true, address: site.address, role: "write" });
  });

  test.each([
    ["that can't be reached", { addresses: ["127.0.0.1:1"] }, "CANNOT_CONNECT"],
    ["whose token is revoked", { token: { name: "nobody", secret: "x".repeat(43) } }, "ACCESS_DENIED"],
    ["with another identity", { identity: `SHA256:${"A".repeat(43)}` }, "WRONG_IDENTITY"],
  ])("remembers a server %s, and says so", async (_, changes, code) => {
    using user = new User();
    const invite = formatInvite({ ...parseInvite(site.invite), ...changes });
    const joined = await user.run(["join", invite, "--name", "lab"]);
    expect([joined.exitCode, joined.stderr]).toEqual([0, expect.stringContaining("It can't be used now:")]);
    const { contact } = JSON.parse((await user.run(["join", invite, "--name", "lab", "--json"])).stdout);
    expect(contact).toMatchObject({ reached: false, code });
    expect(JSON.parse((await user.run(["servers", "--json"])).stdout)).toHaveLength(1);
  });
});
