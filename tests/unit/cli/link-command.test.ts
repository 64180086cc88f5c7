import { expect, test } from "bun:test";
import { formatLinks, runLinkLine } from "../../../lib/cli/server/link-command.ts";
import { UsageError } from "../../../lib/cli/usage-error.ts";
import type { Operator } from "../../../lib/client/operator.ts";

const LINK = { name: "0123abcd", expiresAt: 1_700_000_000_000, url: "https://192.0.2.1:5050/link/x/a" };

/** Runs the line, and tells what was asked of the server. */
async function run(line: string): Promise<{ asked: unknown[]; text: string }> {
  const asked: unknown[] = [];
  const operator = {
    issueLink: async (params: object) => {
      asked.push(params);
      return LINK;
    },
    revokeLink: async (name: string) => void asked.push(`revoke ${name}`),
    async *links() {
      asked.push("list");
      yield* [];
    },
  } as unknown as Operator;
  const { text } = await runLinkLine(operator, line, {});
  return { asked, text };
}

test.each([
  ["a.txt", "a.txt"],
  ["a b/c d.txt", "a b/c d.txt"],
  ['"a b.txt"', "a b.txt"],
  ['"a \\" b"', 'a " b'],
  ["./list", "list"],
  ["./revoke 0123abcd", "revoke 0123abcd"],
  ["lists", "lists"],
])("the line link %s makes a link to %s", async (line, path) => {
  const { asked, text } = await run(line);
  expect(asked).toEqual([{ path }]);
  expect(text).toContain(LINK.url);
});

test.each(["a b --expires 2h", "a b --expires=2h", '"a b" --expires 2h'])(
  "the line link %s has an end",
  async (line) => {
    const before = Date.now();
    const [params] = (await run(line)).asked as { path: string; expiresAt: number }[];
    expect(params?.path).toBe("a b");
    expect(params?.expiresAt).toBeWithin(before + 7_200_000, Date.now() + 7_200_001);
  },
);

test("links are listed and revoked", async () => {
  expect(await run("list")).toEqual({ asked: ["list"], text: "There are no links. Make one with: link PATH" });
  expect(await run("revoke 0123abcd")).toEqual({
    asked: ["revoke 0123abcd"],
    text: "The link 0123abcd is revoked.",
  });
  const hostile = [{ name: "0123abcd", path: "a\u001b[2Jb", createdAt: 0, expiresAt: 1 }];
  expect(formatLinks(hostile)).not.toContain("\u001b");
});

test.each(["", "a --expires soon", "../a", "list more", "list --expires 1d", "revoke", "revoke 0123abcd --expires 1d"])(
  "the line link %s is refused in words",
  async (line) => {
    const failed = await run(line).catch((thrown: unknown) => thrown);
    if (line === "../a") expect(failed).toMatchObject({ code: "BAD_PATH" });
    else expect(failed).toBeInstanceOf(UsageError);
  },
);
