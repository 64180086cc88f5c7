import { describe, expect, test } from "bun:test";
import { get } from "../../../lib/cli/client/get-command.ts";
import { put } from "../../../lib/cli/client/put-command.ts";
import { rename } from "../../../lib/cli/client/rename-command.ts";
import { EXIT, EXIT_MEANINGS, EXIT_OF } from "../../../lib/cli/exit-codes.ts";
import { describeError, type ReportOptions, reportError } from "../../../lib/cli/report.ts";
import { token } from "../../../lib/cli/server/token-command.ts";
import { UsageError } from "../../../lib/cli/usage-error.ts";
import {
  CommError,
  type ErrorCode,
  ProtocolError,
  RemoteError,
  StorageError,
  StreamError,
  TransportError,
} from "../../../lib/errors.ts";
import { ChangedIdentity } from "../../../lib/trust/verify.ts";
import { TestIo } from "../../support/test-io.ts";

const PROGRAM = { program: "commserver-client", json: false };
const JSON_OUT = { ...PROGRAM, json: true };

function report(thrown: unknown, options: ReportOptions = PROGRAM): { exit: number; notes: string[] } {
  const io = new TestIo();
  const exit = reportError(thrown, io, options);
  expect(io.written).toEqual([]);
  return { exit, notes: io.notes };
}

/** One of every exit code, as DESIGN.md has them. */
const EXITS: [ErrorCode, number][] = [
  ["OUTPUT_CLOSED", 0],
  ["UNEXPECTED", 1],
  ["INTERNAL", 1],
  ["CANCELLED", 1],
  ["USAGE", 2],
  ["MALFORMED", 2],
  ["BAD_PATH", 2],
  ["NOT_A_FILE", 2],
  ["CANNOT_CONNECT", 3],
  ["LOST", 3],
  ["TIMEOUT", 3],
  ["HEARTBEAT_TIMEOUT", 3],
  ["SHUTDOWN", 3],
  ["BAD_MAGIC", 3],
  ["SERVER_FULL", 4],
  ["NOT_ALLOWED", 5],
  ["UNREADABLE", 5],
  ["KICKED", 5],
  ["NOT_FOUND", 6],
  ["NO_SUCH_CLIENT", 6],
  ["INCOMPLETE", 7],
  ["DIGEST_MISMATCH", 7],
  ["EXISTS", 8],
  ["CHANGED", 8],
  ["DISK_FULL", 9],
  ["DISK_DENIED", 9],
  ["DISK_FAILED", 9],
  ["CANNOT_LISTEN", 10],
  ["INTERRUPTED", 130],
];

