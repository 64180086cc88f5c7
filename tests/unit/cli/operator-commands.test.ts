import { describe, expect, test } from "bun:test";
import type { Answer } from "../../../lib/cli/server/operator-answer.ts";
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
    status: (async () => ({ server: { agent: "commserver-server/1" } })) as never,
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
  let [shown, isJson]: [string, boolean] = ["", false];
  let facts: Answer["facts"] = {};
  await obeyOperator(operator, line, { ...IO, outColumns }, async ({ text, facts: known }, json) => {
    shown = text;
    facts = known;
    isJson = json;
  });
  return { shown, asked, facts, isJson };
}

describe("a line of the operator", () => {
  test.each([
    ["drain", "New clients are not admitted.", ["drain", true]],
    ["DRAIN On", "New clients are not admitted.", ["drain", true]],
    ["drain off", "Clients are admitted again.", ["drain", false]],
    ["kick Client02", "Client02 was kicked.", ["kick", "Client02"]],
    ["  kick  Client02  too  loud ", "Client02 was kicked.", ["kick", "Client02", "too  loud"]],
    ["stop", "The server stops.", ["quit"]],
    ["STOP", "The server stops.", ["quit"]],
    ["say hello", "Delivered to Client02.", ["send", "hello", "all"]],
    ["SAY @Client02 is here", "Delivered to Client02.", ["send", "@Client02 is here", "all"]],
    ["send @Client02 hi", "Delivered to Client02.", ["send", "hi", "Client02"]],
    ["constructor of worlds", "Delivered to Client02.", ["send", "constructor of worlds", "all"]],
    ["hello you", "Delivered to Client02.", ["send", "hello you", "all"]],
    ["send quit", "Delivered to Client02.", ["send", "quit", "all"]],
    ["@Client02 hi", "Delivered to Client02.", ["send", "hi", "Client02"]],
    ["token revoke laptop", "laptop is revoked.", ["revokeToken", "laptop"]],
  ])("%p shows %p", async (line, shown, call) => {
    expect(await obey(line)).toMatchObject({ shown, asked: [call], isJson: false });
  });

  test.each([
    ["token add laptop", { name: "laptop", role: "read" }],
    ["TOKEN Add laptop", { name: "laptop", role: "read" }],
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

  test.each(["status", "say", "KICK", "token"])("explains %s at --help, and does nothing else", async (word) => {
    const { shown, asked } = await obey(`${word} --help`);
    expect(shown).toContain(OPERATOR_COMMANDS[word.toLowerCase()]?.usage ?? "?");
    expect(asked).toEqual([]);
  });

  test.each(["exit", "quit"])("leaves the console at %s, and does not stop the server", async (word) => {
    const { operator, asked } = operatorWith({});
    let left = 0;
    await obeyOperator(operator, word, { ...IO, leave: () => left++ }, async () => {});
    expect([left, asked]).toEqual([1, []]);
    expect((await faultOf(() => obeyOperator(operator, word, IO, async () => {}))).message).toContain("console stop");
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
    ...["@Client02", "say", "hello", "constructor", "stop now", "exit", "exit now, thanks"],
  ])("%p is refused, and asks the server for nothing", async (line) => {
    const { operator, asked } = operatorWith({});
    expect(await codeOf(() => obeyOperator(operator, line, IO, async () => {}))).toBe("USAGE");
    expect(asked).toEqual([]);
  });
});

describe("a mistyped command", () => {
  const refusal = async (line: string) => {
    const { operator } = operatorWith({});
    return (await faultOf(() => obeyOperator(operator, line, IO, async () => {}))).message;
  };

  test("alone is refused, with the command that was meant and the way to say it", async () => {
    expect(await refusal("drian")).toBe(
      'Unknown command "drian". Did you mean "drain"? To send it to all clients: say drian',
    );
    expect(await refusal("SHUTDOWN")).toBe(
      'Unknown command "SHUTDOWN". Did you mean "stop"? To send it to all clients: say SHUTDOWN',
    );
    expect(await refusal("xyzzy")).toBe(
      'Unknown command "xyzzy". help lists the commands. To send it to all clients: say xyzzy',
    );
  });

  test.each([
    ["tokn add bob", "token add bob"],
    ["drian off", "drain off"],
    ["kickk Client02 too loud", "kick Client02 too loud"],
    ["lank docs/a.pdf", "link docs/a.pdf"],
  ])("with a few words is refused, with the command that may have been meant: %p", async (line, meant) => {
    const { operator, asked } = operatorWith({});
    const { message } = await faultOf(() => obeyOperator(operator, line, IO, async () => {}));
    expect(asked).toEqual([]);
    expect(message).toContain(`Did you mean: ${meant}? To send it to all: say ${line}`);
  });

  test.each(["pick it up at noon, please", "hello all", "stopp at once"])("is not seen in a text: %p", async (line) => {
    expect((await obey(line)).shown).toBe("Delivered to Client02.");
  });
});

describe("--json in a line", () => {
  test.each([
    ["drain --json", { draining: true }],
    ["drain --json off", { draining: false }],
    ["kick Client02 --json", { kicked: "Client02" }],
    ["stop --json", { stopping: true }],
    ["say --json hello", { delivered: ["Client02"], failed: [] }],
    ["unfinished --json", { unfinished: [] }],
    ["token list --json", { tokens: [{ name: "laptop", role: "read", createdAt: 0, expiresAt: null }] }],
    ["token revoke laptop --json", { name: "laptop", revoked: true }],
    ["token add laptop --json", { name: "laptop", role: "read", token: "laptop:SECRET", invite: "csinvite1_x" }],
    ["version --json", { agent: "commserver-server/1" }],
    ["HELP KICK --json", { commands: [{ usage: "kick NAME [REASON]", description: expect.any(String) }] }],
    ["@Client02 --json hello", { delivered: ["Client02"], failed: [] }],
    ["help --json", { commands: expect.arrayContaining([expect.objectContaining({ usage: "stop" })]) }],
  ])("%p gives facts", async (line, facts) => {
    expect(await obey(line)).toMatchObject({ facts, isJson: true });
  });

  test("is part of a message that ends with it", async () => {
    expect((await obey("say try it with --json")).asked).toEqual([["send", "try it with --json", "all"]]);
  });
});

describe("stop", () => {
  const ask = async (sessions: { name: string; endedAt: number | null }[], taken: number, answer: boolean) => {
    const { operator, asked } = operatorWith({});
    const client = facade(operator.client, { status: (async () => ({ seats: { taken }, sessions })) as never });
    let question: string | undefined;
    const confirmStop = async (connected: string) => {
      question = connected;
      return answer;
    };
    let shown = "";
    await obeyOperator(facade(operator, { client }), "stop", { ...IO, confirmStop }, async ({ text }) => {
      shown = text;
    });
    return { question, shown, asked };
  };
  const here = (name: string) => ({ name, endedAt: null });

  test("asks when clients are connected, and stops only at yes", async () => {
    const sessions = [here("Client03"), { name: "Client02", endedAt: 5 }, here("Client01")];
    expect(await ask(sessions, 2, false)).toEqual({
      question: "Client01 and Client03 are connected.",
      shown: "The server runs on.",
      asked: [],
    });
    expect(await ask(sessions, 2, true)).toMatchObject({ shown: "The server stops.", asked: [["quit"]] });
  });

  test("does not ask when nobody is connected", async () => {
    expect(await ask([], 0, false)).toEqual({ question: undefined, shown: "The server stops.", asked: [["quit"]] });
  });

  test.each([
    [[here("Client01")], 1, "Client01 is connected."],
    [["4", "3", "2", "1"].map((end) => here(`Client0${end}`)), 4, "4 clients are connected."],
    [["3", "2", "1"].map((end) => here(`Client0${end}`)), 3, "Client01, Client02 and Client03 are connected."],
    [[], 1, "1 client is connected."],
  ])("names a few of them: %p", async (sessions, taken, question) => {
    expect((await ask(sessions, taken, false)).question).toBe(question);
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

  test.each(["token list", "token revoke laptop", "kick Client02", "hello you"])(
    "of %p changes nothing more",
    async (line) => {
      const { operator, asked } = operatorWith({});
      expect(await codeOf(() => obeyOperator(operator, line, IO, broken))).toBe("OUTPUT_CLOSED");
      expect(asked.length).toBeLessThanOrEqual(1);
    },
  );
});
