import { describe, expect, test } from "bun:test";
import { findFlag } from "../../../lib/cli/flags.ts";
import { completeCommand } from "../../../lib/cli/shown-command.ts";
import { wholeClient } from "../../support/whole-programs.ts";

const ARGV = ["--server", "lab", "--token-file", "t", "--state-dir", "/state"];

/** These are never shown, and have no state folder. */
const UNSHOWN = ["unfinished", "config", "completions", "help", "version"];
const SHOWN = Object.keys(wholeClient.commands).filter((name) => !UNSHOWN.includes(name));

describe("a command that is shown", () => {
  test.each(SHOWN)("has only flags that the command takes: %s", (name) => {
    const [program, shown, ...argv] = completeCommand(`commserver-client ${name}`, ARGV).split(" ");
    const args = wholeClient.commands[name]?.args ?? {};
    expect([program, shown]).toEqual(["commserver-client", name]);
    for (const word of argv.filter((word) => word.startsWith("--"))) expect(findFlag(word, args)).toBeDefined();
  });

  test("says which server is meant where the command talks to one", () => {
    const all = "--server lab --token-file t --state-dir /state";
    expect(completeCommand("commserver-client", ARGV)).toBe(`commserver-client ${all}`);
    expect(completeCommand("commserver-client list PATH", ARGV)).toBe(`commserver-client list PATH ${all}`);
    expect(completeCommand("commserver-client --server lab", ARGV.slice(4))).toBe(
      "commserver-client --server lab --state-dir /state",
    );
  });

  test("of the known servers says where they are, and no more", () => {
    expect(completeCommand("commserver-client forget lab", ARGV)).toBe(
      "commserver-client forget lab --state-dir /state",
    );
  });
});
