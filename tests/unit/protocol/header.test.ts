import { describe, expect, test } from "bun:test";
import {
  checkMagic,
  decodeHeader,
  encodeFrame,
  encodeHeader,
  readUint32,
  writeUint32,
} from "../../../lib/protocol/header.ts";
import { OPCODE_RULES, Opcode } from "../../../lib/protocol/opcode.ts";
import { protocolFault } from "../../support/outcomes.ts";

/** Sixteen bytes with any numbers in the fields; by default a valid PING. */
function headerBytes(fields: Partial<Record<"magic" | "opcode" | "flags" | "stream" | "length" | "reserved", number>>) {
  const { magic = 0xc5, opcode = 0x05, flags = 0, stream = 0, length = 8, reserved = 0 } = fields;
  const bytes = Buffer.alloc(16);
  bytes.writeUInt8(magic, 0);
  bytes.writeUInt8(opcode, 1);
  bytes.writeUInt16BE(flags, 2);
  bytes.writeUInt32BE(stream, 4);
  bytes.writeUInt32BE(length, 8);
  bytes.writeUInt32BE(reserved, 12);
  return bytes;
}

const faultOf = (fields: Parameters<typeof headerBytes>[0]) => protocolFault(() => decodeHeader(headerBytes(fields)));

describe("decodeHeader()", () => {
  test("reads every field big-endian", () => {
    const bytes = Buffer.from("c5100001fedcba980000abcd00000000", "hex");
    expect(decodeHeader(bytes)).toEqual({ opcode: Opcode.OPEN, flags: 1, streamId: 0xfedcba98, length: 0xabcd });
  });

  test("reads from an offset", () => {
    const bytes = Buffer.concat([Buffer.alloc(3, 0xff), headerBytes({}), Buffer.alloc(3, 0xff)]);
    expect(decodeHeader(bytes, 3)).toEqual({ opcode: Opcode.PING, flags: 0, streamId: 0, length: 8 });
  });

  test("rejects every other first byte as BAD_MAGIC", () => {
    for (let magic = 0; magic < 256; magic++) expect(faultOf({ magic })).toBe(magic === 0xc5 ? undefined : "BAD_MAGIC");
  });

  test("rejects every opcode outside the table as UNKNOWN_OPCODE", () => {
    for (let opcode = 0; opcode < 256; opcode++) {
      const rule = OPCODE_RULES.get(opcode);
      const fault = faultOf({ opcode, stream: rule?.scope === "stream" ? 1 : 0, length: rule?.minBytes ?? 0 });
      expect(fault).toBe(rule === undefined ? "UNKNOWN_OPCODE" : undefined);
    }
  });

  test.each([
    ["a value in the reserved bytes", { reserved: 1 }],
    ["a value in the highest reserved bit", { reserved: 0x8000_0000 }],
    ["a session frame with a stream id", { stream: 1 }],
    ["a stream frame without a stream id", { opcode: Opcode.DATA, stream: 0 }],
    ["a flag of another opcode", { flags: 1 }],
    ["an unknown flag next to a known one", { opcode: Opcode.OPEN, stream: 1, flags: 3 }],
    ["a flag in the high byte", { opcode: Opcode.OPEN, stream: 1, flags: 0x0101 }],
  ])("rejects %s as BAD_HEADER", (_what, fields) => {
    expect(faultOf(fields)).toBe("BAD_HEADER");
  });

  test("allows the flag END on OPEN and ACCEPT only", () => {
    for (const [opcode, rule] of OPCODE_RULES) {
      const fault = faultOf({ opcode, flags: 1, stream: rule.scope === "stream" ? 1 : 0, length: rule.minBytes });
      expect(fault).toBe(opcode === Opcode.OPEN || opcode === Opcode.ACCEPT ? undefined : "BAD_HEADER");
    }
  });

  describe.each([...OPCODE_RULES].map(([opcode, rule]) => [rule.name, opcode, rule] as const))(
    "%s",
    (_, opcode, rule) => {
      const faultAt = (length: number) => faultOf({ opcode, length, stream: rule.scope === "stream" ? 1 : 0 });

      test("accepts the smallest and the largest length", () => {
        expect(faultAt(rule.minBytes)).toBeUndefined();
        expect(faultAt(rule.maxBytes)).toBeUndefined();
      });

      test("rejects a length above the limit", () => {
        expect(faultAt(rule.maxBytes + 1)).toBe("FRAME_TOO_LARGE");
        expect(faultAt(0xffff_ffff)).toBe("FRAME_TOO_LARGE");
      });

      if (rule.minBytes > 0) {
        test("rejects a length below the smallest", () => {
          expect(faultAt(rule.minBytes - 1)).toBe("BAD_HEADER");
          expect(faultAt(0)).toBe("BAD_HEADER");
        });
      }
    },
  );

  test("checks in the order of PROTOCOL.md", () => {
    // Each next header has the first fault mended, and all later ones still in it.
    const faults = { magic: 0, opcode: 0xff, flags: 0xffff, reserved: 1, stream: 1, length: 0xffff_ffff };
    expect(faultOf(faults)).toBe("BAD_MAGIC");
    expect(faultOf({ ...faults, magic: 0xc5 })).toBe("UNKNOWN_OPCODE");
    const ping = { ...faults, magic: 0xc5, opcode: Opcode.PING };
    expect(faultOf(ping)).toBe("BAD_HEADER");
    expect(faultOf({ ...ping, flags: 0 })).toBe("BAD_HEADER");
    expect(faultOf({ ...ping, flags: 0, reserved: 0 })).toBe("BAD_HEADER");
    expect(faultOf({ ...ping, flags: 0, reserved: 0, stream: 0 })).toBe("FRAME_TOO_LARGE");
  });
});

describe("checkMagic()", () => {
  test("names the byte that came", () => {
    expect(() => checkMagic(0x47)).toThrow("0x47");
    expect(protocolFault(() => checkMagic(0xc5))).toBeUndefined();
  });
});

describe("encodeHeader()", () => {
  test("writes sixteen bytes at the offset and touches no other", () => {
    const target = Buffer.alloc(20, 0xaa);
    encodeHeader(target, 2, { opcode: Opcode.DATA, flags: 0x0102, streamId: 0xfffffffe, length: 0x00100000 });
    expect(target.toString("hex")).toBe("aaaac5120102fffffffe0010000000000000aaaa");
  });
});

describe("encodeFrame()", () => {
  test("copies the payload after the header", () => {
    const payload = Uint8Array.of(1, 2, 3);
    const bytes = encodeFrame(Opcode.DATA, 7, payload);
    payload.fill(9);
    expect(Buffer.from(bytes).toString("hex")).toBe("c5120000000000070000000300000000010203");
  });
});

describe("readUint32() and writeUint32()", () => {
  test.each([0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff])("keep %i", (value) => {
    const bytes = new Uint8Array(6);
    writeUint32(bytes, 1, value);
    expect(readUint32(bytes, 1)).toBe(value);
    expect(Buffer.from(bytes).readUInt32BE(1)).toBe(value);
    expect([bytes[0], bytes[5]]).toEqual([0, 0]);
  });
});
