import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { secretFilesOf } from "../../../lib/cli/client/connect-settings.ts";
import { knownStates, noteState } from "../../../lib/state/known-states.ts";
import { privatePlaces } from "../../../lib/state/private.ts";
import { defaultStateDir, makeStateDir } from "../../../lib/state/state-dir.ts";
import { LocalStorage } from "../../../lib/storage/local/local.ts";
import { codeOf } from "../../support/fault.ts";
import { walk, writeTree } from "../../support/repository.ts";
import { stateNames } from "../../support/state-names.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { until } from "../../support/until.ts";

let folder: TempFolder;
let before: string | undefined;

beforeEach(() => {
  folder = new TempFolder();
  before = process.env["XDG_STATE_HOME"];
  process.env["XDG_STATE_HOME"] = folder.join("xdg");
});

afterEach(() => {
  if (before === undefined) delete process.env["XDG_STATE_HOME"];
  else process.env["XDG_STATE_HOME"] = before;
  folder[Symbol.dispose]();
});

describe("noteState()", () => {
  test("notes a state folder once, and not the usual one", () => {
    for (const name of ["one", "other", "one"]) noteState(makeStateDir(folder.join(name)));
    noteState(makeStateDir(defaultStateDir()));
    expect(knownStates().sort()).toEqual([folder.join("one"), folder.join("other")]);
    expect(stateNames(defaultStateDir())).toEqual(["states"]);
  });

  test("makes the usual folder for its notes, which is marked as private", () => {
    noteState(makeStateDir(folder.join("one")));
    expect(existsSync(join(defaultStateDir(), ".commserver-state"))).toBe(true);
  });

  test("forgets those that are gone", () => {
    noteState(makeStateDir(folder.join("one")));
    rmSync(folder.join("one"), { recursive: true });
    noteState(makeStateDir(folder.join("other")));
    expect(knownStates()).toEqual([folder.join("other")]);
  });

  test("notes the folder itself, not a link that leads there", () => {
    makeStateDir(folder.join("real"));
    symlinkSync("real", folder.join("link"));
    noteState(folder.join("link"));
    expect(knownStates()).toEqual([folder.join("real")]);
  });

  test("of more than 64 the others are not looked at, nor what is no note", () => {
    noteState(makeStateDir(folder.join("real")));
    const notes = folder.join("xdg/commserver/states");
    for (let state = 0; state < 70; state++) writeFileSync(`${notes}/${state.toString(16)}`, folder.path);
    for (const name of ["README", "1.new", ".1"]) writeFileSync(`${notes}/${name}`, "no note");
    expect(knownStates()).toHaveLength(64);
    expect(knownStates()).not.toContain("no note");
  });

  test("an empty note says nothing", () => {
    noteState(makeStateDir(folder.join("real")));
    writeFileSync(folder.join("xdg/commserver/states/1"), "");
    expect(knownStates()).toEqual([folder.join("real")]);
  });

  test("fails for nobody: without a place for it, and over what is damaged", () => {
    writeFileSync(folder.join("xdg"), "a file");
    noteState(folder.join("one"));
    expect(knownStates()).toEqual([]);
    rmSync(folder.join("xdg"));
    mkdirSync(folder.join("xdg/commserver/states/abc"), { recursive: true });
    expect(knownStates()).toEqual([]);
  });
});

describe("what is private to a program", () => {
  test("is the state of another server of the same user from its start on, with what leads there", async () => {
    writeTree(folder.join("home"), { "srv/a.txt": "public" });
    const places = privatePlaces(folder.join("mine"), []);
    const storage = await LocalStorage.at(folder.join("home"), { places });
    await walk(storage);
    noteState(makeStateDir(folder.join("home/srv/other")));
    const rename = () => storage.rename("srv", "taken", { overwrite: false });
    await until(() => storage.privateBelow.length > 0);
    expect(await codeOf(rename)).toBe("NOT_ALLOWED");
    expect(await codeOf(() => storage.remove("srv", { recursive: true }))).toBe("NOT_ALLOWED");
    expect((await walk(storage)).paths).toEqual(["srv", "srv/a.txt"]);
  });

  test("is, for a client, its state folder and the files that hold its secrets", async () => {
    writeTree(folder.join("home"), { token: "x", invite: "x", "state/x": "x", ca: "x", "-": "x" });
    const flags = { "state-dir": folder.join("home/state"), "invite-file": folder.join("home/invite") };
    const others = { "token-file": folder.join("home/token"), ca: folder.join("home/ca") };
    const places = privatePlaces(flags["state-dir"], secretFilesOf({ _: [], ...flags, ...others }));
    const storage = await LocalStorage.ofUser(folder.join("home"), { places });
    expect((await walk(storage)).paths).toEqual(["-", "ca"]);
    const byInput = privatePlaces(flags["state-dir"], secretFilesOf({ _: [], "token-file": "-" }));
    const all = await LocalStorage.ofUser(folder.join("home"), { places: byInput });
    expect((await walk(all)).paths).toContain("-");
  });
});
