import { describe, expect, test } from "bun:test";
import { BLOCK_BYTES } from "../../../lib/block.ts";
import { systemClock } from "../../../lib/session/clock.ts";
import type { MemoryStorage } from "../../../lib/storage/memory-storage.ts";
import { storageFault } from "../../../lib/storage-faults.ts";
import { codeOf } from "../../support/fault.ts";
import type { RawFrame } from "../../support/frames.ts";
import type { Meddling } from "../../support/meddler.ts";
import { contentOf, meddledClient, uploading } from "../../support/moving.ts";
import { readWhole } from "../../support/repository.ts";
import { noise } from "../../support/transport-recorder.ts";
import { until } from "../../support/until.ts";

const LARGE = noise(9 * BLOCK_BYTES + 5);
const OVERHEAD = 2_000;

/** Cut the link when so many bytes of DATA have left. */
function cutAfter(bytes: number): { onOutgoing(frame: RawFrame): Meddling } {
  let left = 0;
  return {
    onOutgoing: ({ name, payload }) => {
      if (name === "DATA") left += payload.length;
      return left > bytes ? "cut" : undefined;
    },
  };
}

/** Bytes that the server still wants of a large file, when nobody has it any more. */
async function missingAt(storage: MemoryStorage, path: string, source: MemoryStorage): Promise<number> {
  const facts = await source.stat(path);
  const part = await until(() => storage.receive(path, facts, "fail").catch(() => undefined));
  await part.keep();
  return facts.size - part.present;
}

describe("an upload whose link is lost", () => {
  test("fails as LOST, and goes on over another: nothing that was verified is sent twice", async () => {
    await using moved = uploading();
    const { server, transfer, told, local } = moved;
    local.set("a", LARGE, 5);
    const first = await meddledClient(server, cutAfter(5.5 * BLOCK_BYTES));
    expect(await codeOf(() => transfer.run(first.client))).toBe("LOST");
    const missing = await missingAt(server.storage, "a", local);
    expect(missing).toBeLessThan(LARGE.length);
    const second = await meddledClient(server);
    await transfer.run(second.client);
    expect(second.link.bytesOut).toBeLessThan(missing + OVERHEAD);
    expect(told.outcomes).toEqual(["stored a"]);
    expect(told.starts.at(-1)).toEqual(["a", LARGE.length - missing]);
    expect((await readWhole(server.storage, "a")).equals(LARGE)).toBe(true);
  });

  test("goes on however often that happens, at any point, and tells each file once", async () => {
    await using moved = uploading({ clock: { ...systemClock, after: (_, action) => systemClock.after(1, action) } });
    const { server, transfer, told, local } = moved;
    for (let at = 0; at < 40; at++) local.set(`many/${at}`, noise(at * 900, at + 1), 5);
    local.set("a", LARGE, 5);
    local.set("z/b", LARGE.subarray(3), 5);
    let runs = 0;
    for (let done = false; !done; runs++) {
      const { client } = await meddledClient(server, cutAfter(1.6 * BLOCK_BYTES + runs * 77_777));
      done = await transfer.run(client).then(
        () => true,
        () => false,
      );
    }
    expect(runs).toBeGreaterThan(3);
    expect(await contentOf(server.storage)).toEqual(await contentOf(local));
    const paths = told.outcomes.map((line) => line.replace(/^(stored|unchanged) /, ""));
    expect(paths.sort()).toEqual(Object.keys(await contentOf(local)).sort());
  });

  test("goes on in another run of the program", async () => {
    await using moved = uploading();
    const { server, transfer, local } = moved;
    local.set("a", LARGE, 5);
    const first = await meddledClient(server, cutAfter(5.5 * BLOCK_BYTES));
    await codeOf(() => transfer.run(first.client));
    await transfer.close();
    const missing = await missingAt(server.storage, "a", local);
    await using again = uploading({
      source: async function* () {
        const { size, modifiedAt } = await local.stat("a");
        yield { from: "a", to: "a", kind: "file", size, modifiedAt, local };
      },
    });
    const second = await meddledClient(server);
    await again.transfer.run(second.client);
    expect(second.link.bytesOut).toBeLessThan(missing + OVERHEAD);
    expect((await readWhole(server.storage, "a")).equals(LARGE)).toBe(true);
  });

  test("starts from the beginning when the source has changed meanwhile, and stores no mixture", async () => {
    await using moved = uploading();
    const { server, transfer, local } = moved;
    local.set("a", LARGE, 5);
    const first = await meddledClient(server, cutAfter(5.5 * BLOCK_BYTES));
    await codeOf(() => transfer.run(first.client));
    await missingAt(server.storage, "a", local);
    const other = noise(LARGE.length, 2);
    local.set("a", other, 6);
    const second = await meddledClient(server);
    await transfer.run(second.client);
    expect((await readWhole(server.storage, "a")).equals(other)).toBe(true);
  });

  test("takes what was stored just before for stored, though its answer was lost", async () => {
    await using moved = uploading();
    const { server, transfer, told, local } = moved;
    local.set("a", noise(100), 5);
    const first = await meddledClient(server, {
      onIncoming: ({ name }) => (name === "DATA" ? "cut" : undefined),
    });
    expect(await codeOf(() => transfer.run(first.client))).toBe("LOST");
    await until(() => server.storage.stat("a").catch(() => undefined));
    await transfer.run(await server.client());
    expect(told.outcomes).toHaveLength(1);
    expect(told.outcomes[0]).toMatch(/^(stored|unchanged) a$/);
  });
});

