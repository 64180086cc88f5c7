import { describe, expect, test } from "bun:test";
import { clientProgram } from "../../../lib/cli/client/client-program.ts";
import { callMeant, callsOf } from "../../../lib/cli/meant.ts";
import { OPERATOR_WORDS } from "../../../lib/cli/server/operator-commands.ts";
import { serverProgram } from "../../../lib/cli/server/server-program.ts";

describe("the command that is meant", () => {
  const client = callsOf(clientProgram);
  const server = callsOf(serverProgram);

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
    ["invite", "token"],
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
