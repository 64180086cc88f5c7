/** The commands join, servers and forget, in this process. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "../../../lib/cli/client/join-command.ts";
import { forget, servers } from "../../../lib/cli/client/servers-command.ts";
import { use } from "../../../lib/cli/client/use-command.ts";
import type { Command } from "../../../lib/cli/command.ts";
import { parseFlags } from "../../../lib/cli/flags.ts";
import { formatInvite } from "../../../lib/protocol/invite.ts";
import { KnownServers } from "../../../lib/trust/known-servers.ts";
import { faultOf } from "../../support/fault.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { TestIo } from "../../support/test-io.ts";

const identity = `SHA256:${"I".repeat(43)}`;
const inviteOf = (
  changes: { identity?: string; addresses?: string[]; token?: { name: string; secret: string } } = {},
) =>
  formatInvite({
    label: "lab",
    addresses: ["192.0.2.7:5050"],
    identity,
    token: { name: "laptop", secret: "s".repeat(43) },
    ...changes,
  });

let folder: TempFolder;

beforeEach(() => {
  folder = new TempFolder();
});

afterEach(() => {
  folder[Symbol.dispose]();
});

async function run(command: Command, ...args: string[]) {
  const io = new TestIo();
  // The servers here are none.
  const argv = command === join ? ["--offline", ...args] : args;
  const exit = await command.run(parseFlags(["--state-dir", folder.join("state"), ...argv], command.args), io);
  return { exit, out: io.written.join(""), notes: io.notes };
}

const known = () => new KnownServers(folder.join("state"));

describe("join", () => {
  test("remembers the server under its own name, or a better one, and says how to reach it", async () => {
    const { exit, out, notes } = await run(join, inviteOf());
    expect({ exit, notes }).toEqual({ exit: 0, notes: [] });
    expect(out).toBe(
      `Joined lab. Connect to it with: commserver-client --server lab --state-dir ${folder.join("state")}\n`,
    );
    await run(join, inviteOf(), "--name", "work");
    expect(known().list()).toEqual(
      ["lab", "work"].map((name) => ({
        name,
        addresses: ["192.0.2.7:5050"],
        identity,
        token: `laptop:${"s".repeat(43)}`,
      })),
    );
  });

  test("tells programs what it remembers, but no secret", async () => {
    const { out } = await run(join, inviteOf(), "--json");
    expect(JSON.parse(out)).toEqual({ name: "lab", addresses: ["192.0.2.7:5050"], identity });
  });

  test("takes an invite that a terminal has cut into words", async () => {
    const invite = inviteOf();
    expect((await run(join, invite.slice(0, 50), invite.slice(50))).exit).toBe(0);
  });

  test("takes an invite from COMMSERVER_INVITE when none is typed", async () => {
    const before = process.env["COMMSERVER_INVITE"];
    try {
      process.env["COMMSERVER_INVITE"] = inviteOf();
      expect((await run(join)).out).toStartWith("Joined lab.");
      delete process.env["COMMSERVER_INVITE"];
      const { code, message } = await faultOf(() => run(join));
      expect([code, message]).toEqual(["USAGE", expect.stringContaining("Name an invite or a code:")]);
    } finally {
      if (before === undefined) delete process.env["COMMSERVER_INVITE"];
      else process.env["COMMSERVER_INVITE"] = before;
    }
  });

  test("replaces another server of that name only when that is asked for", async () => {
    await run(join, inviteOf());
    const other = inviteOf({ identity: `SHA256:${"O".repeat(43)}` });
    expect((await faultOf(() => run(join, other))).code).toBe("SERVER_KNOWN");
    expect(known().find("lab")?.identity).toBe(identity);
    await run(join, other, "--overwrite");
    expect(known().find("lab")?.identity).toBe(`SHA256:${"O".repeat(43)}`);
  });

  test("says when the token of a server is replaced, by another or by itself with a new secret", async () => {
    await run(join, inviteOf());
    expect((await run(join, inviteOf())).notes).toEqual([]);
    const { notes } = await run(join, inviteOf({ token: { name: "bob", secret: "t".repeat(43) } }));
    expect(notes).toEqual(["The token bob takes the place of laptop, which is no longer kept here."]);
    const again = await run(join, inviteOf({ token: { name: "bob", secret: "u".repeat(43) } }));
    expect(again.notes).toEqual([
      "A new secret of the token bob takes the place of the old one, which is no longer kept here.",
    ]);
  });

  test.each(["192.0.2.7", "localhost", "a b", "-x", "7a"])("does not call it %p", async (name) => {
    const { code, message } = await faultOf(() => run(join, inviteOf(), `--name=${name}`));
    expect([code, message]).toEqual(["USAGE", expect.stringContaining("can't name a server")]);
  });

  test.skipIf(process.platform === "win32")("warns where others can read the token", async () => {
    await run(join, inviteOf());
    for (const path of [folder.path, folder.join("state"), folder.join("state/servers")]) chmodSync(path, 0o755);
    const file = folder.join("state/servers", String(readdirSync(folder.join("state/servers"))[0]));
    chmodSync(file, 0o644);
    // The file is replaced by a private one, so that nothing is left to warn of.
    expect((await run(join, inviteOf())).notes).toEqual([]);
  });
});

describe("servers", () => {
  test("lists what is known, with the token's name but no secret", async () => {
    await run(join, inviteOf());
    known().save({ name: "192.0.2.9:1", addresses: ["192.0.2.9:1"], identity: null });
    const { exit, out } = await run(servers);
    expect(exit).toBe(0);
    expect(out.split("\n").map((line) => line.split(/\s{2,}/))).toEqual([
      ["NAME", "ADDRESSES", "IDENTITY", "TOKEN"],
      ["192.0.2.9:1", "192.0.2.9:1", "not encrypted", "none"],
      ["lab", "192.0.2.7:5050", identity, "laptop"],
      [""],
    ]);
    expect(JSON.parse((await run(servers, "--json")).out)).toEqual([
      { name: "192.0.2.9:1", addresses: ["192.0.2.9:1"], identity: null, hasToken: false },
      { name: "lab", addresses: ["192.0.2.7:5050"], identity, hasToken: true },
    ]);
  });

  test("says how to join one when none is known, and tells programs an empty list", async () => {
    const { out, notes } = await run(servers);
    expect([out, notes]).toEqual(["", [expect.stringMatching(/^No server is known here\. .* join INVITE/)]]);
    expect(await run(servers, "--json")).toMatchObject({ out: "[]\n", notes: [] });
  });

  test("names what it can't read, and does not say that nothing is known", async () => {
    await run(join, inviteOf());
    writeFileSync(folder.join("state/servers/lab.json"), "{");
    const { exit, out, notes } = await run(servers);
    expect({ exit, out }).toEqual({ exit: 0, out: "" });
    expect(notes).toEqual([expect.stringMatching(/^Left out: The record of the server "lab" is damaged/)]);
  });
});

describe("use", () => {
  const variable = "COMMSERVER_SERVER";
  let before: string | undefined;
  beforeEach(() => {
    before = process.env[variable];
    delete process.env[variable];
  });
  afterEach(() => {
    if (before === undefined) delete process.env[variable];
    else process.env[variable] = before;
  });

  test("keeps the choice of a known name or an address, shows it, and clears it", async () => {
    await run(join, inviteOf());
    expect((await run(use)).out).toStartWith("No server is chosen: commands without --server talk to localhost:5050");
    expect((await run(use, "lab")).out).toBe("Commands without --server now talk to lab.\n");
    expect((await run(use)).out).toBe("lab\n");
    expect((await run(servers)).out).toContain("lab (default)");
    expect(JSON.parse((await run(servers, "--json")).out)[0]).toMatchObject({ name: "lab", isDefault: true });
    await run(use, "192.0.2.9");
    expect(JSON.parse((await run(use, "--json")).out)).toEqual({ server: "192.0.2.9:5050" });
    await run(use, "--clear");
    expect(JSON.parse((await run(use, "--json")).out)).toEqual({ server: null });
  });

  test("takes no name that is not known, and says which are", async () => {
    await run(join, inviteOf());
    const { code, message } = await faultOf(() => run(use, "lob"));
    expect([code, message]).toEqual(["NO_SUCH_SERVER", 'No server "lob" is known here. Known here: lab.']);
    expect((await faultOf(() => run(use, "lab", "--clear"))).code).toBe("USAGE");
  });

  test("says that the environment goes before the choice", async () => {
    await run(join, inviteOf());
    process.env[variable] = "192.0.2.9:7";
    const { out, notes } = await run(use, "lab");
    expect(out).toContain("lab");
    expect(notes).toEqual([expect.stringContaining("commands talk to 192.0.2.9:7")]);
    expect(JSON.parse((await run(use, "--json")).out)).toEqual({ server: "lab", variable: "192.0.2.9:7" });
  });

  test("ends when the server is forgotten", async () => {
    await run(join, inviteOf());
    await run(use, "lab");
    expect((await run(forget, "lab")).notes).toEqual([expect.stringContaining("have none now")]);
    expect(JSON.parse((await run(use, "--json")).out)).toEqual({ server: null });
  });
});

describe("forget", () => {
  test("forgets a server by its name, or by its address without its port", async () => {
    await run(join, inviteOf());
    for (const name of ["192.0.2.9:5050", "192.0.2.8:7"]) known().save({ name, addresses: [name], identity });
    expect(await run(forget, "lab")).toMatchObject({ exit: 0, out: "lab is forgotten.\n" });
    expect(await run(forget, "192.0.2.9")).toMatchObject({ out: "192.0.2.9:5050 is forgotten.\n" });
    expect(JSON.parse((await run(forget, "192.0.2.8:7", "--json")).out)).toEqual({
      name: "192.0.2.8:7",
      forgotten: true,
    });
    expect(known().list()).toEqual([]);
  });

  test("fails for what is not known", async () => {
    for (const name of ["lab", "192.0.2.9", "not an address"]) {
      expect((await faultOf(() => run(forget, name))).code).toBe("NO_SUCH_SERVER");
    }
  });
});
