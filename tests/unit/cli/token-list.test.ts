import { describe, expect, test } from "bun:test";
import { expiryFlag } from "../../../lib/cli/flag-values.ts";
import type { Flags } from "../../../lib/cli/flags.ts";
import { describeNew, formatTokens } from "../../../lib/cli/server/token-command.ts";

const NOW = 1_700_000_000_000;
const DAY_MS = 86_400_000;
const RECORD = { name: "laptop", role: "write", createdAt: NOW - DAY_MS, expiresAt: null } as const;

describe("the list of tokens", () => {
  test("says of each until when it is good, and when it is over", () => {
    const lines = formatTokens(
      [RECORD, { ...RECORD, name: "later", expiresAt: NOW + 1 }, { ...RECORD, name: "over", expiresAt: NOW }],
      NOW,
    ).split("\n");
    expect(lines).toHaveLength(4);
    expect(lines[0]).toMatch(/^NAME\s+ROLE\s+MADE\s+EXPIRES$/);
    expect(lines[1]).toMatch(/^laptop\s+write\s.*\snever$/);
    expect(lines[2]).not.toContain("(expired)");
    expect(lines[3]).toEndWith(" (expired)");
  });

  test("that is empty says how to make one", () => {
    expect(formatTokens([], NOW)).toBe("There are no tokens. Make one with: token add NAME");
  });
});

describe("a token that was made", () => {
  test("is shown with what to do; what a hostile server answers moves no cursor", () => {
    const text = describeNew({ token: "a:b\u001b[2J", invite: "csinvite1_x\u001b]0;y\u0007" });
    expect(text).toContain("commserver-client join csinvite1_x");
    expect(text).toContain("HTTP (curl --user)");
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/);
  });
});

describe("--expires", () => {
  const at = (expires: unknown) => expiryFlag({ _: [], expires } as Flags, "expires", NOW);

  test.each([
    ["1s", 1_000],
    ["90m", 90 * 60_000],
    ["12h", 12 * 3_600_000],
    ["30d", 30 * DAY_MS],
    ["36500d", 36_500 * DAY_MS],
  ])("takes %s", (text, ms) => expect(at(text)).toBe(NOW + ms));

  test("is never when it is not given", () => expect(at(undefined)).toBeUndefined());

  test.each(["", "0s", "-1d", "1", "d", "1w", "1.5h", "1 d", "1D", "1d1h", "36501d", `${"9".repeat(400)}d`, "1e3d"])(
    "refuses %j",
    (text) => expect(() => at(text)).toThrow(expect.objectContaining({ code: "USAGE" })),
  );
});
