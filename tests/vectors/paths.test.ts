/** The paths of PROTOCOL.md against the check of lib, and against a server's answers. */
import { describe, expect, test } from "bun:test";
import { pathFault } from "../../lib/path.ts";
import { memoryPair } from "../../lib/transport/memory-transport.ts";
import { codeOf } from "../support/fault.ts";
import { withoutCapability } from "../support/older-client.ts";
import { readTable } from "../support/protocol-page.ts";
import { TestServer } from "../support/test-server.ts";

const rows = readTable("path", "with `names`", "without").map(
  (row) => [(row["path"] as string).slice(1, -1), row["with `names`"] as string, row["without"] as string] as const,
);

describe("the paths of PROTOCOL.md", () => {
  test("are some", () => expect(rows.length).toBeGreaterThan(10));

  test.each(rows)("%p: %s with the capability `names`, %s without it", async (path, withNames, without) => {
    const judge = (fault: string | undefined) => (fault === undefined ? "taken" : "BAD_PATH");
    expect([judge(pathFault(path)), judge(pathFault(path, "plain"))]).toEqual([withNames, without]);

    await using server = new TestServer();
    server.storage.set(path, new Uint8Array(1));
    const [ours, theirs] = memoryPair({ a: "server", b: "memory" });
    server.server.accept(ours, "read");
    const older = await server.clientOver(withoutCapability(theirs, "names"));
    const answers: string[] = [];
    for (const client of [await server.client(), older])
      answers.push(
        await client.stat(path).then(
          () => "taken",
          ({ code }) => code,
        ),
      );
    expect(answers).toEqual([withNames, without]);
    expect(await codeOf(() => older.stat("none"))).toBe("NOT_FOUND");
  });
});
