import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { ShellHistory } from "../../../lib/cli/client/shell-history.ts";
import { historyFile } from "../../../lib/state/state-dir.ts";
import { TempFolder } from "../../support/temp-folder.ts";

describe("the history of the shell", () => {
  test("has the lines of earlier shells, the newest first", () => {
    using folder = new TempFolder();
    const first = new ShellHistory(folder.join("state"), true);
    expect(first.read()).toEqual([]);
    for (const line of ["status", "  ", "", "get a"]) first.add(line);
    const second = new ShellHistory(folder.join("state"), true);
    second.add("exit");
    expect(second.read()).toEqual(["exit", "get a", "status"]);
  });

  test.skipIf(process.platform === "win32")("can be read by its user alone", () => {
    using folder = new TempFolder();
    new ShellHistory(folder.join("state"), true).add("secret");
    expect(statSync(historyFile(folder.join("state"))).mode & 0o777).toBe(0o600);
  });

  test("is 500 lines long at most", () => {
    using folder = new TempFolder();
    const history = new ShellHistory(folder.path, true);
    writeFileSync(historyFile(folder.path), Array.from({ length: 501 }, (_, index) => `${index}\n`).join(""));
    const lines = history.read();
    expect([lines.length, lines[0], lines.at(-1)]).toEqual([500, "500", "1"]);
  });

  test("is not kept where nobody types, nor where there is no place for it", () => {
    using folder = new TempFolder();
    const piped = new ShellHistory(folder.join("state"), false);
    piped.add("status");
    expect([piped.read(), existsSync(folder.join("state"))]).toEqual([[], false]);
    writeFileSync(folder.join("file"), "");
    const homeless = new ShellHistory(folder.join("file"), true);
    homeless.add("status");
    expect([homeless.read(), readFileSync(folder.join("file"), "utf8")]).toEqual([[], ""]);
  });
});
