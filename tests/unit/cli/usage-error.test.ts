import { describe, expect, test } from "bun:test";
import { asUsage, UsageError } from "../../../lib/cli/usage-error.ts";
import { CommError } from "../../../lib/errors.ts";
import { parseInvite } from "../../../lib/protocol/invite.ts";
import { parseToken } from "../../../lib/protocol/token.ts";
import { parseAddress } from "../../../lib/transport/address.ts";

function thrownBy(read: () => unknown): unknown {
  try {
    return read();
  } catch (thrown) {
    return thrown;
  }
}

describe("asUsage()", () => {
  test.each([
    ["an address", () => parseAddress("a b")],
    ["an invite", () => parseInvite("csinvite1_x")],
    ["a token", () => parseToken("x")],
  ])("makes an error of usage, in the same words, of %s that is malformed", (_, read) => {
    const thrown = thrownBy(read) as CommError;
    expect(asUsage(thrown)).toEqual(new UsageError(thrown.message));
    expect(asUsage(thrown)).toMatchObject({ code: "USAGE" });
  });

  test.each([new CommError("NOT_FOUND", "x"), new Error("x"), "x", undefined])("leaves %p as it is", (thrown) => {
    expect(asUsage(thrown)).toBe(thrown as never);
  });
});
