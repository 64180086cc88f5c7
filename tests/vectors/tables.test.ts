import { describe, expect, test } from "bun:test";
import { HEARTBEAT_MS as CLIENT_HEARTBEAT_MS } from "../../lib/client/client.ts";
import { HANDSHAKE_MS, HEARTBEAT_MS } from "../../lib/daemon/limits.ts";
import { codeOfWire, ERRORS, type ErrorCode } from "../../lib/errors.ts";
import { MAX_COMPONENTS, MAX_NAME_BYTES, MAX_PATH_BYTES } from "../../lib/path.ts";
import { MAX_CODE_MESSAGE } from "../../lib/protocol/code-messages.ts";
import * as constants from "../../lib/protocol/constants.ts";
import { EVENT_CODES, eventCodeOf } from "../../lib/protocol/event-codes.ts";
import { Flag, OPCODE_RULES } from "../../lib/protocol/opcode.ts";
import { MAX_RECORD_BYTES } from "../../lib/protocol/records.ts";
import { SILENT_INTERVALS } from "../../lib/session/heartbeat.ts";
import { ORDERLY_LINGER_MS } from "../../lib/session/session.ts";
import { LINGER_MS } from "../../lib/transport/socket-transport.ts";
import { OPCODES } from "../support/frames.ts";
import { PAGE, readTable } from "../support/protocol-page.ts";

const byName = <T extends { name: string }>(a: T, b: T) => a.name.localeCompare(b.name);

const seconds = (ms: number) => `${ms / 1000} s`;

describe("the opcode table of PROTOCOL.md", () => {
  const rows = readTable("name", "opcode", "scope", "payload bytes", "flags", "payload").map((row) => ({
    name: row["name"] as string,
    opcode: row["opcode"] as string,
    scope: row["scope"] as string,
    bytes: row["payload bytes"] as string,
    flags: row["flags"] as string,
  }));

  test("has the rows of OPCODE_RULES, no more and no fewer", () => {
    const rules = [...OPCODE_RULES].map(([opcode, rule]) => ({
      name: rule.name,
      opcode: `0x${opcode.toString(16).padStart(2, "0")}`,
      scope: rule.scope,
      bytes: `${rule.minBytes} to ${rule.maxBytes}`,
      flags: rule.flags === 0 ? "none" : rule.flags === Flag.END ? "END" : `unknown ${rule.flags}`,
    }));
    expect(rows.sort(byName)).toEqual(rules.sort(byName));
  });

  test("has the opcodes of the naive codec of the tests", () => {
    expect(Object.fromEntries(rows.map(({ name, opcode }) => [name, Number(opcode)]))).toEqual({ ...OPCODES });
  });

  test("is followed by the value of the flag END", () => {
    const value = /^The flag END has the value (0x[0-9a-f]{4})\.$/m.exec(PAGE)?.[1];
    expect(Number(value)).toBe(Flag.END);
    expect(Object.keys(Flag)).toEqual(["END"]);
  });
});

describe("the error table of PROTOCOL.md", () => {
  const rows = readTable("code", "number", "scope", "meaning").map((row) => ({
    name: row["code"] as string,
    number: Number(row["number"]),
    scope: row["scope"] as string,
  }));

  test("has the codes of ERRORS that travel, no more and no fewer", () => {
    const rules = Object.entries(ERRORS)
      .filter(([, rule]) => rule.scope !== "local")
      .map(([name, rule]) => ({ name, number: rule.wire as number, scope: rule.scope as string }));
    expect(rows.sort(byName)).toEqual(rules.sort(byName));
  });

  test("gives each number once, and codeOfWire() reads it back", () => {
    expect(new Set(rows.map(({ number }) => number)).size).toBe(rows.length);
    for (const { name, number } of rows) expect(codeOfWire(number)).toBe(name as ErrorCode);
  });

  test("leaves out what never travels", () => {
    const local = Object.values(ERRORS).filter(({ scope }) => scope === "local");
    expect(local.length).toBeGreaterThan(0);
    expect(local.map(({ wire }) => wire as number)).toEqual(local.map(() => 0));
  });

  test("has every code that GOAWAY is said to carry", () => {
    const codes = readTable("code in GOAWAY", "meaning").map((row) => row["code in GOAWAY"] as string);
    const named = codes.filter((code) => code !== "0" && code !== "any other");
    expect(named).not.toBeEmpty();
    for (const code of named) expect(Object.keys(ERRORS)).toContain(code);
  });
});

