import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { linkSync, mkdirSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { fetchStatus } from "../../lib/cli/client/status-command.ts";
import type { Client } from "../../lib/client/client.ts";
import type { Change } from "../../lib/protocol/methods.ts";
import { Ledger } from "../../lib/server/ledger.ts";
import { ledgerFile } from "../../lib/state/state-dir.ts";
import { AbuseSite, isFull } from "../support/abuse/site.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { until } from "../support/until.ts";

const FOLDERS = isFull ? 200 : 20;
const FILES = isFull ? 1_000 : 200;
const LARGE_BYTES = (isFull ? 512 : 8) * 1024 * 1024;
const ROWS = isFull ? 1_000_000 : 20_000;
/** Of them, what is asked for at once. */
const ASKED = ROWS / 10;
const PATIENCE_MS = isFull ? 600_000 : undefined;

/** A folder with so many folders of so many files. Hard links to a few: those are made ten times as fast as files. */
function fill(top: string): void {
  mkdirSync(top, { recursive: true });
  for (let index = 0; index < FOLDERS; index++) {
    mkdirSync(`${top}/folder${index}`);
    writeFileSync(`${top}/folder${index}/file0`, "");
    for (let file = 1; file < FILES; file++)
      linkSync(`${top}/folder${index}/file0`, `${top}/folder${index}/file${file}`);
  }
}

/** A state folder whose ledger has ROWS sessions that are over. */
function fillLedger(stateDir: string): void {
  const file = ledgerFile(stateDir);
  Ledger.open(file).close();
  const database = new Database(file);
  database.run(
    `INSERT INTO sessions (address, startedAt, seenAt, endedAt, reason)
     WITH RECURSIVE row (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM row LIMIT ?)
     SELECT '192.0.2.7:' || number % 65536, number, number, number, 'exit' FROM row`,
    [ROWS],
  );
  database.close();
}

const has = (changes: readonly Change[], change: Change["change"], path: string) =>
  changes.some((one) => one.change === change && "path" in one && one.path === path);

describe.skipIf(process.platform !== "linux")("beside a storm an honest client talks on", () => {
  let site: AbuseSite;
  let operator: Client;

  beforeAll(async () => {
    site = await AbuseSite.open("plain", ["--max-clients", "64", "--max-lists", "1000", "--writable"]);
    operator = await site.operator();
    fill(`${site.repository}/big`);
  }, PATIENCE_MS);

  afterAll(async () => {
    await operator.close();
    await site[Symbol.asyncDispose]();
  });

  /** What somebody is told who watches everything, from the moment on that this resolves. */
  async function watched(): Promise<Change[]> {
    const changes: Change[] = [];
    const client = await site.client();
    void (async () => {
      for await (const change of client.watch()) changes.push(change);
    })().catch(() => {}); // ends with the server
    for (let round = 0; changes.length === 0; round++) {
      writeFileSync(`${site.repository}/probe`, `${round}`);
      await Bun.sleep(20);
    }
    return changes;
  }

  test(
    "watch-storm: a big folder is renamed twice, and told by its name alone",
    async () => {
      const changes = await watched();
      await site.beside("watch-storm", async () => {
        await operator.rename("big", "big2", false);
        await until(() => has(changes, "added", "big2"));
        await operator.rename("big2", "big", false);
        await until(() => has(changes, "added", "big"));
      });
      // What another test has removed may be told late.
      const told = changes.flatMap((one) =>
        "path" in one && one.path.startsWith("big") ? [`${one.change} ${one.path}`] : [],
      );
      expect(told).toEqual(["removed big", "added big2", "removed big2", "added big"]);
    },
    PATIENCE_MS,
  );

  test(
    "mv: it is moved out and in again beside the server",
    async () => {
      const changes = await watched();
      await site.beside("mv beside the server", async () => {
        renameSync(`${site.repository}/big`, site.folder("outside"));
        await until(() => has(changes, "removed", "big"));
        renameSync(site.folder("outside"), `${site.repository}/back`);
        await until(() => has(changes, "added", "back"));
      });
      renameSync(`${site.repository}/back`, `${site.repository}/big`);
      // Not the next test's to be told.
      await until(() => has(changes, "added", "big"));
      expect(changes.filter((one) => "path" in one && /^(big|back)\//.test(one.path))).toEqual([]);
    },
    PATIENCE_MS,
  );

  test(
    "cp -r and rm -r: a big folder is made and removed beside the server",
    async () => {
      const changes = await watched();
      await site.beside("cp -r beside the server", async () => {
        expect(await Bun.spawn(["cp", "-r", `${site.repository}/big`, `${site.repository}/copy`]).exited).toBe(0);
      });
      await site.beside("rm -r beside the server", async () => {
        expect(await Bun.spawn(["rm", "-r", `${site.repository}/copy`]).exited).toBe(0);
        await until(() => has(changes, "removed", "copy") || changes.some(({ change }) => change === "missed"));
      });
    },
    PATIENCE_MS,
  );

  test(
    "list and digest: a session lists the whole tree, and reads large files, many times at once",
    async () => {
      const client = await site.client();
      await site.beside("16 lists", async () => {
        const lists = Array.from({ length: 16 }, async () => {
          let count = 0;
          for await (const batch of client.listBatches("big")) count += batch.length;
          return count;
        });
        expect(new Set(await Promise.all(lists))).toEqual(new Set([FOLDERS * (FILES + 1)]));
      });
      const files = Array.from({ length: 16 }, (_, index) => `large${index}`);
      for (const file of files) {
        writeFileSync(`${site.repository}/${file}`, file);
        truncateSync(`${site.repository}/${file}`, LARGE_BYTES);
      }
      await site.beside("16 digests", async () => {
        const digests = await Promise.all(files.map((file) => client.digest(file)));
        expect(new Set(digests.map(({ sha256 }) => sha256)).size).toBe(16);
      });
      for (const file of files) rmSync(`${site.repository}/${file}`);
    },
    PATIENCE_MS,
  );

  test(
    "remove: a session removes the whole tree",
    async () => {
      fill(`${site.repository}/gone`);
      const changes = await watched();
      await site.beside("remove --recursive", () => operator.remove("gone", true));
      await until(() => has(changes, "removed", "gone") || changes.some(({ change }) => change === "missed"));
    },
    PATIENCE_MS,
  );
});

describe.skipIf(process.platform !== "linux")("beside who reads a large ledger an honest client talks on", () => {
  test(
    "status: the newest session many times, and a tenth of all sessions, from several clients at once",
    async () => {
      using state = new TempFolder();
      fillLedger(state.path);
      const args = ["--max-clients", "64", "--max-lists", "1000"];
      await using site = await AbuseSite.open("plain", args, { stateDir: state.path });
      const clients = await Promise.all(Array.from({ length: 8 }, () => site.client()));
      await site.beside(`status of ${ROWS} sessions, 8 × 100 times`, async () => {
        const totals = clients.map(async (client) => {
          for (let round = 1; round < 100; round++) await client.status({ limit: 1 });
          return (await client.status({ limit: 1 })).total;
        });
        for (const total of await Promise.all(totals)) expect(total).toBeGreaterThan(ROWS);
      });
      await site.beside(`status --limit ${ASKED}, 8 at once`, async () => {
        const asked = clients.map(async (client) => (await fetchStatus(client, ASKED)).sessions.length);
        expect(await Promise.all(asked)).toEqual(clients.map(() => ASKED));
      });
    },
    PATIENCE_MS,
  );
});
