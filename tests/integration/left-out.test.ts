/** What a list leaves out, over the wire; and what has gone between a list and the transfer. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync } from "node:fs";
import type { Client } from "../../lib/client/client.ts";
import type { TransferItem, UploadItem } from "../../lib/client/transfer.ts";
import { Upload } from "../../lib/client/upload.ts";
import { ERRORS } from "../../lib/errors.ts";
import { type ListTrailer, MAX_LEFT_OUT, MAX_LEFT_OUT_NAME } from "../../lib/protocol/methods.ts";
import { digest64 } from "../../lib/storage/digest64.ts";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import { writeTree } from "../support/repository.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { TestServer } from "../support/test-server.ts";
import { fetchAll, hastyClock } from "../support/transfers.ts";
import { noPermissionTests, permissionTest, unprivileged } from "../support/unprivileged.ts";

let folder: TempFolder;
let server: TestServer;
let client: Client;

beforeEach(async () => {
  folder = new TempFolder();
  mkdirSync(folder.join("repo"));
  mkdirSync(folder.join("here"));
  server = new TestServer({ storage: await LocalStorage.at(folder.join("repo")), writable: true });
  client = await server.client();
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

async function trailerOf(glob?: string): Promise<ListTrailer> {
  const list = client.listBatches(glob);
  for (;;) {
    const step = await list.next();
    if (step.done) return step.value;
  }
}

describe("the end of a list", () => {
  test("has no member more when nothing is left out", async () => {
    writeTree(folder.join("repo"), { a: "a" });
    expect(await trailerOf()).toEqual({ entries: 1, skipped: 0 });
  });

  test("tells names that are no paths", async () => {
    writeTree(folder.join("repo"), { "d/a\nb": "a", "d/ok": "b" });
    const leftOut = [{ name: "d/a\nb", code: ERRORS.BAD_PATH.wire }];
    expect(await trailerOf()).toEqual({ entries: 2, skipped: 1, unreadable: 0, leftOut });
    expect(await trailerOf("d/*")).toMatchObject({ skipped: 1, leftOut });
    expect(await trailerOf("d/o*")).toEqual({ entries: 1, skipped: 0 });
  });

  test("counts all and names the first, however many and long they are", async () => {
    const names = Array.from({ length: MAX_LEFT_OUT + 50 }, (_, at) => `${"\n".repeat(200)}${at}`);
    writeTree(folder.join("repo"), Object.fromEntries(names.map((name) => [`${"d".repeat(200)}/${name}`, ""])));
    const { skipped, leftOut = [] } = await trailerOf();
    expect(skipped).toBe(names.length);
    expect(leftOut.length).toBeLessThanOrEqual(MAX_LEFT_OUT);
    expect(leftOut.length).toBeGreaterThan(20);
    for (const { name } of leftOut) expect(name.length).toBeLessThanOrEqual(MAX_LEFT_OUT_NAME);
  });

  test("says nothing of a state folder, whatever its name is", async () => {
    writeTree(folder.join("repo"), { "st\nate/.commserver-state": "", "st\nate/tokens.json": "" });
    expect(await trailerOf()).toEqual({ entries: 0, skipped: 0 });
  });

  test.skipIf(noPermissionTests !== undefined)(permissionTest("tells folders that may not be read"), async () => {
    writeTree(folder.join("repo"), { "closed/a": "a", "open/b": "b" });
    chmodSync(folder.join("repo/closed"), 0);
    const trailer = await unprivileged(folder.path, () => trailerOf());
    chmodSync(folder.join("repo/closed"), 0o755);
    const leftOut = [{ name: "closed", code: ERRORS.UNREADABLE.wire }];
    expect(trailer).toEqual({ entries: 3, skipped: 1, unreadable: 1, leftOut });
  });
});

describe("a file that has gone since it was found", () => {
  const item = (from: string, isFound: boolean): TransferItem => ({
    from,
    to: from,
    kind: "file",
    size: 1,
    modifiedAt: 0,
    isFound,
  });

  test.each([true, false])(
    "is told as gone by a get, and is a failure when it was named (found: %p)",
    async (isFound) => {
      writeTree(folder.join("repo"), { stays: "x" });
      const gone: string[] = [];
      const told = await fetchAll(client, await LocalStorage.ofUser(folder.join("here")), {
        items: async function* () {
          yield [item("went", isFound), item("stays", isFound)];
        },
        onGone: (each: TransferItem) => gone.push(each.from),
      });
      expect({ gone, failed: told.codes, paths: told.paths }).toEqual(
        isFound
          ? { gone: ["went"], failed: [], paths: ["stays"] }
          : { gone: [], failed: ["NOT_FOUND"], paths: ["stays"] },
      );
    },
  );

  test("is reported as gone by a put", async () => {
    writeTree(folder.join("here"), { stays: "x" });
    const local = await LocalStorage.ofUser(folder.join("here"));
    const told: string[] = [];
    const items = async function* (): AsyncGenerator<UploadItem[]> {
      yield ["went", "stays"].map((name) => ({ ...item(name, true), local }));
    };
    const upload = new Upload(items(), {
      exists: "fail",
      clock: hastyClock,
      digest64,
      onDone: (_, outcome, path) => told.push(`${path}: ${outcome}`),
      onFailed: ({ from }, { code }) => told.push(`${from}: ${code}`),
      onGone: ({ from }) => told.push(`${from}: gone`),
    });
    await upload.run(client);
    expect(told.sort()).toEqual(["stays: stored", "went: gone"]);
  });
});
