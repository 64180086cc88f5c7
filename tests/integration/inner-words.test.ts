/** What fails inside a server is its operator's to read; a peer learns that it failed. */
import { expect, test } from "bun:test";
import { StorageError } from "../../lib/errors.ts";
import { MemoryStorage } from "../../lib/storage/memory-storage.ts";
import { faultOf } from "../support/fault.ts";
import { TestServer } from "../support/test-server.ts";
import { fetchAll, sendAll } from "../support/transfers.ts";

const SECRET = "/srv/private/key.pem";
const CAUSE = "while the vault was read";

const DEFECTS: [string, () => Error][] = [
  ["a defect", () => new TypeError(`undefined is not ${SECRET}`, { cause: new Error(CAUSE) })],
  ["a disk that fails", () => new StorageError("DISK_FAILED", `EIO at ${SECRET}`, { cause: new Error(CAUSE) })],
];

test.each(DEFECTS)("%s is reported to a peer without its message, and to the operator with it", async (_, make) => {
  await using server = new TestServer();
  const client = await server.client();
  const { storage } = server;
  storage.set("a", Buffer.from("abc"));
  const fail = () => {
    throw make();
  };
  Object.assign(storage, { load: fail, open: fail, store: fail, remove: fail, rename: fail });
  const faults: { code: string; message: string }[] = [
    await faultOf(() => client.digest("a")),
    await faultOf(() => client.remove("a", false)),
    await faultOf(() => client.rename("a", "b", false)),
  ];
  const tree = new MemoryStorage();
  tree.set("new", Buffer.from("abc"));
  faults.push(...(await sendAll(client, tree)).failed);
  faults.push(...(await fetchAll(client, new MemoryStorage())).failed);
  expect(faults).toHaveLength(5);
  for (const { code, message } of faults) {
    expect(code).toBe("INTERNAL");
    expect(message).not.toContain(SECRET);
    expect(message).not.toContain(CAUSE);
  }
  const told = server.events.flatMap((event) => (event.event === "failed" ? [event.message] : []));
  expect(told[0]).toContain(SECRET);
});
