import { describe, expect, test } from "bun:test";
import type { Program } from "../../../lib/cli/command.ts";
import { completeWords, type FindNames } from "../../../lib/cli/completion/complete-words.ts";
import { wholeClient, wholeServer } from "../../support/whole-programs.ts";

/** The words that may stand in the place of the last one; `kind typed` for what would be looked up. */
async function complete(program: Program, ...words: string[]): Promise<string[]> {
  const find: FindNames = async (kind, typed, { flags }) => [
    `${typed}<${kind}${flags.size > 0 ? [...flags.keys()] : ""}>`,
  ];
  const { kind, candidates } = await completeWords(program, words, find);
  return kind === "words" ? candidates.map(({ word }) => word) : [`<${kind}>`];
}

describe("what may stand in the place of a word", () => {
  test.each([
    [["li"], ["list"]],
    [["--server", "lab", "pi"], ["ping"]],
    [["get", "--over"], ["--overwrite"]],
    [["get", "--overwrite", "--over"], []],
    [["get", "doc"], ["doc<remote>"]],
    [["get", "a", "-s", "lab", "doc"], ["doc<remoteserver>"]],
    [["get", "--server=la"], ["--server=la<server>"]],
    [["get", "-s", "la"], ["la<server>"]],
    [["get", "--output", "x"], ["<files>"]],
    [["get", "--", "-x"], ["-x<remote>"]],
    [["put", "x"], ["<files>"]],
    [["put", "x", "--to", "in"], ["in<remote folder>"]],
    [["sync", "ph"], ["<folders>"]],
    [["sync", ":ph"], [":ph<remote folder>"]],
    [["sync", "photos", ":"], [":<remote folder>"]],
    [["send", "x", "--to", "Cl"], ["Cl<client>"]],
    [["list", "a", "b"], []],
    [["unfinished", ""], ["<folders>"]],
    [["forget", "l"], ["l<server>"]],
    [
      ["completions", ""],
      ["bash", "zsh", "fish"],
    ],
    [["nonsense", ""], []],
    [["get", "--nonsense", ""], []],
    [["get", "--output"], ["--output"]],
  ])("of the client: %j", async (words, expected) => {
    expect(await complete(wholeClient, ...words)).toEqual(expected);
  });

  test.each([
    [
      ["token", ""],
      ["add", "list", "revoke"],
    ],
    [
      ["token", "add", "x", "--role", ""],
      ["read", "write", "operator"],
    ],
    [["--web="], ["--web=off", "--web=read", "--web=on"]],
    [["--cert", ""], ["<files>"]],
    [["identity", ""], ["rotate"]],
    [["console", "ki"], ["kick"]],
    [["./re"], ["<folders>"]],
    [["./repo", "--wri"], ["--writable"]],
    [["./repo", ""], []],
    [["console", "kick", ""], []],
  ])("of the server: %j", async (words, expected) => {
    expect(await complete(wholeServer, ...words)).toEqual(expected);
  });

  test("every flag whose value is a file, a folder or a choice has what completes it", async () => {
    for (const program of [wholeClient, wholeServer]) {
      for (const [name, { args }] of Object.entries(program.commands)) {
        for (const [flag, { valueHint = "" }] of Object.entries(args)) {
          if (!/^(FILE|DIR|SERVER)$|\|/.test(valueHint)) continue;
          expect(await complete(program, name, `--${flag}=`)).not.toEqual([]);
        }
      }
    }
  });
});
