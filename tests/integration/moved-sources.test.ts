/** Sources that change after they were planned stay. */
import { expect, test } from "bun:test";
import { appendFileSync, existsSync, statSync, writeFileSync } from "node:fs";
import { DiskSources } from "../../lib/cli/client/local-sources.ts";
import { localSources, remoteSources } from "../../lib/cli/client/moved-sources.ts";
import type { TransferView } from "../../lib/cli/client/transfer-view.ts";
import { Connection } from "../../lib/client/connection.ts";
import { systemClock } from "../../lib/session/clock.ts";
import { PrivatePlaces } from "../../lib/storage/local/private/private-places.ts";
import { codeOf } from "../support/fault.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { TestServer } from "../support/test-server.ts";

const view = {} as TransferView;
const done = { outcome: "stored", path: "a", size: 5 } as const;

function connectionTo(server: TestServer): Promise<Connection> {
  return Connection.open({ clock: systemClock, reconnectMs: 0, random: () => 0, connect: () => server.client() });
}

test("a local file that was written to after it was planned stays, with its time", async () => {
  await using server = new TestServer();
  using folder = new TempFolder();
  server.storage.set("a", Buffer.from("alpha"));
  const place = folder.join("a");
  writeFileSync(place, "alpha");
  const here = new DiskSources(new PrivatePlaces());
  const local = await (await here.find(place)).open();
  const { path, size, modifiedAt } = await local.stat("a");
  const item = { from: path, to: "a", kind: "file", size, modifiedAt, local } as const;
  const sources = localSources(await connectionTo(server), here, view);
  appendFileSync(place, "!");
  const { mtimeMs } = statSync(place);
  expect(await codeOf(() => sources.removeFile(item, done))).toBe("CHANGED");
  expect(statSync(place).mtimeMs).toBe(mtimeMs);
  const now = await local.stat("a");
  await sources.removeFile({ ...item, size: now.size, modifiedAt: now.modifiedAt }, done);
  expect(existsSync(place)).toBe(false);
});

test("a file of the repository that was replaced after it was planned stays", async () => {
  await using server = new TestServer();
  using folder = new TempFolder();
  server.storage.set("a", Buffer.from("alpha"));
  writeFileSync(folder.join("a"), "alpha");
  const connection = await connectionTo(server);
  const { size, modifiedAt } = await connection.client.stat("a");
  const item = { from: "a", to: "a", kind: "file", size, modifiedAt } as const;
  const sources = remoteSources(connection, (path) => folder.join(path), view);
  server.storage.set("a", Buffer.from("another"));
  expect(await codeOf(() => sources.removeFile(item, done))).toBe("CHANGED");
  expect((await connection.client.stat("a")).size).toBe("another".length);
  const now = await connection.client.stat("a");
  await sources.removeFile({ ...item, size: now.size, modifiedAt: now.modifiedAt }, done);
  expect(await codeOf(() => connection.client.stat("a"))).toBe("NOT_FOUND");
  expect(existsSync(folder.join("a"))).toBe(true);
});