describe("reportError()", () => {
  test.each(EXITS)("%s ends with exit code %i, also with --json", (code, exit) => {
    expect(report(new CommError(code, "why")).exit).toBe(exit);
    expect(report(new CommError(code, "why"), JSON_OUT).exit).toBe(exit);
  });

  test("advises to look into the server's list only where the server said that it is no file", () => {
    const message = '"meminfo" is no file.';
    expect(report(new RemoteError("NOT_A_FILE", message)).notes[1]).toContain("commserver-client list PATH");
    expect(report(new StorageError("NOT_A_FILE", message)).notes).toHaveLength(1);
  });

  test("advises on what exists only with flags that the command takes", () => {
    const exists = new RemoteError("EXISTS", '"b" exists.');
    expect(report(exists, { ...PROGRAM, command: "rename" }).notes.slice(1)).toEqual([
      "  Replace a file with --overwrite, or choose another name; FOLDER/ moves it into a folder.",
    ]);
    for (const [name, { args }] of Object.entries({ get, put, rename })) {
      const advice = report(exists, { ...PROGRAM, command: name })
        .notes.slice(1)
        .join(" ");
      const flags = [...advice.matchAll(/--([a-z-]+)/g)].map(([, flag = ""]) => flag);
      expect(flags).not.toEqual([]);
      for (const flag of flags) expect(Object.keys(args)).toContain(flag);
    }
  });

  test("advises token, whose server is silent, on no flag that only other commands have", () => {
    const silent = new TransportError("TIMEOUT", "The server says nothing.");
    const options = { program: "commserver-server", command: "token", json: false };
    expect(Object.keys(token.args)).not.toContain("timeout");
    expect(report(silent, options).notes.slice(1)).toEqual(["  Run it again when the server answers."]);
    expect(
      report(silent, { ...options, command: "console" })
        .notes.slice(1)
        .join(" "),
    ).toContain("--timeout");
  });

  test("promises no resuming to what can't be resumed", () => {
    const advice = (code: ErrorCode, command: string) =>
      report(new RemoteError(code, "x"), { ...PROGRAM, command })
        .notes.slice(1)
        .join(" ");
    for (const code of ["NO_SPACE", "CROWDED", "DIGEST_MISMATCH", "INCOMPLETE"] as const) {
      expect(advice(code, "put -")).toContain("run it again with the whole input");
      expect(`${advice(code, "put -")} ${code === "NO_SPACE" ? "" : advice(code, "get -")}`).not.toMatch(/resume|kept/);
    }
  });

  test("knows every exit code that --help explains, and no other", () => {
    const explained = EXIT_MEANINGS.map(([exit]) => exit);
    const used = new Set<number>(Object.values(EXIT_OF));
    expect(explained).toEqual([...used].toSorted((a, b) => a - b));
  });

  test("a full disk of the server has another exit code than one of this machine", () => {
    expect(report(new StorageError("DISK_FULL", "x")).exit).toBe(9);
    for (const code of ["NO_SPACE", "QUOTA_EXCEEDED"] as const) {
      expect(report(new RemoteError(code, "x")).exit).toBe(11);
    }
    // A file can be too large for the disk of either.
    expect(report(new StorageError("TOO_LARGE", "x")).exit).toBe(EXIT.LOCAL_DISK);
    expect(report(new RemoteError("TOO_LARGE", "x")).exit).toBe(EXIT.SERVER_DISK);
  });

  test("goes by the code, whatever the class", () => {
    const classes = [CommError, ProtocolError, StreamError, RemoteError, TransportError, StorageError];
    expect(classes.map((Kind) => report(new Kind("NOT_FOUND", "x")).exit)).toEqual(classes.map(() => 6));
    expect(report(new UsageError("x")).exit).toBe(2);
  });

  test("says what happened, and below it what to do", () => {
    expect(report(new StorageError("DISK_FULL", 'The disk of this machine has no room left for "a".')).notes).toEqual([
      'commserver-client: The disk of this machine has no room left for "a".',
      "  Make room on this machine, then run it again: it resumes where it stopped.",
    ]);
  });

  test("says nothing more where the message says all", () => {
    expect(report(new UsageError("Unknown flag --x.")).notes).toEqual(["commserver-client: Unknown flag --x."]);
  });

  test("is silent when nobody reads the output, and when the person interrupted", () => {
    expect(report(new CommError("OUTPUT_CLOSED", "x")).notes).toEqual([]);
    expect(report(new CommError("OUTPUT_CLOSED", "x"), JSON_OUT).notes).toEqual([]);
    expect(report(new CommError("INTERRUPTED", "x")).notes).toEqual([]);
  });

  test("escapes what a peer said", () => {
    const { notes } = report(new RemoteError("NOT_FOUND", "\u001b[2Jno\nsuch\u009bfile"));
    expect(notes[0]).toBe("commserver-client: \\u{1b}[2Jno\\u{a}such\\u{9b}file");
  });

  test("with --json prints one line of JSON with code, message and exit code", () => {
    const { notes } = report(new RemoteError("NOT_FOUND", 'There is no "a\nb".'), JSON_OUT);
    expect(notes).toHaveLength(1);
    expect(notes[0]).not.toContain("\n");
    expect(JSON.parse(notes[0] as string)).toEqual({
      error: {
        code: "NOT_FOUND",
        message: 'There is no "a\nb".',
        exit: 6,
        advice: "See what there is with: commserver-client list",
      },
    });
    expect(JSON.parse(report(new CommError("BAD_PARAMS", "no"), JSON_OUT).notes[0] as string).error).toEqual({
      code: "BAD_PARAMS",
      message: "no",
      exit: 2,
    });
  });

  test("with --json gives the advice that people get, in a member of its own", () => {
    const target = { name: "lab", identity: "SHA256:old", isKnown: true };
    const changed = new ChangedIdentity(target, "SHA256:new");
    const shown = report(changed).notes[1] ?? "";
    expect(shown).toEndWith("commserver-client forget lab");
    expect(JSON.parse(report(changed, JSON_OUT).notes[0] as string).error.advice).toBe(shown.trim());
  });

  test("with --json nothing that a terminal reacts to goes out raw", () => {
    const { notes } = report(new RemoteError("NOT_FOUND", "\u009b2J\u007f\u202e\u2028"), JSON_OUT);
    expect(notes[0]).not.toMatch(/[\p{Cc}\u2028\u202e]/u);
    expect(JSON.parse(notes[0] as string).error.message).toBe("\u009b2J\u007f\u202e\u2028");
  });

  test("is red only in colour", () => {
    const io = new TestIo({ color: true });
    reportError(new UsageError("No."), io, PROGRAM);
    expect(io.notes).toEqual(["commserver-client: \u001b[31mNo.\u001b[39m"]);
  });
});

