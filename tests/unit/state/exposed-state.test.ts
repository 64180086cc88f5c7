import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, chownSync, mkdirSync, writeFileSync } from "node:fs";
import { isChangeable, stateWarnings } from "../../../lib/state/exposed-state.ts";
import { TempFolder } from "../../support/temp-folder.ts";

const isRoot = process.getuid?.() === 0;
const rootTest = (name: string) => (isRoot ? name : `${name} (skipped: only root may give files to others)`);

let site: TempFolder;
let state: string;
let key: string;

beforeEach(() => {
  site = new TempFolder();
  chmodSync(site.path, 0o755);
  [state, key] = [site.join("state"), site.join("key.pem")];
  mkdirSync(state, { mode: 0o700 });
  writeFileSync(key, "a key", { mode: 0o600 });
});

afterEach(() => site[Symbol.dispose]());

describe.if(process.platform !== "win32")("of its private state a server warns", () => {
  test("not at all where it is its user's alone, or others only see its names", () => {
    expect(stateWarnings(state, key)).toEqual([]);
    expect(stateWarnings(state, undefined)).toEqual([]);
    chmodSync(state, 0o755);
    expect(stateWarnings(state, undefined)).toEqual([]);
    expect(isChangeable(state)).toBe(false);
  });

  test("when others can change the folder", () => {
    chmodSync(state, 0o720);
    expect(isChangeable(state)).toBe(true);
    expect(stateWarnings(state, undefined)).toEqual([
      { kind: "changeable state", folder: state, mode: "0720", isAnothers: false },
    ]);
  });

  test("when others can read the key, wherever it is", () => {
    chmodSync(key, 0o604);
    const warning = { kind: "readable key", file: key, mode: "0604" } as const;
    expect(stateWarnings(state, key)).toEqual([warning]);
    expect(stateWarnings(state, undefined)).toEqual([]);
    chmodSync(state, 0o777);
    expect(stateWarnings(state, key).map(({ kind }) => kind)).toEqual(["changeable state", "readable key"]);
  });

  test.skipIf(!isRoot)(rootTest("when the folder is another user's, whatever its mode"), () => {
    chownSync(state, 4_001, 4_001);
    expect(isChangeable(state)).toBe(true);
    expect(stateWarnings(state, undefined)).toEqual([
      { kind: "changeable state", folder: state, mode: "0700", isAnothers: true },
    ]);
  });
});
