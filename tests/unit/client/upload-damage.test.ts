import { describe, expect, test } from "bun:test";
import { BLOCK_BYTES } from "../../../lib/block.ts";
import { FakeFile } from "../../support/fake-file.ts";
import { damaged } from "../../support/meddler.ts";
import { meddledClient, opening, uploading } from "../../support/moving.ts";
import { readWhole } from "../../support/repository.ts";
import { noise } from "../../support/transport-recorder.ts";

const LARGE = noise(6 * BLOCK_BYTES + 5);

describe("an upload that is damaged on its way", () => {
  /** Damage the large DATA frames for which `when` says so. */
  const damage = (when: (frame: number) => boolean) => {
    let frames = 0;
    return {
      onOutgoing: ({ name, payload }: { name: string; payload: Buffer }) =>
        name === "DATA" && payload.length > 100_000 && when(++frames) ? damaged(payload) : undefined,
    };
  };

  test("sends the damaged blocks again, and no others", async () => {
    await using moved = uploading();
    moved.local.set("a", LARGE, 5);
    const { client, link } = await meddledClient(
      moved.server,
      damage((frame) => frame === 3 || frame === 18),
    );
    await moved.transfer.run(client);
    expect(moved.told.outcomes).toEqual(["stored a"]);
    expect(link.bytesOut).toBeGreaterThan(LARGE.length + 2 * BLOCK_BYTES);
    expect(link.bytesOut).toBeLessThan(LARGE.length + 2 * BLOCK_BYTES + 5_000);
    expect((await readWhole(moved.server.storage, "a")).equals(LARGE)).toBe(true);
  });

  test("sends a damaged small file again", async () => {
    await using moved = uploading();
    moved.local.set("a", noise(BLOCK_BYTES), 5);
    const { client } = await meddledClient(
      moved.server,
      damage((frame) => frame <= 3),
    );
    await moved.transfer.run(client);
    expect(moved.told.outcomes).toEqual(["stored a"]);
    expect((await readWhole(moved.server.storage, "a")).equals(noise(BLOCK_BYTES))).toBe(true);
  });

  test("sends many damaged small files again", async () => {
    await using moved = uploading();
    for (let at = 0; at < 40; at++) moved.local.set(`file-${at}`, noise(200_000, at + 1), 5);
    const seen = new Set<number>();
    const { client } = await meddledClient(moved.server, {
      // A block of such a size has a frame of its own, which begins with its header.
      onOutgoing: ({ name, payload }) => {
        if (name !== "DATA" || payload.length < 200_000 || seen.has(payload.readUInt32BE(4))) return undefined;
        seen.add(payload.readUInt32BE(4));
        return damaged(payload);
      },
    });
    await moved.transfer.run(client);
    expect(moved.told.sorted).toEqual(Array.from({ length: 40 }, (_, at) => `stored file-${at}`).sort());
  });

  test("stores no mixture when the source of such a file has changed meanwhile", async () => {
    let opened = 0;
    const contents = [noise(200_000), noise(300_000, 2)] as const;
    // Opened for its facts, for the first sending, and for the next.
    const make = () => (++opened <= 2 ? new FakeFile(contents[0]) : new FakeFile(contents[1], { etag: "etag-2" }));
    await using moved = uploading({ source: () => opening({ a: make }) });
    const { client } = await meddledClient(
      moved.server,
      damage((frame) => frame === 1),
    );
    await moved.transfer.run(client);
    expect(moved.told.outcomes).toEqual(["stored a"]);
    expect(opened).toBeGreaterThan(2);
    expect((await readWhole(moved.server.storage, "a")).equals(contents[1])).toBe(true);
  });

  test.each([BLOCK_BYTES, 2 * BLOCK_BYTES])(
    "gives a file of %i bytes up when every try is damaged, and has the others",
    async (size) => {
      await using moved = uploading();
      moved.local.set("a", noise(size), 5);
      moved.local.set("b", noise(1_000), 5);
      const { client } = await meddledClient(
        moved.server,
        damage(() => true),
      );
      await moved.transfer.run(client);
      expect(moved.told.sorted).toEqual(["DIGEST_MISMATCH a", "stored b"]);
    },
  );
});
