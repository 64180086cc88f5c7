import { describe, expect, test } from "bun:test";
import { inFlagWords } from "../../../lib/cli/flag-words.ts";
import { UsageError } from "../../../lib/cli/usage-error.ts";
import { CommError } from "../../../lib/errors.ts";
import { parseInvite } from "../../../lib/protocol/invite.ts";
import { parseToken } from "../../../lib/protocol/token.ts";
import { StateFolderError } from "../../../lib/state/state-dir.ts";
import { parseAddress } from "../../../lib/transport/address.ts";

function thrownBy(read: () => unknown): unknown {
  try {
    return read();
  } catch (thrown) {
    return thrown;
  }
}

describe("inFlagWords()", () => {
  test.each([
    ["an address", () => parseAddress("a b")],
    ["an invite", () => parseInvite("csinvite1_x")],
    ["a token", () => parseToken("x")],
  ])("makes an error of usage, in the same words, of %s that is malformed", (_, read) => {
    const thrown = thrownBy(read) as CommError;
    expect(inFlagWords(thrown)).toEqual(new UsageError(thrown.message));
    expect(inFlagWords(thrown)).toMatchObject({ code: "USAGE" });
  });

  test("names the flag where the state folder is at fault, and keeps code and cause", () => {
    const cause = new Error("x");
    const error = (fault: "homeless" | "unusable") =>
      new StateFolderError("DISK_FULL", "It is full.", fault, { cause });
    const words = (thrown: unknown) => inFlagWords(thrown) as CommError;
    expect(words(error("unusable"))).toMatchObject({ code: "DISK_FULL", cause });
    expect(words(error("unusable")).message).toBe("It is full; choose another with --state-dir.");
    expect(words(error("homeless")).message).toBe("It is full: name a folder with --state-dir, or set XDG_STATE_HOME.");
  });

  test.each([new CommError("NOT_FOUND", "x"), new Error("x"), "x", undefined])("leaves %p as it is", (thrown) => {
    expect(inFlagWords(thrown)).toBe(thrown as never);
  });
});
