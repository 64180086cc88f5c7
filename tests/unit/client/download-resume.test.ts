import { describe, expect, test } from "bun:test";
import { BLOCK_BYTES } from "../../../lib/block.ts";
import { MAX_LOST_RESTARTS } from "../../../lib/client/transfer.ts";
import { StorageError } from "../../../lib/errors.ts";
import { codeOf } from "../../support/fault.ts";
import type { RawFrame } from "../../support/frames.ts";
import { damaged, type Meddling } from "../../support/meddler.ts";
import { contentOf, downloading, everything, meddledClient } from "../../support/moving.ts";
import { readWhole } from "../../support/repository.ts";
import { noise } from "../../support/transport-recorder.ts";

const LARGE = noise(9 * BLOCK_BYTES + 5);
/** Headers and facts of one file. */
const OVERHEAD = 2_000;

/** Cut the link when so many bytes of DATA have come. */
function cutAfter(bytes: number): (frame: RawFrame) => Meddling {
  let come = 0;
  return ({ name, payload }) => {
    if (name === "DATA") come += payload.length;
    return come > bytes ? "cut" : undefined;
  };
}

describe("a download whose link is lost", () => {
  test("fails as LOST, and goes on over another: nothing that was verified comes twice", async () => {
    await using moved = downloading();
    const { server, transfer, told, local } = moved;
    server.storage.set("a", LARGE, 5);
    const first = await meddledClient(server, { onIncoming: cutAfter(4.5 * BLOCK_BYTES) });
    expect(await codeOf(() => transfer.run(first.client))).toBe("LOST");
    const verified = told.progress;
    expect(verified).toBeGreaterThanOrEqual(2 * BLOCK_BYTES);
    const second = await meddledClient(server);
    await transfer.run(second.client);
    expect(second.link.bytesIn).toBeLessThan(LARGE.length - verified + OVERHEAD);
    expect([told.progress, told.outcomes]).toEqual([LARGE.length, ["stored a"]]);
    expect((await readWhole(local, "a")).equals(LARGE)).toBe(true);
  });

  test("goes on however often that happens, at any point", async () => {
    await using moved = downloading();
    const { server, transfer, told, local } = moved;
    for (let at = 0; at < 40; at++) server.storage.set(`many/${at}`, noise(at * 900, at + 1), 5);
    server.storage.set("a", LARGE, 5);
    server.storage.set("z/b", LARGE.subarray(3), 5);
    let runs = 0;
    for (let done = false; !done; runs++) {
      const { client } = await meddledClient(server, { onIncoming: cutAfter(1.3 * BLOCK_BYTES + runs * 77_777) });
      done = await transfer.run(client).then(
        () => true,
        () => false,
      );
    }
    expect(runs).toBeGreaterThan(5);
    expect(await contentOf(local)).toEqual(await contentOf(server.storage));
    expect(told.sorted).toEqual(
      Object.keys(await contentOf(local))
        .map((path) => `stored ${path}`)
        .sort(),
    );
    expect(told.progress).toBe(LARGE.length * 2 - 3 + (39 * 40 * 900) / 2);
  });

  test("goes on in another run of the program, with what the first has kept", async () => {
    await using moved = downloading();
    const { server, transfer, told, local } = moved;
    server.storage.set("a", LARGE, 5);
    const first = await meddledClient(server, { onIncoming: cutAfter(4.5 * BLOCK_BYTES) });
    await codeOf(() => transfer.run(first.client));
    await transfer.close();
    await using again = downloading({ local });
    const second = await meddledClient(server);
    await again.transfer.run(second.client);
    expect(told.progress).toBeGreaterThan(0);
    expect(again.told.starts).toEqual([["a", told.progress]]);
    expect(second.link.bytesIn).toBeLessThan(LARGE.length - told.progress + OVERHEAD);
    expect((await readWhole(local, "a")).equals(LARGE)).toBe(true);
  });

  test("starts from the beginning in another run when the source has changed meanwhile", async () => {
    await using moved = downloading();
    const { server, transfer, local } = moved;
    server.storage.set("a", LARGE, 5);
    const first = await meddledClient(server, { onIncoming: cutAfter(4.5 * BLOCK_BYTES) });
    await codeOf(() => transfer.run(first.client));
    await transfer.close();
    const other = noise(LARGE.length, 2);
    server.storage.set("a", other, 6);
    await using again = downloading({ local });
    await again.transfer.run(await server.client());
    expect([again.told.restarts, again.told.outcomes]).toEqual([["a"], ["stored a"]]);
    expect((await readWhole(local, "a")).equals(other)).toBe(true);
  });

  test("has a log whole that grows each time that the link is lost, however often that is", async () => {
    await using moved = downloading();
    const { server, transfer, told, local } = moved;
    const log = (losses: number) => noise(LARGE.length + losses * 1_000);
    for (let losses = 0; losses < 6; losses++) {
      server.storage.set("log", log(losses), 5 + losses);
      const { client } = await meddledClient(server, { onIncoming: cutAfter(2.5 * BLOCK_BYTES) });
      expect(await codeOf(() => transfer.run(client))).toBe("LOST");
    }
    server.storage.set("log", log(6), 20);
    await transfer.run(await server.client());
    expect([told.outcomes, told.restarts.length]).toEqual([["stored log"], 6]);
    expect((await readWhole(local, "log")).equals(log(6))).toBe(true);
  });

  test("gives a file up that has changed whenever the link comes back, without end", async () => {
    await using moved = downloading();
    const { server, transfer, told } = moved;
    for (let losses = 0; told.outcomes.length === 0; losses++) {
      server.storage.set("log", noise(2 * BLOCK_BYTES, losses + 1), losses);
      const { client } = await meddledClient(server, { onIncoming: cutAfter(0.5 * BLOCK_BYTES) });
      await transfer.run(client).catch(() => {});
    }
    expect(told.outcomes).toEqual(["CHANGED log"]);
    expect(told.restarts).toHaveLength(MAX_LOST_RESTARTS);
  });

  test("asks for the list again, and for nothing in it twice", async () => {
    let lists = 0;
    await using moved = downloading({
      source: (client) => {
        lists++;
        return everything(client);
      },
    });
    const { server, transfer, told } = moved;
    for (let at = 0; at < 3_000; at++) server.storage.set(`file-${at}`, noise(3_000, at + 1), 5);
    const first = await meddledClient(server, { onIncoming: cutAfter(2_000_000) });
    await codeOf(() => transfer.run(first.client));
    await transfer.run((await meddledClient(server)).client);
    expect(new Set(told.outcomes).size).toBe(3_000);
    expect(told.outcomes).toHaveLength(3_000);
    expect(lists).toBe(2);
  });

  test("forgets no file that could not be begun here when that happens", async () => {
    await using moved = downloading();
    const { server, transfer, told, local } = moved;
    server.storage.set("a", noise(3 * BLOCK_BYTES), 5);
    local.receive = async () => {
      throw new StorageError("DISK_DENIED", "No.");
    };
    const first = await meddledClient(server, { onIncoming: cutAfter(1.5 * BLOCK_BYTES) });
    await codeOf(() => transfer.run(first.client));
    await transfer.run((await meddledClient(server)).client);
    expect(told.outcomes).toEqual(["DISK_DENIED a"]);
  });
});

