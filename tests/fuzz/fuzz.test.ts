import { describe, expect, test } from "bun:test";
import type { Conversation } from "./conversation.ts";
import { loadCorpus } from "./corpus.ts";
import { parseConversation } from "./corpus-format.ts";
import { printConversation } from "./corpus-print.ts";
import { Findings } from "./finding.ts";
import { Fuzzer } from "./fuzzer.ts";
import { MANNER_NAMES } from "./targets/manners.ts";
import { openTarget, type TargetName } from "./targets/targets.ts";

const corpus = loadCorpus();
const NONE = { decoder: 0, memory: 0, client: 0, socket: 0, web: 0 };
/** Which target a conversation of the corpus is for. */
const TARGET_OF = { client: "memory", server: "client", web: "web" } as const;

/** Fuzz one target; fails with the seed and the smallest conversation. */
async function fuzz(target: TargetName, cases: number): Promise<Fuzzer> {
  const seed = Math.floor(Math.random() * 2 ** 32);
  const fuzzer = new Fuzzer({ seed, cases: { ...NONE, [target]: cases } });
  await fuzzer.run();
  return fuzzer;
}

function told({ discoveries, seed }: Fuzzer): string[] {
  return discoveries.map(({ target, number, oracle, detail, conversation }) =>
    printConversation(conversation, [`${oracle}: ${detail}`, `--seed ${seed} --target ${target}, case ${number}`]),
  );
}

describe("the corpus", () => {
  test("has every opcode and every method", () => {
    const text = corpus.map((conversation) => printConversation(conversation)).join("\n");
    for (const method of [
      "status",
      "list",
      "stat",
      "get",
      "put",
      "remove",
      "rename",
      "digest",
      "watch",
      "message",
      "kick",
      "drain",
    ]) {
      expect(text).toContain(`"method":"${method}"`);
    }
    for (const opcode of [
      "HELLO",
      "WELCOME",
      "REFUSE",
      "QUEUED",
      "PING",
      "PONG",
      "GOAWAY",
      "AUTH",
      "OPEN",
      "ACCEPT",
      "DATA",
      "CREDIT",
      "END",
      "RESET",
    ]) {
      expect(text).toMatch(new RegExp(`^\\d*> ${opcode}\\b`, "m"));
    }
  });

  test("has a server for every manner of going on for ever", () => {
    expect(corpus.flatMap(({ then }) => (then === undefined ? [] : [then]))).toEqual(
      expect.arrayContaining([...MANNER_NAMES]),
    );
  });

  test.each(corpus.map((conversation) => [conversation.name, conversation] as const))(
    "%s is written as it is read",
    (name, conversation) => {
      const text = printConversation(conversation);
      expect(printConversation(parseConversation(name, text))).toBe(text);
    },
  );

  /** Play conversations one after the other on one site, and tell what was found at each. */
  async function answersOf(target: TargetName, conversations: readonly Conversation[]): Promise<unknown[]> {
    const findings = new Findings();
    const found: unknown[] = [];
    const site = await openTarget(target, { findings, seats: conversations[0]?.seats ?? 0, count() {} });
    for (const conversation of conversations) {
      await site.run([conversation], true);
      await site.checkHonest();
      found.push(...findings.take().map((finding) => ({ name: conversation.name, ...finding })));
    }
    await site[Symbol.asyncDispose]();
    return [...found, ...findings.take()];
  }

  test.each(corpus.map((conversation) => [conversation.name, conversation] as const))(
    "%s gets its answers",
    async (_, conversation) => {
      expect(await answersOf(TARGET_OF[conversation.plays], [conversation])).toEqual([]);
    },
  );

  test.each([1, 8])("gets its answers over sockets, with %i seats", async (seats) => {
    const fitting = corpus.filter((conversation) => conversation.plays === "client" && conversation.seats === seats);
    expect(fitting).not.toEqual([]);
    expect(await answersOf("socket", fitting)).toEqual([]);
  });
});

describe("mutated conversations", () => {
  test.each([
    ["decoder", 3_000],
    ["memory", 1_500],
    ["client", 1_000],
    ["socket", 300],
    ["web", 400],
  ] as const)(
    "bring the %s to nothing that it must not do",
    async (target, cases) => {
      const fuzzer = await fuzz(target, cases);
      expect(told(fuzzer)).toEqual([]);
      expect([...fuzzer.answers.keys()].length).toBeGreaterThan(5);
    },
    60_000,
  );

  test("are the same for the same seed", async () => {
    const answers = async () => {
      const fuzzer = new Fuzzer({ seed: 7, cases: { ...NONE, decoder: 200, client: 100 } });
      await fuzzer.run();
      return [...fuzzer.answers];
    };
    expect(await answers()).toEqual(await answers());
  });
});
