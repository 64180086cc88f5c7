import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { decodeHeader, encodeFrame } from "../../lib/protocol/header.ts";
import { decodeJson, encodeJson } from "../../lib/protocol/json.ts";
import { Auth, Hello, Open, Queued, Reason, Refuse, Result, Welcome } from "../../lib/protocol/messages.ts";
import { Opcode } from "../../lib/protocol/opcode.ts";
import { pieces } from "../support/bytes.ts";
import { decodeAll } from "../support/frame-log.ts";
import { parseFrames } from "../support/frames.ts";
import { PAGE, readVectors, type Vector } from "../support/protocol-page.ts";

const SCHEMAS: Partial<Record<string, v.GenericSchema>> = {
  HELLO: Hello,
  WELCOME: Welcome,
  REFUSE: Refuse,
  QUEUED: Queued,
  GOAWAY: Reason,
  AUTH: Auth,
  OPEN: Open,
  ACCEPT: Result,
  END: Result,
  RESET: Reason,
};

const vectors = readVectors();

function opcodeOf({ name, line }: Vector): Opcode {
  const opcode = Opcode[name as keyof typeof Opcode];
  if (opcode === undefined) throw new Error(`PROTOCOL.md:${line}: no opcode is called ${name}`);
  return opcode;
}

/** The payload as lib encodes what the block says in words. */
function payloadOf({ payload }: Vector): Uint8Array {
  return payload.kind === "json" ? encodeJson(JSON.parse(payload.text)) : payload.bytes;
}

describe("the vectors of PROTOCOL.md", () => {
  test("none is overlooked", () => {
    expect(vectors.length).toBeGreaterThan(0);
    expect(vectors).toHaveLength(PAGE.split("vector\n").length - 1);
  });

  test("every opcode has one", () => {
    expect([...new Set(vectors.map(({ name }) => name))].sort()).toEqual(Object.keys(Opcode).sort());
  });
});

describe.each(vectors.map((vector) => [`${vector.name} on line ${vector.line}`, vector] as const))(
  "%s",
  (_, vector) => {
    const header = { opcode: opcodeOf(vector), flags: vector.flags, streamId: vector.stream, length: vector.length };
    const payload = Buffer.from(payloadOf(vector));

    test("encodeFrame() makes these bytes", () => {
      const bytes = encodeFrame(header.opcode, vector.stream, payload, vector.flags);
      expect(Buffer.from(bytes).toString("hex")).toBe(vector.bytes.toString("hex"));
    });

    test("decodeHeader() reads the fields", () => {
      expect(decodeHeader(vector.bytes)).toEqual(header);
      expect(vector.bytes).toHaveLength(16 + vector.length);
    });

    test.each([
      ["whole", [vector.bytes]],
      ["byte by byte", pieces(vector.bytes, 1)],
    ])("FrameDecoder takes it %s", (_how, parts) => {
      const log = decodeAll(parts);
      if (header.opcode === Opcode.DATA) {
        expect(log.frames).toEqual([]);
        expect(log.pieces.every(({ streamId }) => streamId === vector.stream)).toBeTrue();
        expect(Buffer.concat(log.pieces.map(({ piece }) => piece))).toEqual(payload);
      } else {
        expect(log.pieces).toEqual([]);
        expect(log.frames).toEqual([{ header, payload }]);
      }
    });

    test("the naive codec of the tests agrees", () => {
      const { frames, rest } = parseFrames(vector.bytes);
      expect(frames).toMatchObject([{ name: vector.name, flags: vector.flags, stream: vector.stream, payload }]);
      expect(rest).toHaveLength(0);
    });

    if (vector.payload.kind === "json") {
      const { text } = vector.payload;
      test("decodeJson() reads the payload", () => {
        const schema = SCHEMAS[vector.name] ?? v.never();
        expect(decodeJson(schema, vector.bytes.subarray(16), vector.name)).toEqual(JSON.parse(text));
      });
    } else {
      test("only a frame without JSON may have its payload in hexadecimal", () => {
        expect(SCHEMAS[vector.name] === undefined || vector.length === 0).toBeTrue();
      });
    }
  },
);