describe("an upload of a file that another has", () => {
  test("tells BUSY at once when it has lost no link", async () => {
    await using moved = uploading();
    const { server, transfer, told, local } = moved;
    local.set("a", LARGE, 5);
    const part = await server.storage.receive("a", await local.stat("a"), "fail");
    const receive = server.storage.receive.bind(server.storage);
    let offers = 0;
    server.storage.receive = (...file) => {
      offers++;
      return receive(...file);
    };
    await transfer.run(await server.client());
    expect({ outcomes: told.outcomes, offers }).toEqual({ outcomes: ["BUSY a"], offers: 1 });
    await part.discard();
  });

  test("offers again, on the same link, what the server had no descriptor for", async () => {
    let waits = 0;
    await using moved = uploading({
      clock: {
        ...systemClock,
        after: (_, action) => {
          waits++;
          return systemClock.after(0, action);
        },
      },
    });
    const { server, transfer, told, local } = moved;
    local.set("a", LARGE, 5);
    const receive = server.storage.receive.bind(server.storage);
    let refusals = 3;
    server.storage.receive = (...file) => {
      if (refusals-- > 0) throw storageFault.overloaded();
      return receive(...file);
    };
    await transfer.run(await server.client());
    expect({ outcomes: told.outcomes, isWaited: waits >= 3 }).toEqual({ outcomes: ["stored a"], isWaited: true });
  });

  test("is offered once over the next link, though its wait of the earlier one ends meanwhile", async () => {
    const waits: (() => void)[] = [];
    await using moved = uploading({
      clock: {
        ...systemClock,
        after: (_, action) => {
          waits.push(action);
          return () => {};
        },
      },
    });
    const { server, transfer, told, local } = moved;
    local.set("a", LARGE, 5);
    const receive = server.storage.receive.bind(server.storage);
    let offers = 0;
    server.storage.receive = async (...file) => {
      if (++offers === 1) throw storageFault.overloaded();
      for (const endWait of waits.splice(0)) endWait();
      return receive(...file);
    };
    const first = await server.client();
    const lost = codeOf(() => transfer.run(first));
    await until(() => waits[0]);
    await first.close(0);
    await lost;
    await transfer.run(await server.client());
    expect({ outcomes: told.outcomes, offers }).toEqual({ outcomes: ["stored a"], offers: 2 });
  });

  test("waits for it after a lost link: it may be its own, and goes on when it is free", async () => {
    let waits = 0;
    let release = async () => {};
    await using moved = uploading({
      clock: {
        ...systemClock,
        after: (_, action) => {
          if (++waits === 3) void release();
          return systemClock.after(1, action);
        },
      },
    });
    const { server, transfer, told, local } = moved;
    local.set("a", LARGE, 5);
    const first = await meddledClient(server, cutAfter(2.5 * BLOCK_BYTES));
    await codeOf(() => transfer.run(first.client));
    const facts = await local.stat("a");
    const part = await until(() => server.storage.receive("a", facts, "fail").catch(() => undefined));
    release = () => part.keep();
    await transfer.run(await server.client());
    expect(told.outcomes).toEqual(["stored a"]);
    expect(waits).toBeGreaterThanOrEqual(3);
  });

  test("gives up in the end when it stays so", async () => {
    let waits = 0;
    await using moved = uploading({
      clock: {
        ...systemClock,
        after: (_, action) => {
          waits++;
          return systemClock.after(0, action);
        },
      },
    });
    const { server, transfer, told, local } = moved;
    local.set("a", LARGE, 5);
    const first = await meddledClient(server, cutAfter(2.5 * BLOCK_BYTES));
    await codeOf(() => transfer.run(first.client));
    const facts = await local.stat("a");
    await until(() => server.storage.receive("a", facts, "fail").catch(() => undefined));
    await transfer.run(await server.client());
    expect(told.outcomes).toEqual(["BUSY a"]);
    expect(waits).toBeLessThan(100);
  });
});