describe("the codes of events", () => {
  test("that are never sent to a peer are those of the table in PROTOCOL.md, all of them local", () => {
    const rows = readTable("code in events", "meaning").map((row) => row["code in events"] as string);
    expect(rows.sort()).toEqual([...EVENT_CODES].sort());
    expect(EVENT_CODES.filter((code) => ERRORS[code].scope !== "local")).toEqual([]);
  });

  test("are in one of the two tables, whatever error the server meets", () => {
    const known = [
      ...readTable("code", "number", "scope", "meaning").map((row) => row["code"]),
      ...readTable("code in events", "meaning").map((row) => row["code in events"]),
    ];
    for (const code of Object.keys(ERRORS) as ErrorCode[]) {
      expect(known).toContain(eventCodeOf(code));
      if (known.includes(code)) expect(eventCodeOf(code)).toBe(code as ReturnType<typeof eventCodeOf>);
    }
  });
});

describe("the limits table of PROTOCOL.md", () => {
  const limits: Record<string, string> = {
    "control frame before WELCOME": `${constants.MAX_HELLO_BYTES} bytes`,
    "control frame after WELCOME": `${constants.MAX_CONTROL_BYTES} bytes`,
    "DATA frame": `${constants.MAX_DATA_BYTES} bytes`,
    "JSON depth": `${constants.MAX_JSON_DEPTH}`,
    record: `${MAX_RECORD_BYTES} bytes`,
    "credit of a stream": `${constants.MAX_CREDIT} bytes`,
    "message text": `${constants.MAX_TEXT_LENGTH} UTF-16 units`,
    "time for the handshake": seconds(HANDSHAKE_MS),
    "message of AUTH": `${MAX_CODE_MESSAGE} UTF-16 units`,
    "lingering after the last frame": seconds(LINGER_MS),
    silence: `${SILENT_INTERVALS} intervals of ${seconds(HEARTBEAT_MS)}`,
  };

  test("has the numbers of the code, no row more and none fewer", () => {
    const rows = readTable("what", "number").map((row) => [row["what"], row["number"]]);
    expect(Object.fromEntries(rows)).toEqual(limits);
    expect(rows).toHaveLength(Object.keys(limits).length);
  });

  test("or another table has every limit of lib/protocol/constants.ts", () => {
    const inLimits = [
      "MAX_HELLO_BYTES",
      "MAX_CONTROL_BYTES",
      "MAX_DATA_BYTES",
      "MAX_JSON_DEPTH",
      "MAX_CREDIT",
      "MAX_TEXT_LENGTH",
    ];
    const elsewhere = [
      "MAX_REASON_BYTES", // opcode table
      "MAX_STREAM_ID", // four bytes of the header
      "MAX_FACTS_BYTES", // chunk table
    ];
    const exported = Object.keys(constants).filter((name) => name.startsWith("MAX_"));
    expect(exported.sort()).toEqual([...inLimits, ...elsewhere].sort());
  });

  test("goes for the client's heartbeat too", () => {
    expect(CLIENT_HEARTBEAT_MS).toBe(HEARTBEAT_MS);
  });
});

describe("the text of PROTOCOL.md", () => {
  test("has the header's fields in order, without a gap, in HEADER_BYTES", () => {
    const rows = readTable("offset", "bytes", "field", "meaning");
    let offset = 0;
    for (const row of rows) {
      expect(Number(row["offset"])).toBe(offset);
      offset += Number(row["bytes"]);
    }
    expect(offset).toBe(constants.HEADER_BYTES);
    expect(Number(rows[0]?.["meaning"])).toBe(constants.MAGIC);
  });

  test("has the protocol's version in its title", () => {
    expect(PAGE.split("\n")[0]).toBe(`# The CommServer protocol, version ${constants.PROTOCOL_VERSION}`);
  });

  test("has the time that a server waits after an ordinary end", () => {
    const lingerMs = ORDERLY_LINGER_MS;
    expect(PAGE.replaceAll("\n", " ")).toContain(`(a server waits ${lingerMs / 1_000} seconds for the client`);
  });

  test("has the limits of a path", () => {
    expect(PAGE.replaceAll("\n", " ")).toContain(
      `has at most ${MAX_PATH_BYTES} bytes, each component at most ${MAX_NAME_BYTES}, and at most ${MAX_COMPONENTS} components.`,
    );
  });
});
