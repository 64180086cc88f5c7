import { describe, expect, test } from "bun:test";
import { hold, letGo } from "../../../lib/session/held-buffers.ts";
import { pattern } from "../../support/bytes.ts";

const isFree = ({ buffer }: Uint8Array) => buffer.byteLength === 0;

describe("what has arrived", () => {
  test("is free when all who held it have let go, through whatever view of it", () => {
    const bytes = pattern(100_000);
    const view = bytes.subarray(10, 20);
    hold(bytes);
    hold(view);
    letGo(bytes);
    expect([isFree(bytes), view.length]).toEqual([false, 10]);
    letGo(view);
    expect([isFree(bytes), view.length, bytes.length]).toEqual([true, 0, 0]);
  });

  test("is left alone when nobody has held it", () => {
    const bytes = pattern(100_000);
    letGo(bytes);
    expect(bytes).toEqual(pattern(100_000));
    hold(bytes);
    letGo(bytes);
    letGo(bytes);
    expect(isFree(bytes)).toBeTrue();
  });

  test("is left to the collector when it is little", () => {
    const bytes = pattern(1_000);
    hold(bytes);
    letGo(bytes);
    expect(bytes).toEqual(pattern(1_000));
  });
});
