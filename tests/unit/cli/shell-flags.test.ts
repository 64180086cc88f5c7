import { describe, expect, test } from "bun:test";
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

  test("are none in a single word of a command that takes names, whatever the name looks like", () => {
    for (const name of ["a.txt", "--overwrite", "-", "--server"]) {
      expect(parseShellFlags([name], GET)._).toEqual([name]);
      expect(parseShellFlags([name], GET)["overwrite"]).not.toBe(true);
    }
  });

  test("come with names in quotes", () => {
    expect(parseShellFlags(["a b", "--overwrite"], GET)).toMatchObject({ _: ["a b"], overwrite: true });
    expect(parseShellFlags(["--", "--server"], GET)._).toEqual(["--server"]);
  });

  test("are separated by blanks where a command takes no names", () => {
    expect(parseShellFlags(["--count  7"], PING)["count"]).toBe("7");
    expect(() => parseShellFlags(["7"], PING)).toThrow('Unexpected argument "7".');
  });

  test.each([
    [["a", "--server", "lab"], "--server can't be used in a line of the shell"],
    [["a", "--server=lab"], "--server can't be used in a line of the shell"],
    [["a", "-s", "lab"], "-s can't be used in a line of the shell"],
    [["a", "--json"], "--json can't be used in a line of the shell"],
    [["a", "--reconnect", "5"], "--reconnect can't be used in a line of the shell"],
    [["a", "--unknown"], "Unknown flag --unknown."],
  ])("are explained where they do not belong: %j", (words, message) => {
    expect(() => parseShellFlags(words, GET)).toThrow(message);
    expect(() => parseShellFlags(words, GET)).toThrow(UsageError);
  });

  test("are refused by a command that takes nothing", () => {
    expect(() => requireNoWords([], "help")).not.toThrow();
    expect(() => requireNoWords(["me"], "help")).toThrow("to send a message that begins like this: send help …");
  });
});
