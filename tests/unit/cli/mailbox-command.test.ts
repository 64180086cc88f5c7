import { describe, expect, test } from "bun:test";
import { formatMailboxes, runMailboxLine } from "../../../lib/cli/server/mailbox-command.ts";
import { UsageError } from "../../../lib/cli/usage-error.ts";
import type { Operator } from "../../../lib/client/operator.ts";
import type { MailRecord } from "../../../lib/protocol/methods.ts";

const BOB: MailRecord = { name: "bob", messages: 2, bytes: 1_500, oldestAt: Date.parse("2026-11-30T14:22:05") };

/** Runs the line, and tells what was asked of the server. */
async function run(line: string): Promise<{ asked: string[]; text: string; facts: object }> {
  const asked: string[] = [];
  const operator = {
    async *mailboxes() {
      asked.push("list");
      yield BOB;
    },
    clearMailbox: async (name: string) => {
      asked.push(`clear ${name}`);
      return 1;
    },
  } as unknown as Operator;
  return { asked, ...(await runMailboxLine(operator, line, { outColumns: undefined })) };
}

describe("mailbox", () => {
  test.each(["", "list", "LIST"])("with %j lists for whom how much is kept", async (line) => {
    const { asked, text, facts } = await run(line);
    expect(asked).toEqual(["list"]);
    expect(text).toBe("NAME  MESSAGES  SIZE    OLDEST\nbob   2         1.5 KB  2026-11-30 14:22:05");
    expect(facts).toEqual({ mailboxes: [BOB] });
  });

  test("clear removes what is kept for a name", async () => {
    const { asked, text, facts } = await run("clear bob");
    expect([asked, text]).toEqual([["clear bob"], "1 message for bob removed."]);
    expect(facts).toEqual({ name: "bob", messages: 1 });
  });

  test.each(["clear", "clear bob carol", "list bob", "bob"])("with %j is a usage error", async (line) => {
    await expect(run(line)).rejects.toBeInstanceOf(UsageError);
  });

  test("says so when nothing is kept", () => {
    expect(formatMailboxes([])).toBe("No messages are kept.");
  });
});
