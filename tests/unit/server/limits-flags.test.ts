import { describe, expect, test } from "bun:test";
import { expiryFlag, sizeFlag } from "../../../lib/cli/flag-values.ts";
import { parseFlags } from "../../../lib/cli/flags.ts";
import { readSettings, SERVE_FLAGS } from "../../../lib/cli/server/serve-flags.ts";
import { UsageError } from "../../../lib/cli/usage-error.ts";

describe("sizeFlag()", () => {
  const read = (text: string) => sizeFlag({ _: [], quota: text }, "quota");

  test.each([
    ["0", 0],
    ["500", 500],
    ["007", 7],
    ["500B", 500],
    ["64k", 64_000],
    ["64K", 64_000],
    ["64kB", 64_000],
    ["64KiB", 65_536],
    ["64M", 64_000_000],
    ["64MB", 64_000_000],
    ["64mib", 64 * 1024 ** 2],
    ["1.5GB", 1_500_000_000],
    ["10 GiB", 10 * 1024 ** 3],
    ["2T", 2e12],
    ["2TiB", 2 * 1024 ** 4],
    ["0.5K", 500],
    ["9007199254740991", Number.MAX_SAFE_INTEGER],
  ])("reads %p as %i bytes", (text, expected) => {
    expect(read(text)).toBe(expected);
  });

  test("is undefined when the flag is absent", () => {
    expect(sizeFlag({ _: [] }, "quota")).toBeUndefined();
  });

  test.each([
    "",
    " ",
    "-1",
    "+1",
    ".5G",
    "1.G",
    "1,5G",
    "1e9",
    "0x10",
    "G",
    "1 2",
    "10P",
    "10 XB",
    "10GBB",
    "10G ",
    " 10G",
    "1_000",
    "९",
    "NaN",
    "Infinity",
    "9007199254740993",
    "9000TiB0",
    "99999TB",
    "9".repeat(400),
    "10constructor",
    "10__proto__",
    "10\nG5",
  ])("refuses %p and shows how it is written", (text) => {
    expect(() => read(text)).toThrow(new UsageError(`--quota takes a size, such as 64M or 1.5GB, not "${text}".`));
  });
});

describe("expiryFlag()", () => {
  const NOW = 1_700_000_000_000;
  const read = (text: string) => expiryFlag({ _: [], expires: text }, "expires", NOW);

  test.each([
    ["1s", 1_000],
    ["90s", 90_000],
    ["5m", 300_000],
    ["12h", 43_200_000],
    ["30d", 30 * 86_400_000],
    ["36500d", 36_500 * 86_400_000],
  ])("reads %p as %i ms from now", (text, ms) => {
    expect(read(text)).toBe(NOW + ms);
  });

  test("is undefined when the flag is absent", () => {
    expect(expiryFlag({ _: [] }, "expires", NOW)).toBeUndefined();
  });

  test.each([
    "",
    "0s",
    "0d",
    "-1d",
    "1",
    "d",
    "1 d",
    "1.5h",
    "1w",
    "1D",
    "1y",
    "36501d",
    " 1d",
    "1d ",
    `${"9".repeat(400)}s`,
  ])("refuses %p", (text) => {
    expect(() => read(text)).toThrow(new UsageError(`--expires takes a period, such as 12h or 30d, not "${text}".`));
  });
});

describe("the limits of a server", () => {
  const settings = (...argv: string[]) => readSettings(parseFlags(argv, SERVE_FLAGS));

  test("are as documented unless told otherwise", () => {
    expect(settings()).toMatchObject({
      maxClients: 3,
      maxWaiting: 16,
      maxPerAddress: 128,
      callRates: { messages: 1_000, lists: 20, pages: 200 },
      budget: { quotaBytes: undefined, keepFreeBytes: 64_000_000 },
      bandwidth: { perSession: undefined, total: undefined },
      idleMs: 43_200_000,
    });
  });

  test("are what the flags say", () => {
    const flags = ["--quota", "50GB", "--keep-free=0", "--limit-rate", "1M", "--limit-rate-total", "10MiB"];
    const counts = ["--max-per-address", "2", "--max-messages", "5", "--max-lists", "1", "--max-waiting", "0"];
    expect(settings(...flags, ...counts, "--idle", "1.5")).toMatchObject({
      maxWaiting: 0,
      maxPerAddress: 2,
      callRates: { messages: 5, lists: 1, pages: 10 },
      budget: { quotaBytes: 50e9, keepFreeBytes: 0 },
      bandwidth: { perSession: 1e6, total: 10 * 1024 ** 2 },
      idleMs: 1_500,
    });
  });

  test("--idle 0 is for ever", () => {
    expect(settings("--idle", "0").idleMs).toBeUndefined();
  });

  test("a quota of nothing is one", () => {
    expect(settings("--quota", "0").budget.quotaBytes).toBe(0);
  });

  test.each(["--limit-rate", "--limit-rate-total"])("%s takes no rate below sixteen thousand bytes", (flag) => {
    expect(settings(flag, "16000").bandwidth).toEqual(
      flag === "--limit-rate" ? { perSession: 16_000, total: undefined } : { perSession: undefined, total: 16_000 },
    );
    for (const rate of ["0", "1", "15999", "15.9K"]) {
      expect(() => settings(flag, rate)).toThrow(new UsageError(`${flag} takes at least 16000 bytes a second.`));
    }
  });

  test.each([
    ["--max-clients", "0"],
    ["--max-clients", "100001"],
    ["--max-waiting", "-1"],
    ["--max-per-address", "0"],
    ["--max-per-address", "many"],
    ["--max-messages", "0"],
    ["--max-lists", "0"],
    ["--max-lists", "1.5"],
    ["--quota", "much"],
    ["--keep-free", "10%"],
    ["--limit-rate", "1Mbit"],
    ["--limit-rate-total", ""],
    ["--idle", "-1"],
    ["--idle", "12h"],
    ["--idle", "86401"],
    ["--grace", "0"],
    ["--stop-timeout", "x"],
  ])("%s=%s is refused with the name of the flag", (flag, value) => {
    expect(() => settings(`${flag}=${value}`)).toThrow(UsageError);
    expect(() => settings(`${flag}=${value}`)).toThrow(flag);
  });
});
