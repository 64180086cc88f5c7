import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readdirSync, writeFileSync } from "node:fs";
import { readConnectSettings } from "../../../lib/cli/client/connect-settings.ts";
import type { Flags } from "../../../lib/cli/flags.ts";
import { formatInvite, parseInvite } from "../../../lib/protocol/invite.ts";
import { leaveLocalInvite } from "../../../lib/state/local-invite.ts";
import { formatAddress } from "../../../lib/transport/address.ts";
import { KnownServers } from "../../../lib/trust/known-servers.ts";
import { findTarget, type Target } from "../../../lib/trust/target.ts";
import { faultOf } from "../../support/fault.ts";
import { testIdentity } from "../../support/identity.ts";
import { TempFolder } from "../../support/temp-folder.ts";

const id = (letter: string) => `SHA256:${letter.repeat(43)}`;
const secret = (letter: string) => letter.repeat(43);
const token = (name: string, letter: string) => `${name}:${secret(letter)}`;

const INVITE = formatInvite({
  label: "lab",
  addresses: ["192.0.2.7:5050", "[2001:db8::7]:5050"],
  identity: id("I"),
  token: { name: "invited", secret: secret("i") },
});

let folder: TempFolder;
const VARIABLES = ["XDG_STATE_HOME", "COMMSERVER_SERVER", "COMMSERVER_INVITE", "COMMSERVER_TOKEN"];
let before: (string | undefined)[];

beforeEach(() => {
  folder = new TempFolder();
  before = VARIABLES.map((name) => process.env[name]);
  for (const name of VARIABLES) delete process.env[name];
  process.env["XDG_STATE_HOME"] = folder.path;
});

