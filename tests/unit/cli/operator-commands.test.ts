import { describe, expect, test } from "bun:test";
import { OPERATOR_COMMANDS, obeyOperator } from "../../../lib/cli/server/operator-commands.ts";
import type { Client } from "../../../lib/client/client.ts";
import type { Operator } from "../../../lib/client/operator.ts";
import { CommError, RemoteError } from "../../../lib/errors.ts";
import type { UnfinishedRecord } from "../../../lib/protocol/methods.ts";
import { facade } from "../../support/facade.ts";
import { codeOf, faultOf } from "../../support/fault.ts";

/** An operator, and what the server was asked. */
function operatorWith({ unfinished = [], canRevoke = true }: { unfinished?: UnfinishedRecord[]; canRevoke?: boolean }) {
  const asked: unknown[][] = [];
  const noted =
    <T>(name: string, answer?: T) =>
    async (...params: unknown[]) => {
      asked.push([name, ...params.filter((param) => param !== undefined)]);
      return answer as T;
    };
  const client = facade({} as Client, {
    send: noted("send", { text: "", delivered: ["Client02"], failed: [] }) as never,
  });
  const operator = facade({ client } as Operator, {
    kick: noted("kick"),
    drain: noted("drain"),
    quit: noted("quit"),
    issueToken: noted("issueToken", { token: "laptop:SECRET", invite: "csinvite1_x" }) as never,
    revokeToken: async (name) => {
      asked.push(["revokeToken", name]);
      if (!canRevoke) throw new RemoteError("INTERNAL", "No.");
    },
    async *tokens() {
      yield { name: "laptop", role: "read" as const, createdAt: 0, expiresAt: null };
    },
    async *unfinished() {
      yield* unfinished;
    },
  });
  return { operator, asked };
}

const IO = { color: false };

/** What a line of the operator shows, and what the server is asked for it. */
async function obey(line: string, options: Parameters<typeof operatorWith>[0] = {}, outColumns?: number) {
  const { operator, asked } = operatorWith(options);
  let shown = "";
  await obeyOperator(operator, line, { ...IO, outColumns }, async (text) => {
    shown = text;
  });
  return { shown, asked };
}

describe("a line of the operator", () => {
  test.each([
    ["drain", "New clients are not admitted.", ["drain", true]],
    ["DRAIN On", "New clients are not admitted.", ["drain", true]],
    ["drain off", "Clients are admitted again.", ["drain", false]],
    ["kick Client02", "Client02 was kicked.", ["kick", "Client02"]],
    ["  kick  Client02  too  loud ", "Client02 was kicked.", ["kick", "Client02", "too  loud"]],
    ["quit", "The server stops.", ["quit"]],
    ["Exit", "The server stops.", ["quit"]],
    ["hello you", "Delivered to Client02.", ["send", "hello you", "all"]],
    ["send quit", "Delivered to Client02.", ["send", "quit", "all"]],
    ["@Client02 hi", "Delivered to Client02.", ["send", "hi", "Client02"]],
    ["token revoke laptop", "laptop is revoked.", ["revokeToken", "laptop"]],
    ["constructor", "Delivered to Client02.", ["send", "constructor", "all"]],
  ])("%p shows %p", async (line, shown, call) => {
    expect(await obey(line)).toEqual({ shown, asked: [call] });
  });

  test.each([
    ["token add laptop", { name: "laptop", role: "read" }],
    ["token  add  laptop  WRITE", { name: "laptop", role: "write" }],
  ])("%p makes a token, and shows how to use it", async (line, params) => {
    const { shown, asked } = await obey(line);
    expect(asked).toEqual([["issueToken", params]]);
    expect(shown).toContain("commserver-client join csinvite1_x");
    expect(shown).toEndWith("laptop:SECRET");
  });

  test("lists the tokens, and what is unfinished", async () => {
    expect((await obey("token list")).shown).toMatch(/^NAME .*\nlaptop {2}read {2}.* never$/);
    const unfinished = [
      { path: "a", size: 1_500, modifiedAt: 0 },
      { path: "b", size: 3, modifiedAt: 0 },
    ];
    expect((await obey("unfinished", { unfinished })).shown).toMatch(
      /^ {2}1\.5 KB {2}\S+ \S+ {2}a\n {5}3 B {2}\S+ \S+ {2}b$/,
    );
    expect((await obey("unfinished")).shown).toBe("Nothing is unfinished.");
  });

  test("explains every command", async () => {
    const lines = (await obey("help")).shown.split("\n");
    expect(lines).toHaveLength(Object.keys(OPERATOR_COMMANDS).length);
    const columns = lines.map((line, index) =>
      line.indexOf(Object.values(OPERATOR_COMMANDS)[index]?.description ?? "?"),
    );
    expect(new Set(columns).size).toBe(1);
    expect(Math.min(...columns)).toBeGreaterThan(0);
  });

  test.each([
    ["help", 80],
    ["token list", 32],
  ])("%s shows as much at %i columns, in lines that fit", async (line, columns) => {
    const wide = (await obey(line)).shown;
    expect(Math.max(...wide.split("\n").map((text) => text.length))).toBeGreaterThan(columns);
    const { shown } = await obey(line, {}, columns);
    expect(Math.max(...shown.split("\n").map((text) => text.length))).toBeLessThanOrEqual(columns);
    expect(shown.split(/\s+/).sort()).toEqual(wide.split(/\s+/).sort());
  });

  test.each([
    ...["kick", "drain maybe", "send", "quit now", "help me", "unfinished all", "status --limit 0", "status now"],
    ...[
      "token",
      "token add",
      "token add a b",
      "token add a read more",
      "token list a",
      "token revoke",
      "token revoke a b",
    ],
    ...["@Client02"],
  ])("%p is refused, and asks the server for nothing", async (line) => {
    const { operator, asked } = operatorWith({});
    expect(await codeOf(() => obeyOperator(operator, line, IO, async () => {}))).toBe("USAGE");
    expect(asked).toEqual([]);
  });
});

describe("an answer that can't be shown", () => {
  const broken = async () => {
    throw new CommError("OUTPUT_CLOSED", "Nobody reads the output.");
  };

  test("takes the token back that it made: nobody has seen its secret", async () => {
    const { operator, asked } = operatorWith({});
    const { code, message } = await faultOf(() => obeyOperator(operator, "token add laptop", IO, broken));
    expect(code).toBe("DISK_FAILED");
    expect(message).toBe('The token "laptop" could not be shown: Nobody reads the output. It was revoked.');
    expect(asked.at(-1)).toEqual(["revokeToken", "laptop"]);
  });

  test("says that the token still exists when it can't be taken back", async () => {
    const { operator } = operatorWith({ canRevoke: false });
    const { message } = await faultOf(() => obeyOperator(operator, "token add laptop", IO, broken));
    expect(message).toEndWith("It still exists: revoke it.");
  });

  test.each(["token list", "token revoke laptop", "kick Client02", "hello"])(
    "of %p changes nothing more",
    async (line) => {
      const { operator, asked } = operatorWith({});
      expect(await codeOf(() => obeyOperator(operator, line, IO, broken))).toBe("OUTPUT_CLOSED");
      expect(asked.length).toBeLessThanOrEqual(1);
    },
  );
});
