import { expect, test } from "bun:test";
import { breakWords, fitColumns } from "../../../lib/cli/line-breaks.ts";

test("lines break between words, and a long word stands alone", () => {
  expect(breakWords("one two three four five six", 20)).toEqual(["one two three four", "five six"]);
  expect(breakWords(`a ${"x".repeat(30)} b`, 20)).toEqual(["a", "x".repeat(30), "b"]);
  expect(breakWords("one two three four five six", 19).length).toBe(1);
});

test("a command at the end is never broken, since people copy it", () => {
  const command = "commserver-client use NAME --state-dir /somewhere/else";
  expect(breakWords(`Choose one for all later commands: ${command}`, 30)).toEqual([
    "Choose one for all later",
    "commands:",
    command,
  ]);
  expect(breakWords(command, 30)).toEqual([command]);
  const cyan = `\u001b[36m${command}\u001b[39m`;
  expect(breakWords(cyan, 30)).toEqual([cyan]);
});

test("a line of a terminal keeps its indentation, and escape sequences take no room", () => {
  expect(fitColumns("  Check the network, then run it again.", 24)).toBe("  Check the network,\n  then run it again.");
  const red = "\u001b[31mone two three four five\u001b[39m";
  expect(fitColumns(red, 24)).toBe(red);
  expect(fitColumns("one\ntwo", 80)).toBe("one\ntwo");
});
