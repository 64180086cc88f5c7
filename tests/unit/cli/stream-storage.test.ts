import { describe, expect, test } from "bun:test";
import { plainOutput, StreamStorage } from "../../../lib/cli/client/stream-storage.ts";
import { codeOf } from "../../support/fault.ts";

const FACTS = { size: 10, modifiedAt: 0, etag: "e", executable: false };

/** A stream as a storage, and what has been written to it. */
function streamed() {
  const pieces: string[] = [];
  const out = async (bytes: Uint8Array) => {
    pieces.push(Buffer.from(bytes).toString());
  };
  const storage = new StreamStorage(plainOutput({ out }));
  const part = () => storage.receive("a", FACTS, "fail");
  return { storage, part, pieces };
}

const bytes = (text: string) => Buffer.from(text);

describe("a file that goes to a stream", () => {
  test("is written from its beginning on, and lacks what has not come", async () => {
    const { part, pieces } = streamed();
    const file = await part();
    expect([file.missing, file.present]).toEqual([[[0, 10]], 0]);
    expect(await file.write(0, bytes("0123"), 0n)).toBe(true);
    expect([file.missing, file.present]).toEqual([[[4, 10]], 4]);
    expect(await file.write(4, bytes("456789"), 0n)).toBe(true);
    expect([file.missing, file.present]).toEqual([[], 10]);
    expect([await file.commit(), pieces]).toEqual(["a", ["0123", "456789"]]);
  });

  test("takes nothing that would leave a gap or come twice", async () => {
    const { part, pieces } = streamed();
    const file = await part();
    expect(await file.write(4, bytes("456789"), 0n)).toBe(false);
    await file.write(0, bytes("0123"), 0n);
    expect(await file.write(0, bytes("0123"), 0n)).toBe(false);
    expect([pieces, file.present]).toEqual([["0123"], 4]);
  });

  test("takes no block that comes twice while it is being written", async () => {
    const { part, pieces } = streamed();
    const file = await part();
    const first = file.write(0, bytes("0123"), 0n);
    const others = [file.write(0, bytes("0123"), 0n), file.write(4, bytes("4"), 0n)];
    expect(await Promise.all([first, ...others])).toEqual([true, false, true]);
    expect(pieces).toEqual(["0123", "4"]);
  });

  test("can begin again only before its first byte was written", async () => {
    const { part } = streamed();
    const file = await part();
    await file.discard();
    await file.write(0, bytes("0"), 0n);
    expect(await codeOf(() => file.discard())).toBe("CHANGED");
  });

  test("is copied when it is small: its buffer is used again", async () => {
    const kept: Uint8Array[] = [];
    const storage = new StreamStorage(plainOutput({ out: async (given) => void kept.push(given) }));
    const lent = bytes("small");
    expect(await storage.store("a", FACTS, "fail", lent)).toBe("a");
    lent.fill(0);
    expect(kept.map((one) => Buffer.from(one).toString())).toEqual(["small"]);
  });

  test("has every name, and needs no folder", async () => {
    const { storage } = streamed();
    expect(await storage.place("a")).toEqual({ outcome: "vacant", path: "a" });
    expect([await storage.hasOwnName(), await storage.makeFolder("d")]).toEqual([true, false]);
  });
});