afterEach(() => {
  for (const [index, name] of VARIABLES.entries()) {
    const value = before[index];
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  folder[Symbol.dispose]();
});

const settingsOf = (flags: Record<string, unknown>) => readConnectSettings({ _: [], timeout: "10", ...flags } as Flags);

/** What is found, as text. */
async function find(flags: Record<string, unknown> = {}): Promise<object> {
  const target: Target = findTarget(await settingsOf(flags));
  const { name, addresses, identity, isPlaintext, token: found } = target;
  return { name, addresses: addresses.map(formatAddress), identity, isPlaintext, token: found?.name };
}

const book = () => new KnownServers(folder.join("commserver"));

describe("the server of a command", () => {
  test("is the one of this machine when nothing is said, and nothing is known of it", async () => {
    expect(await find()).toEqual({
      name: "localhost:5050",
      addresses: ["localhost:5050"],
      identity: undefined,
      isPlaintext: false,
      token: undefined,
    });
    expect(readdirSync(folder.path)).toEqual([]);
  });

  test.each(["localhost:5050", "127.0.0.1:5050", "[::1]:5050"])(
    "on this machine is known by what it has left: %s",
    async (server) => {
      leaveLocalInvite(5050, { pid: process.pid, identity: id("L"), token: token("local", "l") });
      expect(await find({ server })).toMatchObject({ identity: id("L"), token: "local" });
    },
  );

  test.each(["127.0.0.1:5051", "localhost:5051", "[::1]:5051"])(
    "on this machine is known by what it has left, though another was trusted there before: %s",
    async (server) => {
      book().save({ name: server, addresses: [server], identity: id("T") });
      leaveLocalInvite(5051, { pid: process.pid, identity: id("L"), token: token("local", "l") });
      expect(await find({ server })).toMatchObject({ identity: id("L"), token: "local" });
    },
  );

  test("on another machine is not known by what one of this machine has left", async () => {
    leaveLocalInvite(5050, { pid: process.pid, identity: id("L"), token: token("local", "l") });
    expect(await find({ server: "192.0.2.7:5050" })).toMatchObject({ identity: undefined, token: undefined });
    expect(await find({ server: "unix:/tmp/x.sock" })).toMatchObject({ isPlaintext: true, token: undefined });
  });

  test("by the name that it was joined by has the addresses, the identity and the token of then", async () => {
    book().save({ name: "lab", addresses: ["192.0.2.7:5050"], identity: id("J"), token: token("joined", "j") });
    expect(await find({ server: "lab" })).toMatchObject({
      addresses: ["192.0.2.7:5050"],
      identity: id("J"),
      token: "joined",
    });
  });

  test("by an address that was trusted once is known by that, with or without its port", async () => {
    book().save({ name: "192.0.2.7:5050", addresses: ["192.0.2.7:5050"], identity: id("T") });
    for (const server of ["192.0.2.7", "192.0.2.7:5050"]) {
      expect(await find({ server })).toMatchObject({ identity: id("T"), token: undefined });
    }
  });

  test("by a word that is neither is a mistake", async () => {
    await expect(find({ server: "no lab" })).rejects.toThrow(expect.objectContaining({ code: "MALFORMED" }));
  });
});

describe("an invite without a join", () => {
  const all = { addresses: ["192.0.2.7:5050", "[2001:db8::7]:5050"], identity: id("I"), token: "invited" };

  test("from the environment is all that is needed", async () => {
    process.env["COMMSERVER_INVITE"] = `${INVITE}\n`;
    expect(await find()).toMatchObject({ name: "lab", ...all });
  });

  test("from a file is all that is needed", async () => {
    writeFileSync(folder.join("invite"), INVITE);
    expect(await find({ "invite-file": folder.join("invite") })).toMatchObject({ name: "lab", ...all });
  });

  test("goes with one of its addresses, and then with that one only", async () => {
    process.env["COMMSERVER_INVITE"] = INVITE;
    expect(await find({ server: "192.0.2.7" })).toMatchObject({ ...all, addresses: ["192.0.2.7:5050"] });
  });

  test("is not for a server at another address, which must not get its token", async () => {
    process.env["COMMSERVER_INVITE"] = INVITE;
    expect(await find({ server: "192.0.2.8" })).toMatchObject({ identity: undefined, token: undefined });
  });

  test("does not stand in the way of a server that was joined", async () => {
    book().save({ name: "other", addresses: ["192.0.2.9:5050"], identity: id("O"), token: token("joined", "j") });
    process.env["COMMSERVER_INVITE"] = INVITE;
    expect(await find({ server: "other" })).toMatchObject({ identity: id("O"), token: "joined" });
  });

  test("that is damaged is refused and not shown", async () => {
    process.env["COMMSERVER_INVITE"] = `${INVITE.slice(0, -3)}abc`;
    await expect(find()).rejects.toThrow("The invite is damaged: copy the whole line again.");
  });
});

describe("an invite that names a socket beside an address", () => {
  test("does not take the encryption from the address", async () => {
    const { addresses, ...rest } = parseInvite(INVITE);
    process.env["COMMSERVER_INVITE"] = formatInvite({ ...rest, addresses: [...addresses, "unix:/tmp/x.sock"] });
    let found: { isPlaintext?: boolean } = {};
    try {
      found = await find();
    } catch (thrown) {
      expect(thrown).toMatchObject({ code: "MALFORMED" });
    }
    expect(found.isPlaintext ?? false).toBe(false);
  });
});

describe("a token of its own", () => {
  test("comes before any other: of a file, then of the environment", async () => {
    book().save({ name: "lab", addresses: ["192.0.2.7:5050"], identity: id("J"), token: token("joined", "j") });
    process.env["COMMSERVER_TOKEN"] = token("env", "e");
    expect(await find({ server: "lab" })).toMatchObject({ identity: id("J"), token: "env" });
    writeFileSync(folder.join("token"), token("file", "f"));
    expect(await find({ server: "lab", "token-file": folder.join("token") })).toMatchObject({ token: "file" });
  });

  test("that is invalid is refused and not shown", async () => {
    process.env["COMMSERVER_TOKEN"] = "sesame-open";
    await expect(find()).rejects.toThrow(expect.objectContaining({ code: "MALFORMED" }));
    await expect(find()).rejects.not.toThrow("sesame");
  });

  test("in an empty file is refused: who names a file means a token", async () => {
    writeFileSync(folder.join("token"), "\n");
    await expect(find({ "token-file": folder.join("token") })).rejects.toThrow(
      expect.objectContaining({ code: "USAGE" }),
    );
  });
});

describe("--ca", () => {
  test("is read, and told when it holds no certificate or does not exist", async () => {
    const { cert } = await testIdentity();
    writeFileSync(folder.join("ca.pem"), `some words\n${cert}\n`);
    expect(findTarget(await settingsOf({ ca: folder.join("ca.pem") })).ca).toBe(cert);
    writeFileSync(folder.join("no.pem"), "PEM");
    await expect(find({ ca: folder.join("no.pem") })).rejects.toThrow(expect.objectContaining({ code: "USAGE" }));
    await expect(find({ ca: folder.join("none.pem") })).rejects.toThrow(
      expect.objectContaining({ code: "NO_SUCH_FILE" }),
    );
  });
});

describe("an address of a joined server", () => {
  const lab = {
    name: "lab",
    addresses: ["192.0.2.7:5050", "nas.local:7"],
    identity: id("J"),
    token: token("bob", "b"),
  };

  test("has its identity and token, and is dialled alone", async () => {
    book().save(lab);
    for (const [server, address] of [
      ["192.0.2.7", "192.0.2.7:5050"],
      ["NAS.local:7", "NAS.local:7"],
    ] as const) {
      expect(await find({ server })).toMatchObject({
        name: "lab",
        addresses: [address],
        identity: id("J"),
        token: "bob",
      });
    }
    expect(await find({ server: "192.0.2.7:5051" })).toMatchObject({ identity: undefined, token: undefined });
  });

  test("keeps another identity that was trusted there, without the token", async () => {
    book().save(lab);
    book().save({ name: "192.0.2.7:5050", addresses: ["192.0.2.7:5050"], identity: id("T") });
    expect(await find({ server: "192.0.2.7" })).toMatchObject({ identity: id("T"), token: undefined });
    book().save({ name: "192.0.2.7:5050", addresses: ["192.0.2.7:5050"], identity: id("J") });
    expect(await find({ server: "192.0.2.7" })).toMatchObject({ identity: id("J"), token: "bob" });
  });

  test("that two names have is refused, unless the token is given", async () => {
    book().save(lab);
    book().save({ ...lab, name: "lab-admin", token: token("admin", "a") });
    expect((await faultOf(() => find({ server: "192.0.2.7" }))).message).toContain('"lab-admin" and "lab"');
    process.env["COMMSERVER_TOKEN"] = token("given", "g");
    expect(await find({ server: "192.0.2.7" })).toMatchObject({ identity: id("J"), token: "given" });
  });
});

test("the environment names the server of commands that name none", async () => {
  book().save({ name: "lab", addresses: ["192.0.2.7:5050"], identity: id("J") });
  process.env["COMMSERVER_SERVER"] = "lab";
  expect(await find()).toMatchObject({ name: "lab" });
  expect(await find({ server: "192.0.2.9:1" })).toMatchObject({ name: "192.0.2.9:1" });
  writeFileSync(folder.join("invite"), INVITE);
  expect(await find({ "invite-file": folder.join("invite") })).toMatchObject({ token: "invited" });
});

test("a secret that was given where an address belongs is not shown", async () => {
  await expect(find({ server: INVITE })).rejects.toThrow(expect.objectContaining({ code: "USAGE" }));
  await expect(find({ server: INVITE })).rejects.not.toThrow(INVITE.slice(10, 60));
  const settings = { ...(await settingsOf({})), server: INVITE };
  expect(() => findTarget(settings)).toThrow(expect.objectContaining({ code: "MALFORMED" }));
  expect(() => findTarget(settings)).not.toThrow(INVITE.slice(10, 60));
});
