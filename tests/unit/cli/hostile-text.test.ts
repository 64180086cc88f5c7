import { describe, expect, test } from "bun:test";
import { conflictQuestion } from "../../../lib/cli/client/conflict-question.ts";
import { formatEntry, printEntries } from "../../../lib/cli/client/list-command.ts";
import { sendTyped } from "../../../lib/cli/client/send-command.ts";
import { completeLine } from "../../../lib/cli/client/shell-completion.ts";
import { ShellFolder } from "../../../lib/cli/client/shell-folder.ts";
import { fetchStatus, formatStatus } from "../../../lib/cli/client/status-command.ts";
import { TransferView } from "../../../lib/cli/client/transfer-view.ts";
import { formatChange } from "../../../lib/cli/client/watch-command.ts";
import { formatMessage } from "../../../lib/cli/client/with-connection.ts";
import { escapeLines, escapeText, toJson } from "../../../lib/cli/escape.ts";
import { describeError, reportError } from "../../../lib/cli/report.ts";
import { logLine } from "../../../lib/cli/server/log-line.ts";
import { obeyOperator } from "../../../lib/cli/server/operator-commands.ts";
import type { Client } from "../../../lib/client/client.ts";
import { badName } from "../../../lib/client/left-out.ts";
import type { Operator } from "../../../lib/client/operator.ts";
import { TransferTally } from "../../../lib/client/transfer-result.ts";
import { RemoteError } from "../../../lib/errors.ts";
import type { Entry } from "../../../lib/protocol/methods.ts";
import type { StampedEvent } from "../../../lib/server/event-feed.ts";
import { facade } from "../../support/facade.ts";
import { TestIo } from "../../support/test-io.ts";

/** What a peer may say instead of a name, a word, a reason. */
const EVIL = {
  "clear the screen": "\u001b[2J\u001b[H",
  "write the clipboard": "\u001b]52;c;cm0gLXJmIH4=\u0007",
  "a link that says another": "\u001b]8;;http://evil.example\u001b\\docs\u001b]8;;\u001b\\",
  "the title": "\u001b]0;root#\u0007",
  "be asked for an answer": "\u001b[6n\u001b[c\u001bZ",
  "a device control string": '\u001bP$q"p\u001b\\',
  "the same by C1": "\u009b2J\u009d52;c;x\u009c\u0090q\u009c\u0085",
  "overwrite the line": "\r\u001b[Kserver> ",
  "a line of its own": "\nClient01 joined from 127.0.0.1:1",
  "other line ends": "a\u2028b\u2029c\u000bd\u000ce\u0085f",
  "bells and rubouts": "\u0007\b\b\u007f\0",
  "another direction": "\u202efdp.exe\u202c\u2066x\u2069\u200f\u200e\u061c",
  "half a character": "\ud800x\udc00",
};
const evils = Object.entries(EVIL);

