import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, chownSync, existsSync, statSync, writeFileSync } from "node:fs";
import { findLocalInvite, leaveLocalInvite } from "../../../lib/state/local-invite.ts";
import { isSkipped, namedWhy } from "../../support/launched.ts";
import { ModelessDisk, missingModeless } from "../../support/modeless-disk.ts";
import { stateNames } from "../../support/state-names.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { noPermissionTests, permissionTest, unprivileged } from "../../support/unprivileged.ts";

const INVITE = { pid: process.pid, identity: `SHA256:${"A".repeat(43)}`, token: `local:${"s".repeat(43)}` };

let home: TempFolder;
let before: string | undefined;

beforeEach(() => {
  home = new TempFolder();
  before = process.env["XDG_STATE_HOME"];
  process.env["XDG_STATE_HOME"] = home.path;
});

afterEach(() => {
  if (before === undefined) delete process.env["XDG_STATE_HOME"];
  else process.env["XDG_STATE_HOME"] = before;
  home[Symbol.dispose]();
});

const fileOf = (port: number) => home.join("commserver", "local", `${port}.json`);
const write = (port: number, content: unknown) => writeFileSync(fileOf(port), JSON.stringify(content));

describe("what a server leaves for its user's other terminals", () => {
  test("is not believed where others could have written it", () => {
    leaveLocalInvite(5050, INVITE);
    for (const folder of [".", "commserver", "commserver/local"]) chmodSync(home.join(folder), 0o755);
    expect(findLocalInvite(5050)).toEqual(INVITE);
    chmodSync(fileOf(5050), 0o622);
    expect(findLocalInvite(5050)).toBeUndefined();
    chmodSync(fileOf(5050), 0o600);
    if (process.getuid?.() !== 0) return;
    chownSync(fileOf(5050), 4_001, 4_001);
    expect(findLocalInvite(5050)).toBeUndefined();
  });

  test("is found by the port, for the owner alone, until it is taken away", () => {
    const umask = process.umask(0);
    const remove = leaveLocalInvite(5050, INVITE);
    process.umask(umask);
    expect(findLocalInvite(5050)).toEqual(INVITE);
    expect(findLocalInvite(5051)).toBeUndefined();
    expect(statSync(fileOf(5050)).mode & 0o777).toBe(0o600);
    // Its folders are marked, so that no server serves them.
    for (const folder of ["commserver", "commserver/local"]) {
      expect(existsSync(home.join(folder, ".commserver-state"))).toBe(true);
    }
    for (const folder of ["commserver", "commserver/local"])
      expect(statSync(home.join(folder)).mode & 0o777).toBe(0o700);
    remove();
    expect(findLocalInvite(5050)).toBeUndefined();
    expect(stateNames(home.join("commserver", "local"))).toEqual([]);
    remove();
  });

  test("is another server's when that has the port by now", () => {
    const remove = leaveLocalInvite(5050, INVITE);
    const other = { ...INVITE, pid: process.ppid };
    leaveLocalInvite(5050, other);
    remove();
    expect(findLocalInvite(5050)).toEqual(other);
  });

  test.skipIf(isSkipped(missingModeless))(
    namedWhy("is not left on a disk where everybody could read it", missingModeless),
    () => {
      using disk = new ModelessDisk();
      process.env["XDG_STATE_HOME"] = disk.path;
      expect(() => leaveLocalInvite(5050, INVITE)).toThrow(expect.objectContaining({ code: "DISK_DENIED" }));
      expect(findLocalInvite(5050)).toBeUndefined();
      expect(existsSync(disk.join("commserver/local/5050.json"))).toBe(false);
    },
  );

  test("may say that the server has no identity", () => {
    leaveLocalInvite(5050, { ...INVITE, identity: null });
    expect(findLocalInvite(5050)?.identity).toBeNull();
  });
});

describe("is as if it were not there", () => {
  test("when its server was killed", async () => {
    const child = Bun.spawn(["true"]);
    await child.exited;
    leaveLocalInvite(5050, { ...INVITE, pid: child.pid });
    expect(findLocalInvite(5050)).toBeUndefined();
    expect(existsSync(fileOf(5050))).toBe(true);
  });

  test.each([
    ["is empty", ""],
    ["is cut", JSON.stringify(INVITE).slice(0, 40)],
    ["is no object", "[]"],
    ["has no token", JSON.stringify({ ...INVITE, token: undefined })],
    ["has a token that is none", JSON.stringify({ ...INVITE, token: "local" })],
    ["has no process", JSON.stringify({ ...INVITE, pid: "1" })],
  ])("when it %s", (_, text) => {
    leaveLocalInvite(5050, INVITE);
    writeFileSync(fileOf(5050), text);
    expect(findLocalInvite(5050)).toBeUndefined();
  });

  test.skipIf(noPermissionTests !== undefined)(permissionTest("for another user"), async () => {
    leaveLocalInvite(5050, INVITE);
    chmodSync(home.join("commserver"), 0o755);
    chmodSync(home.join("commserver", "local"), 0o755);
    await unprivileged(home.path, () => expect(findLocalInvite(5050)).toBeUndefined());
    expect(findLocalInvite(5050)).toEqual(INVITE);
  });

  test("when its members are of a later version it is not", () => {
    leaveLocalInvite(5050, INVITE);
    write(5050, { ...INVITE, more: 1 });
    expect(findLocalInvite(5050)).toEqual(INVITE);
  });
});
