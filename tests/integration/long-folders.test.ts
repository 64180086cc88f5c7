import { describe, expect, test } from "bun:test";
import type { Client } from "../../lib/client/client.ts";
import { planFetch } from "../../lib/client/fetch-plan.ts";
import { MAX_PATH_BYTES } from "../../lib/path.ts";
import { MemoryStorage } from "../../lib/storage/memory-storage.ts";
import { TestServer } from "../support/test-server.ts";
import { fetchAll } from "../support/transfers.ts";
import { until } from "../support/until.ts";

/** A folder whose path is longer than any pattern or message may be, and almost as long as a path may be. */
const FOLDER = Array.from({ length: 20 }, () => "d".repeat(200)).join("/");
const FILE = `${FOLDER}/a`;

/** A server with one file in that folder, and a client of it. */
async function site() {
  const server = new TestServer();
  server.storage.set(FILE, Buffer.from("abc"), 5);
  return { server, client: await server.client(), [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

describe.each([
  ["named as a pattern could be", FOLDER],
  ["named as a path", { path: FOLDER }],
] as const)("a folder whose path has 4,019 bytes, %s", (_, asked) => {
  test("can be listed", async () => {
    expect(FOLDER.length).toBeGreaterThan(4_000);
    expect(FILE.length).toBeLessThan(MAX_PATH_BYTES);
    await using ways = await site();
    expect(await Array.fromAsync(ways.client.list(asked))).toMatchObject([{ path: FILE, size: 3 }]);
  });

  test("can be watched", async () => {
    await using ways = await site();
    const { server, client } = ways;
    const changes = client.watch(asked);
    const first = changes.next();
    let told: Awaited<typeof first> | undefined;
    void first.then((change) => {
      told = change;
    });
    let at = 0;
    // Nobody hears when the watch begins: so something changes until it is told.
    const { value } = await until(() => {
      server.storage.set(`${FOLDER}/b${at++}`, Buffer.from("x"), 5);
      return told;
    });
    expect(value).toMatchObject({ path: expect.stringMatching(/\/b\d+$/) });
    await changes.return();
  });
});

test("a folder with such a path can be fetched, with what is in it", async () => {
  await using ways = await site();
  const failed: string[] = [];
  const items = (client: Client) =>
    planFetch(client, {
      sources: [FOLDER],
      naming: { into: "" },
      signal: new AbortController().signal,
      onPlanned: () => {},
      onFailed: (_, { code }) => failed.push(code),
      onLeftOut: () => {},
    });
  const local = new MemoryStorage();
  const told = await fetchAll(ways.client, local, { items });
  expect([failed, told.failed]).toEqual([[], []]);
  expect(told.paths).toContain(`${"d".repeat(200)}/a`);
});
