import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { Ledger } from "../../../lib/server/ledger.ts";
import { inLedgerProcess, ledgerCommand, VANISH } from "../../support/ledger-process.ts";
import { TempFolder } from "../../support/temp-folder.ts";

const COUNTERS = "{ bytesIn: 1, bytesOut: 2, messagesIn: 3, messagesOut: 4 }";

function withLedger<T>(file: string, use: (ledger: Ledger) => T): T {
  const ledger = Ledger.open(file);
  try {
    return use(ledger);
  } finally {
    ledger.close();
  }
}

describe("after the server's process is killed", () => {
  test("sessions that lived are closed as crash, at the time they were last seen, with what they had done", async () => {
    using folder = new TempFolder();
    const file = folder.join("ledger.sqlite");
    await inLedgerProcess(
      file,
      `ledger.begin("seen", 1000); ledger.begin("never seen", 2000); ledger.begin("ended", 3000);
       ledger.end(3, ${COUNTERS}, 4000, "exit");
       ledger.checkpoint([{ id: 1, ...${COUNTERS} }], 5000);
       ${VANISH}`,
    );
    const rows = withLedger(file, (ledger) => ledger.page(100, 100));
    expect(rows).toMatchObject([
      { address: "ended", endedAt: 4000, reason: "exit", bytesOut: 2 },
      { address: "never seen", endedAt: 2000, reason: "crash", bytesOut: 0 },
      { address: "seen", endedAt: 5000, reason: "crash", bytesIn: 1, bytesOut: 2, messagesIn: 3, messagesOut: 4 },
    ]);
  });

  test("no name is given again, nor after an orderly end", async () => {
    using folder = new TempFolder();
    const file = folder.join("ledger.sqlite");
    const begin = `console.log(ledger.begin("a", 1).name);`;
    const first = await inLedgerProcess(file, `${begin} ${begin} ${VANISH}`);
    const second = await inLedgerProcess(file, `${begin} ledger.close();`);
    const third = await inLedgerProcess(file, `${begin} ${VANISH}`);
    const names = [first, second, third].flatMap(({ stdout }) => stdout.trim().split("\n"));
    expect(names).toEqual(["Client01", "Client02", "Client03", "Client04"]);
  });

  test("no name is given again when somebody has deleted the newest sessions", async () => {
    using folder = new TempFolder();
    const file = folder.join("ledger.sqlite");
    await inLedgerProcess(file, `for (let i = 0; i < 3; i++) ledger.begin("a", 1); ledger.close();`);
    const database = new Database(file);
    database.run("DELETE FROM sessions WHERE id > 1");
    database.close();
    expect(withLedger(file, (ledger) => ledger.begin("a", 1).name)).toBe("Client04");
  });

  test("every session that was begun is there, whenever the kill comes", async () => {
    using folder = new TempFolder();
    const file = folder.join("ledger.sqlite");
    const named: string[] = [];
    for (const kills of [1, 7, 40, 150]) {
      const forever = `for (;;) { require("fs").writeSync(1, ledger.begin("a", 1).name + "\\n"); }`;
      await using child = Bun.spawn(ledgerCommand(file, forever), { stderr: "pipe" });
      let text = "";
      for await (const piece of child.stdout) {
        text += Buffer.from(piece).toString();
        if (text.split("\n").length > kills) child.kill("SIGKILL");
      }
      named.push(...text.split("\n").slice(0, -1));
    }
    const kept = withLedger(file, (ledger) => ledger.page(1_000_000, 1_000_000));
    const names = new Set(kept.map(({ name }) => name));
    expect(named.length).toBeGreaterThan(190);
    expect(new Set(named).size).toBe(named.length);
    expect(named.filter((name) => !names.has(name))).toEqual([]);
    expect(kept.every(({ reason }) => reason === "crash")).toBe(true);
  });
});
