import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { describeError } from "../../../lib/cli/report.ts";
import {
  defaultStateDir,
  historyFile,
  identityFile,
  invitationFile,
  ledgerFile,
  makeStateDir,
  operatorSocket,
  StateFolderError,
  tokensFile,
  usualStateDirs,
} from "../../../lib/state/state-dir.ts";
import { codeOf, faultOf } from "../../support/fault.ts";
import { stateNames } from "../../support/state-names.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { noPermissionTests, permissionTest, unprivileged } from "../../support/unprivileged.ts";

const MODULE = join(import.meta.dir, "../../../lib/state/state-dir.ts");
const modeOf = (path: string) => statSync(path).mode & 0o777;
const posix = process.platform !== "win32";

describe("makeStateDir()", () => {
  test("makes the folder with those on the way, and returns its full path", () => {
    using folder = new TempFolder();
    expect(makeStateDir(folder.join("a/b/state"))).toBe(folder.join("a/b/state"));
    expect(statSync(folder.join("a/b/state")).isDirectory()).toBe(true);
  });

  test.if(posix)("keeps a new folder to its owner, whatever the umask", () => {
    using folder = new TempFolder();
    for (const [name, umask] of [
      ["open", 0o000],
      ["usual", 0o022],
      ["strange", 0o777],
    ] as const) {
      const before = process.umask(umask);
      try {
        makeStateDir(folder.join(name));
      } finally {
        process.umask(before);
      }
      expect({ umask, mode: modeOf(folder.join(name)) }).toEqual({ umask, mode: 0o700 });
    }
  });

  test.if(posix)("leaves the permissions and the content of one that exists", () => {
    using folder = new TempFolder();
    mkdirSync(folder.join("state"));
    chmodSync(folder.join("state"), 0o750);
    writeFileSync(folder.join("state/history"), "x");
    expect(makeStateDir(folder.join("state"))).toBe(folder.join("state"));
    expect(modeOf(folder.join("state"))).toBe(0o750);
    expect(stateNames(folder.join("state"))).toEqual(["history"]);
  });

  test.if(posix)("marks it, for its owner alone to read, and once", () => {
    using folder = new TempFolder();
    for (let turn = 0; turn < 2; turn++) makeStateDir(folder.join("state"));
    expect(modeOf(folder.join("state/.commserver-state"))).toBe(0o600);
    expect(readFileSync(folder.join("state/.commserver-state"), "utf8")).toContain("keys");
  });

  test("takes a link to a folder", () => {
    using folder = new TempFolder();
    mkdirSync(folder.join("real"));
    symlinkSync("real", folder.join("link"));
    expect(makeStateDir(folder.join("link"))).toBe(folder.join("link"));
  });

  test("makes a relative path absolute", () => {
    using folder = new TempFolder();
    const before = process.cwd();
    process.chdir(folder.path);
    try {
      expect(makeStateDir("state")).toBe(folder.join("state"));
    } finally {
      process.chdir(before);
    }
  });

  test("says DISK_DENIED, names the folder and --state-dir, where a file is in the way", async () => {
    using folder = new TempFolder();
    writeFileSync(folder.join("file"), "x");
    symlinkSync("missing", folder.join("dangling"));
    for (const name of ["file", "file/state", "dangling"]) {
      const fault = await faultOf(() => makeStateDir(folder.join(name)));
      expect(fault.code).toBe("DISK_DENIED");
      expect(fault.message).toContain(`"${folder.join(name)}"`);
      expect(describeError(fault)).toContain("--state-dir");
    }
  });

  test.skipIf(noPermissionTests !== undefined)(
    permissionTest("says DISK_DENIED in a folder that may not be written"),
    async () => {
      using folder = new TempFolder();
      mkdirSync(folder.join("read-only"), { mode: 0o555 });
      await unprivileged(folder.path, async () => {
        expect(await codeOf(() => makeStateDir(folder.join("read-only/state")))).toBe("DISK_DENIED");
      });
    },
  );

  test("keeps its files inside", () => {
    const all = [operatorSocket, ledgerFile, historyFile, identityFile, invitationFile, tokensFile];
    const files = all.map((file) => file("/state"));
    expect(new Set(files).size).toBe(all.length);
    for (const file of files) expect(file).toStartWith(join("/state", "/"));
  });
});

