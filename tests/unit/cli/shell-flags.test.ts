import { describe, expect, test } from "bun:test";
import { homedir } from "node:os";
import { get } from "../../../lib/cli/client/get-command.ts";
import { ping } from "../../../lib/cli/client/ping-command.ts";
import { parseShellFlags, requireNoWords, shellArgs } from "../../../lib/cli/client/shell-flags.ts";
import { UsageError } from "../../../lib/cli/usage-error.ts";

const GET = shellArgs(get.args);
const PING = shellArgs(ping.args);

describe("the flags of a line in the shell", () => {
  test("are those of the command, without those of the program", () => {
    expect(Object.keys(PING)).toEqual(["count"]);
    expect(Object.keys(GET)).toContain("overwrite");
    for (const name of ["server", "json", "reconnect"]) expect(Object.keys(GET)).not.toContain(name);
  });

  const words = (...texts: string[]) => texts.map((text) => ({ text, isQuoted: false }));
  const quoted = (text: string) => ({ text, isQuoted: true });

  test("stand before and after names", () => {
    expect(parseShellFlags(words("--overwrite", "a", "b"), GET)).toMatchObject({ _: ["a", "b"], overwrite: true });
    expect(parseShellFlags([quoted("a b"), ...words("--overwrite")], GET)).toMatchObject({
      _: ["a b"],
      overwrite: true,
    });
    expect(parseShellFlags(words("--count", "7"), PING)["count"]).toBe("7");
    expect(() => parseShellFlags(words("7"), PING)).toThrow('Unexpected argument "7".');
  });

  test("are none in quotes, after --, or in a single word that is no flag of the command", () => {
    expect(parseShellFlags([quoted("--overwrite")], GET)._).toEqual(["./--overwrite"]);
    expect(parseShellFlags(words("--", "--server"), GET)._).toEqual(["--server"]);
    for (const name of ["-x.txt", "--server"]) expect(parseShellFlags(words(name), GET)._).toEqual([`./${name}`]);
    expect(parseShellFlags(words("-"), GET)._).toEqual(["-"]);
  });

  test("have the home of the user for ~ in a value that names something of this machine", () => {
    const isLocal = (flag: string) => flag !== "as";
    for (const typed of [words("a", "-o", "~/zz"), words("a", "--output=~/zz")])
      expect(parseShellFlags(typed, GET, isLocal)["output"]).toBe(`${homedir()}/zz`);
    expect(parseShellFlags([...words("a", "-o"), quoted("~/zz")], GET, isLocal)["output"]).toBe("~/zz");
    expect(parseShellFlags(words("a", "--as", "~/zz"), GET, isLocal)["as"]).toBe("~/zz");
    expect(parseShellFlags(words("a", "~/zz", "--overwrite", "~/b"), GET, isLocal)._).toEqual(["a", "~/zz", "~/b"]);
  });

  test.each([
    [["a", "--server", "lab"], "--server can't be used in a line of the shell"],
    [["a", "--server=lab"], "--server can't be used in a line of the shell"],
    [["a", "-s", "lab"], "-s can't be used in a line of the shell"],
    [["a", "--json"], "--json can't be used in a line of the shell"],
    [["a", "--reconnect", "5"], "--reconnect can't be used in a line of the shell"],
    [["a", "--unknown"], "Unknown flag --unknown."],
  ])("are explained where they do not belong: %j", (typed, message) => {
    expect(() => parseShellFlags(words(...typed), GET)).toThrow(message);
    expect(() => parseShellFlags(words(...typed), GET)).toThrow(UsageError);
  });

  test("are refused by a command that takes nothing", () => {
    expect(() => requireNoWords([], "help")).not.toThrow();
    expect(() => requireNoWords(["me"], "help")).toThrow("to send a message that begins like this: send help …");
  });
});
