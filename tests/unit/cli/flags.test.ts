import { describe, expect, test } from "bun:test";
import type { ArgsDef } from "citty";
import { integerFlag, secondsFlag, timeFlag } from "../../../lib/cli/flag-values.ts";
import { parseFlags } from "../../../lib/cli/flags.ts";
import { nearest } from "../../../lib/cli/nearest.ts";
import { UsageError } from "../../../lib/cli/usage-error.ts";

const ARGS: ArgsDef = {
  path: { type: "positional", valueHint: "…" },
  output: { type: "string", alias: "o" },
  "max-clients": { type: "string", default: "3" },
  json: { type: "boolean" },
  overwrite: { type: "boolean", alias: "f" },
};
const ONE_WORD: ArgsDef = { glob: { type: "positional", required: false }, json: { type: "boolean" } };

/** The message of the UsageError that parsing ends with. */
function faultOf(argv: string[], args = ARGS): string {
  try {
    parseFlags(argv, args);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  throw new Error(`${JSON.stringify(argv)} was accepted`);
}

describe("parseFlags()", () => {
  test("a flag that may be given several times has all its values, in order", () => {
    const args: ArgsDef = { ...ARGS, exclude: { type: "string", valueHint: "PATTERN…" } };
    expect(parseFlags(["--exclude", "a", "p", "--exclude=--b"], args)).toMatchObject({
      exclude: ["a", "--b"],
      _: ["p"],
    });
    expect(parseFlags(["p", "--", "--exclude", "a"], args)["exclude"]).toBeUndefined();
    expect(faultOf(["--exclude"], args)).toBe("--exclude needs a value.");
  });

  test.each([
    [["--output", "x", "p"], { output: "x" }, ["p"]],
    [["--output=x", "p"], { output: "x" }, ["p"]],
    [["p", "-o", "x"], { output: "x" }, ["p"]],
    [["--output=a=b", "p"], { output: "a=b" }, ["p"]],
    [["--output=", "p"], { output: "" }, ["p"]],
    [["-o", "", "p"], { output: "" }, ["p"]],
    [["--output", "-", "p"], { output: "-" }, ["p"]],
    [["--output", "-1", "p"], { output: "-1" }, ["p"]],
    [["--output", "--json", "p"], { output: "--json" }, ["p"]],
    [["--output", "a", "--output", "b", "p"], { output: "b" }, ["p"]],
    [["--json", "p"], { json: true }, ["p"]],
    [["p", "--json"], { json: true }, ["p"]],
    [["-f", "p"], { overwrite: true }, ["p"]],
    [["p", "q", "r"], {}, ["p", "q", "r"]],
    [["-"], {}, ["-"]],
    [["two words", ""], {}, ["two words", ""]],
    [["p"], { "max-clients": "3" }, ["p"]],
    [["--max-clients", "7", "p"], { "max-clients": "7" }, ["p"]],
  ])("reads %j", (argv, expected, words) => {
    const flags = parseFlags(argv, ARGS);
    expect(flags).toMatchObject(expected);
    expect(flags._).toEqual(words);
  });

  test("leaves out what was not given: json is not true without --json", () => {
    const flags = parseFlags(["p"], ARGS);
    expect([flags["json"], flags["output"], flags["overwrite"]]).not.toContain(true);
    expect(flags["output"]).toBeUndefined();
  });

  test.each([
    [["--", "-file"], ["-file"]],
    [["--", "--json"], ["--json"]],
    [
      ["p", "--", "-f", "--output", "x"],
      ["p", "-f", "--output", "x"],
    ],
    [["--", "--"], ["--"]],
    [["--", "--unknown"], ["--unknown"]],
  ])("takes everything behind -- as words: %j", (argv, words) => {
    const flags = parseFlags(argv, ARGS);
    expect(flags._).toEqual(words);
    expect([flags["json"], flags["overwrite"]]).not.toContain(true);
    expect(flags["output"]).toBeUndefined();
  });

  test.each([
    [["--outptu", "x"], "Unknown flag --outptu. Did you mean --output?"],
    [["--out", "x"], "Unknown flag --out. Did you mean --output?"],
    [["--maxClients", "3"], "Unknown flag --maxClients. Did you mean --max-clients?"],
    [["--max-client", "3"], "Unknown flag --max-client. Did you mean --max-clients?"],
    [["--JSON"], "Unknown flag --JSON."],
    [["--no-nothing"], "Unknown flag --no-nothing."],
    [["--path", "p"], "Unknown flag --path."],
    [["-x"], "Unknown flag -x. Known: -o, -f."],
    [["-fx"], "Unknown flag -x. Known: -o, -f."],
    [["-json"], "Unknown flag -json. Did you mean --json?"],
    [["---"], "Unknown flag ---."],
    [["--=x"], "Unknown flag --."],
    [["--unknown=x"], "Unknown flag --unknown."],
    [["-1"], "Unknown flag -1. Known: -o, -f."],
  ])("refuses the unknown: %j", (argv, message) => {
    expect(faultOf(["p", ...argv])).toBe(message);
  });

  test.each(["--constructor", "--toString", "--valueOf", "--hasOwnProperty", "--__proto__"])(
    "refuses %s, which every object has and no command takes",
    (flag) => {
      expect(faultOf(["p", flag, "x"])).toBe(`Unknown flag ${flag}.`);
    },
  );

  test('-o=x is not taken as the value "=x": as --output=x, or refused', () => {
    let output: unknown = "refused";
    try {
      output = parseFlags(["p", "-o=x"], ARGS)["output"];
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
    }
    expect(["x", "refused"]).toContain(output as string);
  });

  test.each([
    [["p", "--output"], "--output needs a value."],
    [["p", "-o"], "-o needs a value."],
    [["p", "--output", "--"], "--output needs a value."],
    [["p", "--json=true"], "--json takes no value."],
    [["p", "--json="], "--json takes no value."],
    [["p", "-f=1"], "-f takes no value."],
    [[], "Missing argument: PATH."],
    [["--json"], "Missing argument: PATH."],
    [["--output", "p"], "Missing argument: PATH."],
  ])("refuses %j: %s", (argv, message) => {
    expect(faultOf(argv)).toBe(message);
  });

  test("takes as many words as the command has arguments", () => {
    expect(parseFlags([], ONE_WORD)._).toEqual([]);
    expect(parseFlags(["a"], ONE_WORD)._).toEqual(["a"]);
    expect(faultOf(["a", "b", "c"], ONE_WORD)).toBe('Unexpected argument "b".');
    expect(faultOf(["a", "--", "-b"], ONE_WORD)).toBe('Unexpected argument "-b".');
    expect(faultOf(["a"], { json: { type: "boolean" } })).toBe('Unexpected argument "a".');
  });
});

describe("nearest()", () => {
  test.each([
    ["staus", "status"],
    ["stat", "status"],
    ["lst", "list"],
    ["lists", "list"],
    ["gte", "get"],
    ["frobnicate", undefined],
    ["", undefined],
  ])("of %p is %p", (word, expected) => {
    expect(nearest(word, ["status", "list", "get", "watch"])).toBe(expected as string);
  });
});

test("nearest() takes the nearest, wherever it stands: --sever is --server and not --newer", () => {
  expect(nearest("sever", ["newer", "server"])).toBe("server");
  expect(nearest("sta", ["stat", "status", "sat"])).toBe("stat");
});

test("nearest() suggests nothing that has no letter in common: -x is not --to", () => {
  expect(["x", "-", "ab"].map((word) => nearest(word, ["to"]))).toEqual([undefined, undefined, undefined]);
});

describe("integerFlag()", () => {
  const read = (text: string) => integerFlag({ _: [], port: text }, "port", 0, 65_535);

  test.each([
    ["0", 0],
    ["5050", 5050],
    ["65535", 65_535],
    ["007", 7],
  ])("reads %p", (text, expected) => {
    expect(read(text)).toBe(expected);
  });

  test.each([
    "-1",
    "65536",
    "",
    " 1",
    "1 ",
    "1.0",
    "1e3",
    "0x10",
    "+1",
    "1_000",
    "१",
    "9".repeat(400),
    "NaN",
    "Infinity",
  ])("refuses %p and says the limits", (text) => {
    expect(() => read(text)).toThrow(new UsageError(`--port takes a whole number from 0 to 65535, not "${text}".`));
  });
});

describe("secondsFlag()", () => {
  const read = (text: string) => secondsFlag({ _: [], timeout: text }, "timeout");

  test.each([
    ["10", 10_000],
    ["2.5", 2_500],
    ["0.001", 1],
    ["0.0001", 1],
    ["1.0005", 1_001],
    ["86400", 86_400_000],
    ["010", 10_000],
  ])("reads %p as %i ms", (text, expected) => {
    expect(read(text)).toBe(expected);
  });

  test.each([
    "0",
    "0.0",
    "-1",
    "86400.1",
    "86401",
    "",
    "1.",
    ".5",
    "1e3",
    "1,5",
    "10s",
    " 1",
    "Infinity",
    "9".repeat(400),
  ])("refuses %p", (text) => {
    expect(() => read(text)).toThrow(UsageError);
  });
});

describe("timeFlag()", () => {
  const NOW = Date.UTC(2026, 10, 30, 12);
  const time = (newer: string) => timeFlag({ _: [], newer }, "newer", NOW);

  test("reads a period before now, a day, and a time of a day", () => {
    expect(timeFlag({ _: [] }, "newer", NOW)).toBeUndefined();
    expect([time("12h"), time("7d")]).toEqual([NOW - 12 * 3_600_000, NOW - 7 * 86_400_000]);
    expect(time("2026-11-01")).toBe(new Date(2026, 10, 1).getTime());
    expect(time("2026-11-01T14:30")).toBe(new Date(2026, 10, 1, 14, 30).getTime());
    expect(time("2026-11-01T14:30:05Z")).toBe(Date.UTC(2026, 10, 1, 14, 30, 5));
  });

  test.each(["", "0d", "1w", "-1d", "2026", "2026-13-01", "2026-11-01 14:30", "1", "yesterday"])(
    "refuses %j",
    (text) => {
      expect(() => time(text)).toThrow(UsageError);
    },
  );
});