/** Anything that a terminal or a log reacts to. */
const DANGEROUS =
  /[\p{Cc}\p{Cs}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u00ad\u180e\u200b\u2060-\u2064\u3164\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/u;

/** The lines, after it was seen that each is safe. */
function safe(text: string, lines: number): string[] {
  const found = text.replace(/\n$/, "").split("\n");
  for (const line of found) expect(line).not.toMatch(DANGEROUS);
  expect(found).toHaveLength(lines);
  return found;
}

const entryOf = (path: string, kind: Entry["kind"] = "file"): Entry => ({ path, kind, size: 3, modifiedAt: 0 });

/** A client whose server lists this, and answers a message with this. */
function clientOf(evil: string): Client {
  const answer = { text: `${evil} ACK`, delivered: [evil], failed: [{ name: evil, message: evil }], omitted: 3 };
  return facade({} as Client, {
    list: async function* () {
      yield entryOf(`docs/${evil}`);
      yield entryOf(`docs/${evil}`, "folder");
      return { entries: 2, skipped: 1 };
    } as unknown as Client["list"],
    send: async () => answer,
  });
}

describe.each(evils)("a peer that would like to %s", (_, evil) => {
  test("can't by a path in a list, a watch, or a table of sessions", async () => {
    for (const kind of ["file", "folder", "link", "other"] as const) safe(formatEntry(entryOf(evil, kind)), 1);
    for (const change of ["added", "changed"] as const) safe(formatChange({ change, ...entryOf(evil) }), 1);
    safe(formatChange({ change: "removed", path: evil }), 1);
    const io = new TestIo();
    await printEntries(clientOf(evil), { source: undefined, signal: new AbortController().signal }, io);
    safe(io.written.join("") + io.notes.join("\n"), 3);
  });

  test("can't by an agent, a name, an address or a reason in a status", () => {
    const row = { id: 1, startedAt: 0, endedAt: 1, bytesIn: 0, bytesOut: 0, messagesIn: 0, messagesOut: 0 };
    const status = {
      self: { name: evil, role: "client" as const, address: evil, startedAt: 0 },
      server: { agent: evil, startedAt: 0, uptimeMs: 0, draining: true },
      seats: { max: 1, taken: 1, maxWaiting: 1, waiting: 1 },
      total: 2,
      sessions: [{ ...row, name: evil, address: evil, reason: evil }],
      next: null,
    };
    safe(formatStatus(status as unknown as Parameters<typeof formatStatus>[0], { color: false }), 8);
    safe(toJson(status), 1);
    expect(JSON.parse(toJson(status))).toEqual(JSON.parse(JSON.stringify(status)));
  });

  test("can't by a message, its answer, or what became of it", async () => {
    safe(formatMessage({ from: evil, to: evil, text: evil }), 1);
    const rows = evil.split("\n").length;
    const [, ...more] = safe(formatMessage({ from: "bob", to: "all", text: evil }, escapeLines), rows);
    for (const line of more) expect(line).toStartWith("  | ");
    safe(await sendTyped(clientOf(evil), "hi"), 1);
    safe(await sendTyped(clientOf(evil), "@all hi"), 3);
  });

  test("can't by the words of an error, a refusal or a kick", () => {
    for (const code of ["NOT_FOUND", "KICKED", "SERVER_FULL", "EXISTS", "UNEXPECTED"] as const) {
      safe(describeError(new RemoteError(code, evil)), 1);
      for (const json of [false, true]) {
        const io = new TestIo();
        reportError(new RemoteError(code, evil), io, { program: "commserver-client", json });
        for (const note of io.notes) safe(note, 1);
      }
    }
  });

  test("can't by an error whose stack quotes it", () => {
    // The message of a system's error has the name that it is about, and its stack begins with the message.
    safe(describeError(new Error(`ENOENT: no such file, open '\n    at ${evil}'`)), 1);
  });

  test.each([false, true])("can't by the paths of a transfer, with json %p", async (json) => {
    const io = new TestIo();
    const view = new TransferView({ io, json, verb: "Fetched", isStrict: false, placeOf: (_item, path) => path });
    const item = { from: evil, to: evil, kind: "file" as const, size: 3, modifiedAt: 0 };
    view.plan(item);
    view.onStart(item, 0, 3);
    view.onProgress(item, 3);
    view.onRestart(item);
    view.onDone(item, { outcome: "stored", path: evil, size: 1, sha256: "0".repeat(64) });
    view.onDone(item, { outcome: "unchanged", path: evil, size: 1 });
    view.onDone(item, { outcome: "skipped", path: evil, size: 1 });
    view.onFailed(item, new RemoteError("NOT_FOUND", evil));
    view.onLeftOut(badName(evil));
    view.onLeftOut({ path: evil, code: "BAD_PATH", why: evil, count: 3 });
    await view.finish({ ...new TransferTally().result, failed: 1, stored: 1, leftOut: 4 });
    // How often progress is told is a matter of time.
    const lines = io.written.join("").split(/(?<=\n)/);
    safe(lines.filter((line) => !line.startsWith('{"event":"progress"')).join(""), json ? 9 : 3);
    for (const line of lines) safe(line, 1);
    for (const note of io.notes) safe(note, 1);
  });

  test("can't by the question whether a file may be replaced", async () => {
    const item = { from: evil, to: evil, kind: "file" as const, size: 3, modifiedAt: 0 };
    safe(conflictQuestion([{ item, error: new RemoteError("EXISTS", evil) }]), 1);
  });

  test("can't by what Tab offers, which the terminal shows as it is", async () => {
    const { names } = await completeLine(clientOf(evil), new ShellFolder(), "get docs/");
    for (const ending of names) safe(ending, 1);
  });

  test("can't by what the operator sees of it", async () => {
    const operator = facade({} as Operator, {
      kick: async () => {},
      unfinished: async function* () {
        yield { path: evil, size: 1, modifiedAt: 0 };
      } as unknown as Operator["unfinished"],
    });
    const name = evil.replace(/\s/g, "") || "x";
    const shown = async (line: string) => {
      let text = "";
      await obeyOperator(operator, line, { color: false }, async (answer) => {
        text = answer.text;
      });
      return text;
    };
    safe(await shown("unfinished"), 1);
    safe(await shown(`kick ${name}`), 1);
  });

  test("can't by what goes into the log of the server", () => {
    const lines: string[] = [];
    const log = (event: StampedEvent) => {
      for (const format of ["json", "text", "terminal", "journal"] as const) lines.push(logLine(event, format));
    };
    log({ at: 0, event: "joined", name: evil, address: evil, role: "client" } as never);
    log({ at: 0, event: "message", from: evil, to: evil, text: evil });
    log({ at: 0, event: "failed", name: evil, method: evil, code: evil as "INTERNAL", message: evil });
    log({ at: 0, event: "renamed", name: evil, from: evil, to: evil });
    for (const line of lines) safe(line, 1);
    expect(lines).toHaveLength(16);
  });
});

test("a question of this program is not worded by the server", async () => {
  const item = { from: "a", to: "docs/a", kind: "file" as const, size: 3, modifiedAt: 0 };
  const error = new RemoteError("EXISTS", "Do you accept the licence?");
  expect(conflictQuestion([{ item, error }])).toBe('"docs/a" exists. Replace it?');
});

test("a server whose pages of sessions never end is not asked for ever", async () => {
  const row = { id: 1, name: "n", address: "a", startedAt: 0, endedAt: null, reason: null, bytesIn: 0, bytesOut: 0 };
  const page = { sessions: [{ ...row, messagesIn: 0, messagesOut: 0 }], total: 1_000, next: 7 };
  for (const later of [{ sessions: [] }, { next: 7 }, { next: 8 }, { sessions: [], next: 1 }]) {
    let asked = 0;
    const client = facade({} as Client, {
      status: (async () => (asked++ === 0 ? structuredClone(page) : structuredClone({ ...page, ...later }))) as never,
    });
    expect((await fetchStatus(client, 1_000)).sessions).toHaveLength(1);
    expect(asked).toBe(2);
  }
});

describe("what Tab offers", () => {
  test("begins with what was typed: a server does not get to write another line", async () => {
    const client = facade({} as Client, {
      list: async function* () {
        yield entryOf("docs/a.txt");
        yield entryOf("/etc/passwd");
        yield entryOf("x --overwrite");
        return { entries: 3, skipped: 0 };
      } as unknown as Client["list"],
    });
    expect(await completeLine(client, new ShellFolder(), "get docs/")).toEqual({
      names: ["docs/a.txt"],
      typed: "docs/",
    });
  });
});

test("a message of very many lines takes 51 of them, and none is lost", () => {
  const text = Array.from({ length: 1_000 }, (_, index) => `line ${index}`).join("\n");
  const lines = safe(escapeLines(text), 51);
  expect(lines.slice(0, 2)).toEqual(["line 0", "  | line 1"]);
  expect(lines[50]).toStartWith("  | line 50\\u{a}line 51");
  expect(lines[50]).toEndWith("line 999");
});

describe("what can't be seen", () => {
  test.each([
    ["a zero width space", "\u200b"],
    ["a word joiner", "\u2060"],
    ["a byte order mark", "\ufeff"],
    ["a soft hyphen", "\u00ad"],
    ["a Mongolian separator", "\u180e"],
    ["a Hangul filler", "\u3164"],
    ["an annotation", "\ufff9"],
    ["a tag", "\u{e0041}"],
  ])("does not make two names look alike: %s", (_, invisible) => {
    const shown = escapeText(`report${invisible}.pdf`);
    expect(shown).not.toContain(invisible);
    expect(JSON.parse(toJson(`report${invisible}.pdf`))).toBe(`report${invisible}.pdf`);
  });

  test.each(["👨‍👩‍👧", "می‌خواهم", "क्‍ष"])("but what holds a word or a picture together stays: %p", (text) => {
    expect(escapeText(text)).toBe(text);
  });
});