describe("a download that is damaged on its way", () => {
  /** Damage the large DATA frames for which `when` says so. */
  const damage = (when: (frame: number) => boolean) => {
    let frames = 0;
    return ({ name, payload }: RawFrame): Meddling =>
      name === "DATA" && payload.length > 200_000 && when(++frames) ? damaged(payload) : undefined;
  };

  test("asks again for the damaged blocks alone", async () => {
    await using moved = downloading();
    moved.server.storage.set("a", LARGE, 5);
    const { client, link } = await meddledClient(moved.server, {
      onIncoming: damage((frame) => frame === 3 || frame === 21),
    });
    await moved.transfer.run(client);
    expect(moved.told.outcomes).toEqual(["stored a"]);
    expect(link.bytesIn).toBeGreaterThan(LARGE.length + 2 * BLOCK_BYTES);
    expect(link.bytesIn).toBeLessThan(LARGE.length + 2 * BLOCK_BYTES + 2 * OVERHEAD);
    expect(moved.told.progress).toBe(LARGE.length);
    expect((await readWhole(moved.local, "a")).equals(LARGE)).toBe(true);
  });

  test("asks again for a damaged small file", async () => {
    await using moved = downloading();
    moved.server.storage.set("a", noise(BLOCK_BYTES), 5);
    const { client } = await meddledClient(moved.server, { onIncoming: damage((frame) => frame <= 3) });
    await moved.transfer.run(client);
    expect(moved.told.outcomes).toEqual(["stored a"]);
    expect((await readWhole(moved.local, "a")).equals(noise(BLOCK_BYTES))).toBe(true);
  });

  test.each([BLOCK_BYTES, 2 * BLOCK_BYTES])(
    "gives a file of %i bytes up when every try is damaged, and has the others",
    async (size) => {
      await using moved = downloading();
      moved.server.storage.set("a", noise(size), 5);
      moved.server.storage.set("b", noise(1_000), 5);
      const { client } = await meddledClient(moved.server, { onIncoming: damage(() => true) });
      await moved.transfer.run(client);
      expect(moved.told.sorted).toEqual(["DIGEST_MISMATCH a", "stored b"]);
      expect(await codeOf(() => moved.local.stat("a"))).toBe("NOT_FOUND");
    },
  );
});
