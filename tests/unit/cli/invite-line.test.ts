import { describe, expect, test } from "bun:test";
import { describeCode, forgetCode, runInviteLine } from "../../../lib/cli/server/invite-line.ts";
import { UsageError } from "../../../lib/cli/usage-error.ts";
import type { Operator } from "../../../lib/client/operator.ts";

const MADE = {
  code: "385-061-7726",
  endsAt: 1_700_000_000_000,
  address: "192.0.2.17:5050",
  isPlaintext: false,
  isAnnounced: false,
};

async function run(line: string) {
  const asked: unknown[] = [];
  const operator = {
    issueCode: async (params: object) => {
      asked.push(params);
      return MADE;
    },
  } as unknown as Operator;
  return { asked, ...(await runInviteLine(operator, line)) };
}

test.each([
  ["laptop", { name: "laptop", role: "read" }],
  ["laptop WRITE", { name: "laptop", role: "write" }],
])("the line invite %s makes a code", async (line, params) => {
  const { asked, text, facts } = await run(line);
  expect(asked).toEqual([params]);
  expect(text).toContain("\n  385-061-7726\n");
  expect(facts).toMatchObject({ ...params, ...MADE });
});

test.each(["", "laptop admin", "laptop read now"])("the line invite %s is a mistake", async (line) => {
  await expect(run(line)).rejects.toBeInstanceOf(UsageError);
});

describe("the command to type on the other machine", () => {
  const shown = (made: Partial<typeof MADE>) => describeCode({ ...MADE, ...made }, { name: "laptop", role: "read" });

  test("names the server", () => {
    expect(shown({})).toContain("\n  commserver-client join 385-061-7726 --server 192.0.2.17:5050\n");
  });

  test("is also shown without it, if the server announces itself", () => {
    expect(shown({ isAnnounced: true })).toContain("\n  commserver-client join 385-061-7726\n");
    expect(shown({ isAnnounced: true })).toContain(" --server 192.0.2.17:5050\n");
  });

  test("says that nothing is encrypted where it is so", () => {
    expect(shown({ isPlaintext: true })).toContain(" --server 192.0.2.17:5050 --plaintext\n");
  });

  test("and all of it fit into 80 columns; the code alone fits anywhere", () => {
    for (const line of shown({ isAnnounced: true }).split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });

  test("holds nothing that a terminal obeys", () => {
    expect(shown({ address: "a\u001b[2J:1", code: "\u001b[2J" })).not.toContain("\u001b");
  });
});

test("a code that could not be shown is ended", async () => {
  const ended: string[] = [];
  const operator = { revokeToken: async (name: string) => void ended.push(name) };
  await expect(forgetCode(operator, { name: "laptop" }, new Error("full"))).rejects.toMatchObject({
    code: "DISK_FAILED",
    message: 'The code for "laptop" could not be shown: full It was revoked.',
  });
  expect(ended).toEqual(["laptop"]);
});
