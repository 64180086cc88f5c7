import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { Ledger } from "../../../lib/server/ledger.ts";
import { codeOf, faultOf } from "../../support/fault.ts";
import { inLedgerProcess, ledgerCommand } from "../../support/ledger-process.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { noPermissionTests, permissionTest, unprivileged } from "../../support/unprivileged.ts";

/** Open and close, for the fault alone. */
const openFault = (file: string) => faultOf(() => Ledger.open(file).close());

test("a ledger is closed to others, with what SQLite makes beside it, also one that was open to them", () => {
  using folder = new TempFolder();
  const file = folder.join("ledger.sqlite");
  const others = () =>
    readdirSync(folder.path).map((name) => ({ name, rights: statSync(folder.join(name)).mode & 0o077 }));
  for (let run = 1; run <= 2; run++) {
    const ledger = Ledger.open(file);
    ledger.begin("192.0.2.1:1", 1);
    const modes = others();
    expect(modes.length).toBeGreaterThan(1);
    expect(modes).toEqual(modes.map(({ name }) => ({ name, rights: 0 })));
    ledger.close();
    chmodSync(file, 0o644);
  }
});

describe("a ledger that is in use", () => {
  test("is STATE_IN_USE to a second opener in this process, and the first goes on", async () => {
    using folder = new TempFolder();
    const file = folder.join("ledger.sqlite");
    const first = Ledger.open(file);
    first.begin("a", 1);
    const fault = await openFault(file);
    expect(fault.code).toBe("STATE_IN_USE");
    expect(fault.message).toContain(file);
    expect(first.begin("b", 2).name).toBe("Client02");
    expect(first.total()).toBe(2);
    first.close();
  });

  test("is STATE_IN_USE to a second process until the first is gone, also one that was killed", async () => {
    using folder = new TempFolder();
    const file = folder.join("ledger.sqlite");
    await using holder = Bun.spawn(ledgerCommand(file, `console.log("open"); setInterval(() => {}, 1e6);`), {
      stderr: "pipe",
    });
    const { value } = await holder.stdout.getReader().read();
    expect(Buffer.from(value ?? []).toString()).toBe("open\n");
    expect(await codeOf(() => Ledger.open(file))).toBe("STATE_IN_USE");
    const refused = await inLedgerProcess(file, "").catch((error: Error) => error.message);
    expect(refused).toContain("Another server uses the ledger");
    holder.kill("SIGKILL");
    await holder.exited;
    const next = Ledger.open(file);
    expect(next.begin("a", 1).name).toBe("Client01");
    next.close();
  });

  test("is free for the next opener when close() returns", async () => {
    using folder = new TempFolder();
    const file = folder.join("ledger.sqlite");
    for (const name of ["Client01", "Client02", "Client03"]) {
      const ledger = Ledger.open(file);
      expect(ledger.begin("a", 1).name).toBe(name);
      ledger.page(100, 100);
      ledger.close();
    }
  });
});

describe("a damaged ledger", () => {
  /** A sound ledger with some hundred rows, closed, as bytes. */
  async function soundLedger(folder: TempFolder): Promise<Buffer> {
    const file = folder.join("sound.sqlite");
    await inLedgerProcess(file, `for (let i = 0; i < 500; i++) ledger.begin("x".repeat(40), 1);`);
    // Moves the log into the file, which is then all there is.
    new Database(file).run("PRAGMA journal_mode = DELETE");
    return readFileSync(file);
  }

  test.each([
    ["text", () => Buffer.from("this is not a database at all ".repeat(100))],
    ["the beginning of one", () => Buffer.from("SQLite format 3\0")],
    ["one with pages overwritten", (sound: Buffer) => Buffer.from(sound).fill(0xab, 100)],
    ["one that was cut off", (sound: Buffer) => sound.subarray(0, 8192)],
  ])("is DISK_FAILED and stays as it is: %s", async (_, damage) => {
    using folder = new TempFolder();
    const file = folder.join("ledger.sqlite");
    const content = damage(await soundLedger(folder));
    writeFileSync(file, content);
    const fault = await openFault(file);
    expect(fault.code).toBe("DISK_FAILED");
    expect(fault.message).toContain(file);
    expect(fault.message).toContain("damaged: move it away");
    expect(readFileSync(file).equals(content)).toBe(true);
  });

  test("is DISK_FAILED when it is another program's database", async () => {
    using folder = new TempFolder();
    const other = new Database(folder.join("other.sqlite"));
    other.run("CREATE TABLE sessions (id INTEGER PRIMARY KEY)");
    other.close();
    expect((await openFault(folder.join("other.sqlite"))).code).toBe("DISK_FAILED");
  });

  test("is NEWER_STATE when a newer program has written it, and stays as it is", async () => {
    using folder = new TempFolder();
    const file = folder.join("ledger.sqlite");
    writeFileSync(file, await soundLedger(folder));
    const newer = new Database(file);
    newer.run("PRAGMA user_version = 2");
    newer.close();
    const before = readFileSync(file);
    expect(await openFault(file)).toMatchObject({ code: "NEWER_STATE" });
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  test("an empty file is none: it becomes a ledger", () => {
    using folder = new TempFolder();
    writeFileSync(folder.join("empty"), "");
    const ledger = Ledger.open(folder.join("empty"));
    expect(ledger.begin("a", 1).name).toBe("Client01");
    ledger.close();
  });

  test("one in memory leaves no file of that name", () => {
    Ledger.open(":memory:").close();
    expect(existsSync(":memory:")).toBe(false);
  });

  test("begin(), checkpoint() and end() after close() are DISK_FAILED, no crash", async () => {
    const ledger = Ledger.open(":memory:");
    ledger.close();
    const none = { bytesIn: 0, bytesOut: 0, messagesIn: 0, messagesOut: 0 };
    expect(await codeOf(() => ledger.begin("a", 1))).toBe("DISK_FAILED");
    expect(await codeOf(() => ledger.checkpoint([{ id: 1, ...none }], 1))).toBe("DISK_FAILED");
    expect(await codeOf(() => ledger.end(1, none, 1, "exit"))).toBe("DISK_FAILED");
  });
});

describe("a place where no ledger can be", () => {
  test("is DISK_DENIED: a missing folder, a folder, below a file", async () => {
    using folder = new TempFolder();
    mkdirSync(folder.join("folder"));
    writeFileSync(folder.join("file"), "x");
    for (const name of ["missing/ledger.sqlite", "folder", "file/ledger.sqlite"]) {
      expect((await openFault(folder.join(name))).code).toBe("DISK_DENIED");
    }
  });

  test.skipIf(noPermissionTests !== undefined)(
    permissionTest("is DISK_DENIED: a folder that may not be written"),
    async () => {
      using folder = new TempFolder();
      mkdirSync(folder.join("read-only"), { mode: 0o555 });
      await unprivileged(folder.path, async () => {
        expect((await openFault(folder.join("read-only/ledger.sqlite"))).code).toBe("DISK_DENIED");
      });
    },
  );

  test.skipIf(noPermissionTests !== undefined)(
    permissionTest("is DISK_DENIED: a ledger that may only be read"),
    async () => {
      using folder = new TempFolder();
      const file = folder.join("ledger.sqlite");
      await inLedgerProcess(file, `ledger.begin("a", 1);`);
      copyFileSync(file, folder.join("copy.sqlite"));
      chmodSync(folder.join("copy.sqlite"), 0o444);
      await unprivileged(folder.path, async () => {
        expect((await openFault(folder.join("copy.sqlite"))).code).toBe("DISK_DENIED");
      });
    },
  );
});