describe("anything else that is thrown", () => {
  test("is unexpected: exit code 1, the message, where it came from, and a request to report it", () => {
    const { exit, notes } = report(new TypeError("x is not a function"));
    expect(exit).toBe(1);
    expect(notes[0]).toMatch(/^commserver-client: Unexpected: x is not a function \(at .*report\.test\.ts:\d+:\d+\)+$/);
    expect(notes[1]).toContain("please report it");
    expect(notes).toHaveLength(2);
  });

  test.each([["a string"], [undefined], [null], [42]])("also when it is no error: %p", (thrown) => {
    const { exit, notes } = report(thrown);
    expect(exit).toBe(1);
    expect(notes[0]).toBe(`commserver-client: Unexpected: ${thrown}`);
  });

  test("does not take a part of the message for where it happened", () => {
    const told = describeError(new Error("no such file, open '\n    at evil (/etc/passwd:1:1)'"));
    expect(told).toMatch(/ \(at .*report\.test\.ts:\d+:\d+\)+$/);
    expect(told).toContain("\\u{a}    at evil");
  });

  test("describeError() is one safe line", () => {
    expect(describeError(new Error("two\nlines\u001b"))).toStartWith("Unexpected: two\\u{a}lines\\u{1b} (at ");
    expect(describeError(new StorageError("EXISTS", "It\nexists."))).toBe("It\\u{a}exists.");
  });
});

test("where no file is in the way, the advice for what exists names a way that helps", () => {
  const { notes } = report(new StorageError("EXISTS", '"pipe" is not a file, and is not replaced by one.'));
  expect(notes.at(-1)).toEndWith("else choose another name.");
});

describe("a server that shows another identity", () => {
  const pin = `SHA256:${"A".repeat(43)}`;
  const changed = (isKnown: boolean) =>
    report(new ChangedIdentity({ name: "my lab", identity: pin, isKnown }, `SHA256:${"B".repeat(43)}`));

  test("can be forgotten when it is a known one", () => {
    const { exit, notes } = changed(true);
    expect(exit).toBe(5);
    expect(notes.join("\n")).toContain("commserver-client forget 'my lab'");
  });

  test("can't be when its identity is known from an invite", () => {
    expect(changed(false).notes.join("\n")).not.toContain("forget");
  });
});

test("in the shell a failure names no program, nor a command to type elsewhere", () => {
  const io = Object.assign(new TestIo(), { isShell: true });
  expect(reportError(new RemoteError("NOT_FOUND", "There is none."), io, PROGRAM)).toBe(EXIT_OF.NOT_FOUND);
  expect(reportError(new RemoteError("EXISTS", "It exists."), io, PROGRAM)).toBe(EXIT_OF.EXISTS);
  expect(io.notes).toEqual(["There is none.", "It exists.", expect.stringContaining("--overwrite")]);
});
