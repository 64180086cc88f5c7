import { describe, expect, test } from "bun:test";
import { callMeant, callsOf } from "../../../lib/cli/meant.ts";
import { OPERATOR_WORDS } from "../../../lib/cli/server/operator-commands.ts";
import { wholeClient, wholeServer } from "../../support/whole-programs.ts";

describe("the command that is meant", () => {
  const client = callsOf(wholeClient);
  const server = callsOf(wholeServer);

  test.each([
    ["ls", "list"],
    ["rm", "remove"],
    ["MV", "rename"],
    ["cp", "get"],
    ["download", "get"],
    ["upload", "put"],
    ["who", "status"],
    ["lst", "list"],
    ["bash", "completions bash"],
    ["xyzzy", undefined],
    ["constructor", undefined],
  ])("by the client: %p is %p", (word, meant) => {
    expect(callMeant(word, client)).toBe(meant as string);
  });

  test.each([
    ["start", "serve"],
    ["stop", "console stop"],
    ["shutdown", "console stop"],
    ["status", "console status"],
    ["revoke", "token revoke"],
    ["invit", "invite"],
    ["rotate", "identity rotate"],
    ["tokn", "token"],
  ])("by the server: %p is %p", (word, meant) => {
    expect(callMeant(word, server)).toBe(meant);
  });

  test.each([
    ["who", "status"],
    ["ban", "kick"],
    ["wall", "say"],
    ["quti", "quit"],
  ])("by the operator: %p is %p", (word, meant) => {
    expect(callMeant(word, OPERATOR_WORDS)).toBe(meant);
  });
});
