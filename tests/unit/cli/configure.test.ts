import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import type { Program } from "../../../lib/cli/command.ts";
import { configure, findConfigFile, withOrigin } from "../../../lib/cli/configuration/configure.ts";
import { isTyped, originOf, withoutConfigured } from "../../../lib/cli/configuration/origins.ts";
import { parseFlags } from "../../../lib/cli/flags.ts";
import type { LazyProgram } from "../../../lib/cli/lazy-program.ts";
import { UsageError } from "../../../lib/cli/usage-error.ts";
import { faultOf } from "../../support/fault.ts";
import { TempFolder } from "../../support/temp-folder.ts";

const run = async () => 0;
const PROGRAM: Program = {
  name: "commserver-server",
  description: "",
  examples: [],
  defaultCommand: "serve",
  commands: {
    serve: {
      description: "",
      args: {
        port: { type: "string", default: "5050" },
        writable: { type: "boolean" },
        "state-dir": { type: "string" },
        names: { type: "string", valueHint: "NAME,…" },
        exclude: { type: "string", valueHint: "PATTERN…" },
      },
      run,
    },
    token: {
      description: "",
      args: { role: { type: "string" }, "state-dir": { type: "string" }, yes: { type: "boolean" } },
      typedOnly: ["yes"],
      run,
    },
  },
};

const LAZY: LazyProgram = {
  ...PROGRAM,
  commands: Object.fromEntries(Object.entries(PROGRAM.commands).map(([name, command]) => [name, async () => command])),
};

/** The flags of a command line, with a file and variables. */
async function flagsOf(
  command: "serve" | "token",
  { argv = [], toml = "", env = {} }: { argv?: string[]; toml?: string; env?: Record<string, string> },
) {
  using folder = new TempFolder();
  const path = folder.join("server.toml");
  writeFileSync(path, toml);
  const typed = parseFlags(argv, PROGRAM.commands[command]?.args ?? {});
  const file = await findConfigFile(LAZY, typed, { COMMSERVER_CONFIG: path });
  return { flags: configure(typed, { program: PROGRAM, command, file, env }), path };
}

describe("a flag", () => {
  const toml = "\nport = 3\n";

  test("comes from the command line before the environment, from there before the file, and at last from its default", async () => {
    const env = { COMMSERVER_PORT: "2" };
    const typed = await flagsOf("serve", { argv: ["--port", "1"], env, toml });
    expect([typed.flags["port"], originOf(typed.flags, "port")]).toEqual(["1", { kind: "flag" }]);
    const named = await flagsOf("serve", { env, toml });
    expect([named.flags["port"], originOf(named.flags, "port")]).toEqual([
      "2",
      { kind: "environment", variable: "COMMSERVER_PORT" },
    ]);
    const filed = await flagsOf("serve", { toml });
    expect([filed.flags["port"], originOf(filed.flags, "port")]).toEqual([
      "3",
      { kind: "file", file: filed.path, line: 2 },
    ]);
    const usual = await flagsOf("serve", {});
    expect([usual.flags["port"], originOf(usual.flags, "port")]).toEqual(["5050", { kind: "default" }]);
  });

  test.each([
    ["TRUE", true],
    ["on", true],
    ["1", true],
    ["no", false],
    ["0", false],
    ["", undefined],
  ])("without a value is %p in the environment", async (text, value) => {
    const { flags } = await flagsOf("serve", { env: { COMMSERVER_WRITABLE: text } });
    expect(flags["writable"]).toBe(value as never);
  });

  test("without a value takes no other word", async () => {
    const { message } = await faultOf(() => flagsOf("serve", { env: { COMMSERVER_WRITABLE: "maybe" } }));
    expect(message).toBe('COMMSERVER_WRITABLE takes true or false, not "maybe".');
  });

  test("that is configured can be turned off", async () => {
    const { flags } = await flagsOf("serve", { argv: ["--no-writable"], toml: "writable = true" });
    expect(flags["writable"]).toBe(false);
    expect(isTyped(flags, "writable")).toBe(true);
  });

  test("in a command's table is for that command only, and before the one at the top", async () => {
    const toml = 'state-dir = "/all"\n[token]\nrole = "write"\nstate-dir = "/tokens"\n';
    expect((await flagsOf("serve", { toml })).flags["state-dir"]).toBe("/all");
    const { flags, path } = await flagsOf("token", { toml });
    expect(flags).toMatchObject({ role: "write", "state-dir": "/tokens" });
    expect(originOf(flags, "state-dir")).toEqual({ kind: "file", file: path, line: 4 });
  });

  test("that takes several values with commas may be a list", async () => {
    expect((await flagsOf("serve", { toml: 'names = ["a", "b"]' })).flags["names"]).toBe("a,b");
  });

  test("that may be given several times may be a list, with a value on each line", async () => {
    expect((await flagsOf("serve", { toml: 'exclude = ["*.{a,b}", "c"]' })).flags["exclude"]).toBe("*.{a,b}\nc");
  });

  test("of one call is never configured", async () => {
    expect((await flagsOf("token", { env: { COMMSERVER_YES: "1" } })).flags["yes"]).toBeUndefined();
    expect((await faultOf(() => flagsOf("token", { toml: "[token]\nyes = true" }))).message).toContain(
      "Unknown setting",
    );
  });

  test("that a command has no use for is left out when it is configured, and kept when it is typed", async () => {
    const { flags } = await flagsOf("serve", { argv: ["--writable"], toml: "port = 3" });
    expect(withoutConfigured(flags, ["port", "writable"])).not.toHaveProperty("port");
    expect(withoutConfigured(flags, ["port", "writable"])["writable"]).toBe(true);
  });
});

