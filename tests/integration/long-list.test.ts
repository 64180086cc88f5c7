import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { TestServer } from "../support/test-server.ts";

test("a long list gives others their turn: a message is answered in the middle of it", async () => {
  using folder = new TempFolder();
  for (let index = 0; index < 20_000; index++) writeFileSync(folder.join(`${index}`), "");
  await using server = new TestServer({ storage: await LocalStorage.at(folder.path) });
  const [lister, other] = [await server.tcpClient(), await server.tcpClient()];
  let listed = 0;
  let seen = -1;
  const list = (async () => {
    for await (const batch of lister.listBatches()) {
      if (listed === 0) void other.send("hello").then(() => (seen = listed));
      listed += batch.length;
    }
  })();
  await list;
  expect(listed).toBe(20_000);
  expect(seen).toBeGreaterThan(0);
  expect(seen).toBeLessThan(20_000);
});