describe.if(process.platform === "linux")("defaultStateDir()", () => {
  let before: string | undefined;

  beforeEach(() => {
    before = process.env["XDG_STATE_HOME"];
  });

  afterEach(() => {
    if (before === undefined) delete process.env["XDG_STATE_HOME"];
    else process.env["XDG_STATE_HOME"] = before;
  });

  test("is in XDG_STATE_HOME where that is set, else in the home folder", () => {
    process.env["XDG_STATE_HOME"] = "/somewhere/state";
    expect(defaultStateDir()).toBe("/somewhere/state/commserver");
    process.env["XDG_STATE_HOME"] = "";
    expect(defaultStateDir()).toBe(join(homedir(), ".local/state/commserver"));
    delete process.env["XDG_STATE_HOME"];
    expect(defaultStateDir()).toBe(join(homedir(), ".local/state/commserver"));
  });

  test("ignores an XDG_STATE_HOME that is not absolute, as its specification says", () => {
    process.env["XDG_STATE_HOME"] = "state";
    expect(defaultStateDir()).toBe(join(homedir(), ".local/state/commserver"));
  });

  test("is one of those that any program of the same user may have", () => {
    process.env["XDG_STATE_HOME"] = "/somewhere/state";
    const ofHome = join(homedir(), ".local/state/commserver");
    expect(usualStateDirs()).toEqual(["/somewhere/state/commserver", ofHome]);
    delete process.env["XDG_STATE_HOME"];
    expect(new Set(usualStateDirs())).toEqual(new Set([ofHome]));
  });
});

/** What a process that is told to be on another system says; undefined for a variable takes it away. */
function saysOn(platform: string, env: Record<string, string | undefined>, expression: string): unknown {
  const script = `
    const { defaultStateDir, usualStateDirs } = await import(${JSON.stringify(MODULE)});
    Object.defineProperty(process, "platform", { value: ${JSON.stringify(platform)} });
    const said = () => { try { return ${expression} } catch ({ code, fault }) { return { code, fault } } };
    console.log(JSON.stringify(said()));`;
  const all = { ...process.env, HOME: "/home/me", ...env };
  const { stdout } = Bun.spawnSync([process.execPath, "-e", script], { env: all });
  return JSON.parse(stdout.toString());
}

describe.if(posix)("the usual folder", () => {
  test("is the local one of Windows' user", () => {
    expect(saysOn("win32", { LOCALAPPDATA: "/local" }, "defaultStateDir()")).toBe("/local/CommServer");
    expect(saysOn("win32", { LOCALAPPDATA: undefined }, "defaultStateDir()")).toBe("/home/me/AppData/Local/CommServer");
    expect(saysOn("win32", { LOCALAPPDATA: "/local" }, "usualStateDirs()")).toEqual(["/local/CommServer"]);
  });

  test("is in the library of macOS' user, whatever XDG says", () => {
    const folder = "/home/me/Library/Application Support/CommServer";
    expect(saysOn("darwin", { XDG_STATE_HOME: "/xdg" }, "defaultStateDir()")).toBe(folder);
    expect(saysOn("darwin", { XDG_STATE_HOME: "/xdg" }, "usualStateDirs()")).toEqual([folder]);
  });
});

test("a state folder that can't be made is said to be unusable, with its name in quotes and why", async () => {
  using folder = new TempFolder();
  writeFileSync(folder.join("file"), "x");
  const fault = await faultOf(() => makeStateDir(folder.join("file/state")));
  expect(fault).toBeInstanceOf(StateFolderError);
  expect(fault).toMatchObject({ fault: "unusable" });
  const path = folder.join("file/state");
  expect(fault.message).toStartWith(`No permission to make the state folder ${JSON.stringify(path)} (`);
  const tooLong = await faultOf(() => makeStateDir(folder.join("x".repeat(300))));
  expect(tooLong.message).toStartWith("Cannot make the state folder ");
});