describe("a file of settings is refused, with its line and what may be meant,", () => {
  test.each([
    ["port = 1\n\nprot = 2", 'line 3: Unknown setting "prot". Did you mean "port"?'],
    ["state_dir = '/x'", 'line 1: Unknown setting "state_dir". Did you mean "state-dir"?'],
    ["[token]\nrol = 'x'", 'line 2: Unknown setting "rol" of token. Did you mean "role"?'],
    ["[tokn]\nrole = 'x'", 'line 1: Unknown setting "tokn". Did you mean "token"?'],
    ["\n[serve]\nrole = 'x'", 'line 3: Unknown setting "role" of serve. See: commserver-server config'],
    ["token = 'a:b'", "line 1: A secret has no place in this file. Use token-file = FILE, or COMMSERVER_TOKEN."],
    ["port = true", "line 1: port takes a text or a number."],
    ["port = [1, 2]", "line 1: port takes a text or a number."],
    ["writable = 'yes'", "line 1: writable takes true or false."],
    ["port = 1\nport = 2", "line 2: trying to redefine an already defined table or value."],
    ["port = 1\n\nwritable =", "line 3: "],
    ["constructor = 1", 'line 1: Unknown setting "constructor". See: commserver-server config'],
    ["serve.prot = 1", 'line 1: Unknown setting "prot" of serve. Did you mean "port"?'],
  ])("%p", async (toml, words) => {
    const { code, message } = await faultOf(() => flagsOf("serve", { toml }));
    expect(code).toBe("USAGE");
    expect(message).toContain(`server.toml, ${words}`);
  });
});

describe("an error about a value", () => {
  const error = new UsageError('--port takes a number, not "x".');

  test("says where a configured value comes from", async () => {
    const { flags, path } = await flagsOf("serve", { toml: "\nport = 'x'" });
    expect(withOrigin(error, flags)).toMatchObject({ message: `${path}, line 2: --port takes a number, not "x".` });
    const named = await flagsOf("serve", { env: { COMMSERVER_PORT: "x" } });
    expect(withOrigin(error, named.flags)).toMatchObject({
      message: 'COMMSERVER_PORT: --port takes a number, not "x".',
    });
  });

  test("stays as it is when the value was typed", async () => {
    const { flags } = await flagsOf("serve", { argv: ["--port", "x"] });
    expect(withOrigin(error, flags)).toBe(error);
  });
});
