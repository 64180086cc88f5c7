import { describe, expect, test } from "bun:test";
import { readdirSync, writeFileSync } from "node:fs";
import { StorageError } from "../../lib/errors.ts";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import type { ExistsPolicy, FileFacts, PartFile } from "../../lib/storage/storage.ts";
import { WrappedStorage } from "../../lib/storage/wrapped.ts";
import { Folders } from "../support/folder-transfer.ts";
import { BLOCK } from "../support/raw-chunks.ts";
import { TestServer } from "../support/test-server.ts";
import { fetchAll, sendAll } from "../support/transfers.ts";

/** A disk that tells only by a write that a file is too large for it: some drivers of FAT. */
class LowDisk extends WrappedStorage {
  readonly #limit: number;

  constructor(inner: LocalStorage, limit: number) {
    super(inner);
    this.#limit = limit;
  }

  override async receive(path: string, facts: FileFacts, exists: ExistsPolicy): Promise<PartFile> {
    const part = await this.inner.receive(path, facts, exists);
    const write = part.write.bind(part);
    part.write = async (offset, bytes, digest) => {
      if (offset + bytes.length > this.#limit) throw new StorageError("TOO_LARGE", `${path} is too large.`);
      return write(offset, bytes, digest);
    };
    return part;
  }
}

describe("a disk that tells in the middle of a file that it is too large", () => {
  test.each(["get", "put"] as const)("fails that file of a %s alone, and keeps nothing of it", async (method) => {
    using folders = new Folders(new Uint8Array(40 * BLOCK));
    for (const name of ["a", "z"]) writeFileSync(`${folders.from}/${name}`, new Uint8Array(2 * BLOCK));
    writeFileSync(`${folders.from}/small`, "small");
    const low = new LowDisk(await LocalStorage.ofUser(folders.to), 3 * BLOCK);
    const source = await LocalStorage.at(folders.from);
    await using server = new TestServer({ storage: method === "get" ? source : low });
    const client = await server.tcpClient();
    const told = method === "get" ? await fetchAll(client, low) : await sendAll(client, source);
    await client.close();
    expect(told.failed).toMatchObject([{ path: "f", code: "TOO_LARGE" }]);
    expect(readdirSync(folders.to).sort()).toEqual(["a", "small", "z"]);
  });
});
